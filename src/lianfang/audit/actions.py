"""Give a grant, draw its sample, open one identity. Each stands in the chain or in the person's own list."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from django.db import IntegrityError, transaction

from lianfang.accounts import queries as accounts
from lianfang.accounts.rights import Right
from lianfang.kernel.actor import Grant as HeldRight
from lianfang.kernel.clock import start_of_legal_day
from lianfang.kernel.errors import NotFound
from lianfang.kernel.row_security import scope
from lianfang.ledger import actions as ledger
from lianfang.orders import proofs
from lianfang.people import queries as people
from lianfang.people.reader import PersonField, read

from . import queries
from .errors import DrawnAlready, GrantOver, NoSuchOrder, NotAnAuditor, NotInSubject
from .models import Drawn, Grant, Sample
from .policy import ONE_DAY

if TYPE_CHECKING:
    from datetime import date, datetime
    from uuid import UUID

    from lianfang.kernel.actor import Actor
    from lianfang.people.reader import PersonView


_BASIS: Final = "审计授权"


@dataclass(frozen=True, slots=True)
class GrantDraft:
    """What the giver wrote. `order_no`, or a period of whole legal days."""

    id: UUID
    auditor_login: str
    area: str
    order_no: str
    from_on: date | None
    until_on: date | None
    reason: str
    last_day: date


@transaction.atomic
def give_grant(draft: GrantDraft, *, by: Actor) -> Grant:
    """Let one auditor look at one order or one period, from now to the end of a day.

    Sending the same draft again returns the grant already given.

    :raises NotAllowed: `by` gives no such grants there
    :raises NotAnAuditor: see the class
    :raises NoSuchOrder: see the class
    """
    by.require(Right.AUDIT_GRANT_GIVE, over=draft.area)
    if earlier := Grant.objects.filter(pk=draft.id).first():
        return earlier
    auditor = accounts.auditor_over(draft.auditor_login, draft.area, by.at)
    if auditor is None:
        raise NotAnAuditor
    if draft.order_no:
        with scope(areas=[draft.area]):
            if not proofs.entries_by_number(draft.order_no):
                raise NoSuchOrder
    ends_at = start_of_legal_day(draft.last_day + ONE_DAY)
    if ends_at <= by.at:
        raise GrantOver
    try:
        with transaction.atomic():
            return _given(draft, auditor, ends_at, by=by)
    except IntegrityError:
        # Sent twice at once: the other request was first.
        if earlier := Grant.objects.filter(pk=draft.id).first():
            return earlier
        raise


def _given(draft: GrantDraft, auditor: UUID, ends_at: datetime, *, by: Actor) -> Grant:
    period = {"from": draft.from_on, "until": draft.until_on}
    entry = ledger.append(
        kind="audit:grant:given",
        act_id=draft.id,
        organ=by.organ,
        scope=people.public_scope(draft.area),
        basis=_BASIS,
        terms={"ends_at": ends_at.isoformat(), **{k: d.isoformat() for k, d in period.items() if d}},
        secrets={"reason": draft.reason, "auditor": str(auditor), "order_no": draft.order_no or "-"},
        by=by,
    )
    return Grant.objects.create(
        id=draft.id,
        auditor_id=auditor,
        area=draft.area,
        order_no=draft.order_no,
        from_on=draft.from_on,
        until_on=draft.until_on,
        reason=draft.reason,
        starts_at=by.at,
        ends_at=ends_at,
        given_at=by.at,
        given_by=by.pseudonym,
        organ=by.organ,
        entry_id=entry,
    )


@transaction.atomic
def ask_sample(sample_id: UUID, grant_id: UUID, *, count: int, by: Actor) -> Sample:
    """Ask for a sample of a period's orders. The request goes into the chain before the seed exists.

    :raises NotFound: no such grant of this auditor
    :raises GrantOver: see the class
    :raises DrawnAlready: see the class
    """
    grant = held(grant_id, by=by)
    Grant.objects.select_for_update().get(pk=grant.pk)
    if earlier := Sample.objects.filter(grant=grant).first():
        if earlier.pk == sample_id:
            return earlier
        raise DrawnAlready
    if grant.order_no:
        raise NotInSubject
    entry = ledger.append(
        kind="audit:sample:asked",
        act_id=sample_id,
        organ=by.organ,
        scope=people.public_scope(grant.area),
        basis=_BASIS,
        terms={"count": count, "from": str(grant.from_on), "until": str(grant.until_on)},
        secrets={},
        by=by,
        prior=grant.entry_id,
    )
    return Sample.objects.create(id=sample_id, grant=grant, count=count, asked_at=by.at, entry_id=entry)


def keep_draws(*, at: datetime) -> int:
    """Write down what was drawn by the samples whose seed is known by now; how many.

    Asked each minute. KNOWN: a chain that ends in the minute between takes the seed of that sample along, and it is drawn
    anew by the next chain; nobody was shown more than the draw of that minute.
    """
    kept = 0
    for sample in Sample.objects.filter(drawn=None).select_related("grant"):
        found = queries.draw_of(sample.grant)
        if found is None or not found.seed or found.request_index is None:
            continue
        row = Drawn(
            sample=sample,
            log=found.log,
            request_index=found.request_index,
            seed=found.seed,
            seed_size=found.seed_size,
            population=[r.id for r in found.population],
            entries=[r.id for r in found.drawn],
            drawn_at=at,
        )
        kept += len(Drawn.objects.bulk_create([row], ignore_conflicts=True))
    return kept


@transaction.atomic
def open_identity(grant_id: UUID, entry_id: UUID, *, reason: str, by: Actor) -> PersonView:
    """Who one order was about: one case, one reason, written on the person's own list in the same transaction.

    The grant lends the right to read names, over its area and for this act alone.

    :raises NotFound: no such grant of this auditor
    :raises GrantOver: see the class
    :raises NotInSubject: neither the grant's order nor drawn in its sample
    """
    grant = held(grant_id, by=by)
    if entry_id not in {case.entry_id for case in queries.cases_of(grant, by.at)}:
        raise NotInSubject
    lent = replace(by, grants=by.grants | {HeldRight(str(Right.PEOPLE_PERSON_READ), grant.area, by.organ)})
    with scope(areas=[grant.area]):
        person_id = proofs.facts_of([entry_id])[entry_id].person_id
        found = read([person_id], (PersonField.NAME, PersonField.ADDRESS), by=lent, reason=reason)
    if person_id not in found:
        raise NotFound
    return found[person_id]


def held(grant_id: UUID, *, by: Actor) -> Grant:
    """The auditor's own grant, in force.

    :raises NotFound: no such grant of this auditor
    :raises GrantOver: see the class
    """
    grant = Grant.objects.filter(pk=grant_id, auditor=by.user_id).first()
    if grant is None:
        raise NotFound
    by.require(Right.AUDIT_GRANT_USE, over=grant.area)
    if not grant.starts_at <= by.at < grant.ends_at:
        raise GrantOver
    return grant
