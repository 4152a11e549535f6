"""Acts on messages: owe one, record what came of an attempt. Sending is a job's; an act never uses the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection, transaction

from lianfang.kernel.errors import NotFound
from lianfang.kernel.forgetting import forgetting
from lianfang.kernel.ids import new_id
from lianfang.kernel.wake import wake

from . import policy
from .models import Attempt, OwedMessage
from .policy import Means, Outcome

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime
    from uuid import UUID

    from lianfang.kernel.actor import Actor


@transaction.atomic
def owe(template: str, *, to: UUID, facts: Mapping[str, str], due_by: datetime, by: Actor) -> UUID:
    """Owe somebody a message, in the transaction of the act that it tells of.

    No act without its message, no message without its act: if the act is undone, so is this.

    :param facts: ids and codes only; the reader looks the rest up with the rights of the reader
    :raises ValueError: a fact is more than an id, the template has no name, or it is due before it is owed
    """
    # Faults of the caller, not refusals: no user's input comes here unchecked.
    if not policy.is_template(template):
        raise ValueError(f"{template!r} names no template")
    if not policy.holds_ids_only(facts):
        raise ValueError("facts of a message are ids and codes, nothing a person can be known by")
    if due_by < by.at:
        raise ValueError("a message cannot be due before it is owed")
    message = OwedMessage.objects.create(
        id=new_id(),
        template=template,
        recipient=to,
        facts=dict(facts),
        owed_at=by.at,
        due_by=due_by,
        owed_by_organ=by.organ,
    )
    wake("messages", message.pk)
    return message.pk


@transaction.atomic
def record_delivery(message_id: UUID, *, means: Means, by: Actor) -> bool:
    """Record that a message arrived. The first arrival counts; another one changes nothing.

    :returns: whether this was the first
    :raises NotFound: nothing of that id is owed
    """
    message = _locked(message_id)
    if message.attempts.filter(outcome=Outcome.DELIVERED).exists():
        return False
    _try(message, means, Outcome.DELIVERED, by)
    return True


@transaction.atomic
def record_failure(message_id: UUID, *, means: Means, by: Actor) -> None:
    """Record that an attempt failed; the message stays owed.

    :raises NotFound: nothing of that id is owed
    """
    _try(_locked(message_id), means, Outcome.FAILED, by)


def forget(about: Collection[UUID], *, to: Collection[UUID]) -> None:
    """Delete messages to these whose facts name one of those, and what was tried to deliver them.

    Called inside an act that has asked: what they told of is destroyed, and they would still say whom it was told.
    """
    named = {str(pk) for pk in about}
    owed = OwedMessage.objects.filter(recipient__in=to).values_list("pk", "facts")
    gone = [pk for pk, facts in owed if named & {*facts.values()}]
    with forgetting(about), connection.cursor() as cursor:
        cursor.execute("DELETE FROM messaging_attempt WHERE message_id = ANY(%s)", [gone])
        cursor.execute("DELETE FROM messaging_owedmessage WHERE id = ANY(%s)", [gone])


def _locked(message_id: UUID) -> OwedMessage:
    # Two reports of one arrival queue here, so that only one is the first.
    message = OwedMessage.objects.select_for_update().filter(pk=message_id).first()
    if message is None:
        raise NotFound(message=str(message_id))
    return message


def _try(message: OwedMessage, means: Means, outcome: Outcome, by: Actor) -> None:
    Attempt.objects.create(
        id=new_id(),
        message=message,
        means=means,
        outcome=outcome,
        tried_at=by.at,
        by_user=by.user_id,
        by_organ=by.organ,
    )
