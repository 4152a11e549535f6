"""Order rows written without the act, to see what the schema refuses by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lianfang.accounts.rights import Role
from lianfang.kernel.ids import random_id
from lianfang.ledger import actions as ledger
from lianfang.orders.models import IsolationOrder, SecondSignature
from tests.factories.orders import officer

if TYPE_CHECKING:
    from uuid import UUID

    from lianfang.kernel.actor import Actor


def copy_past_the_act(
    person: UUID,
    evidence: UUID,
    *,
    like: IsolationOrder | None = None,
    by: Actor | None = None,
    proposal: UUID | None = None,
    entry: bool = True,
    **changes: object,
) -> IsolationOrder:
    """Insert an order row for `person` without the act; every column is right unless the caller changes it."""
    model = like or IsolationOrder.objects.order_by("signed_at").first()
    assert model is not None
    key = random_id()
    entry_id = (
        ledger.append(
            kind="orders:isolation:issued",
            act_id=key,
            organ=model.organ,
            scope=model.community,
            basis=model.basis,
            terms={},
            secrets={},
            by=by or officer(Role.CDC),
            hour=True,
        )
        if entry
        else model.entry_id
    )
    values = {f.attname: getattr(model, f.attname) for f in IsolationOrder._meta.concrete_fields}
    values |= {
        "id": key,
        "order_no": str(key),
        "person_id": person,
        "presence_id": person,
        "evidence_id": evidence,
        "entry_id": entry_id,
        "proposal_id": proposal,
        "signed_by": by.user_id if by else random_id(),
        "second_id": None,
        "previous_id": None,
    }
    if proposal is not None:
        values["second_id"] = (
            SecondSignature.objects.filter(proposal_id=proposal).values_list("pk", flat=True).first()
        )
    return IsolationOrder.objects.create(**(values | changes))
