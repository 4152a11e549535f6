"""After three years the chain keeps that there was an order, and nobody can say any more whose."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from lianfang.accounts.queries import system_actor
from lianfang.accounts.rights import Role
from lianfang.ledger import queries as ledger
from lianfang.ledger.models import CaseKey, Disclosures, Entry
from lianfang.orders import actions, policy, proofs
from tests.factories.orders import S1_NOW, a_draft, officer, resident

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

pytestmark = pytest.mark.django_db


def destroy(at: datetime) -> int:
    return actions.destroy_details(by=system_actor("term", at, ()))


def test_details_go_with_their_term_and_entries_stay(luo: UUID) -> None:
    order = actions.issue_isolation(a_draft(luo), by=officer(Role.CDC))
    actions.appeal(actions.AppealDraft(id=order.pk, order_id=order.pk, text="行程有误"), by=resident(luo))
    about = [act.entry_id for act in proofs.acts_of(order.pk)]
    before = {e: ledger.entry_bytes(e) for e in about}
    over = S1_NOW + policy.DETAILS_KEPT_FOR
    assert destroy(over - timedelta(minutes=1)) == 0
    assert all(ledger.disclosures_of(e) for e in about)

    assert destroy(over + timedelta(hours=1)) == len(about) == 2
    assert not CaseKey.objects.filter(pk__in=about).exists()
    assert not Disclosures.objects.filter(pk__in=about).exists()
    assert {e: ledger.entry_bytes(e) for e in about} == before
    assert Entry.objects.filter(kind="ledger:disclosures:erased").count() == 2
    # Not again, and the notices, which name no person, are not erased with further notices for ever.
    assert destroy(over + timedelta(hours=2)) == 0
    assert destroy(over + 2 * policy.DETAILS_KEPT_FOR) == 0
