"""SIGKILL and errors at every step of ordering and lifting: nothing half, nothing lost, nothing double."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.conf import settings
from django.db import connection
from tests.factories.orders import ROOT, S1_NOW, a_concern, a_draft, an_incident, officer
from tests.factories.people import a_household

from lianfang.accounts.rights import Role
from lianfang.credentials import actions as credentials
from lianfang.kernel.ids import random_id
from lianfang.kernel.row_security import scope
from lianfang.ledger import actions as ledger
from lianfang.ledger.models import Entry
from lianfang.messaging import actions as messaging
from lianfang.messaging.models import OwedMessage
from lianfang.orders import actions, queries
from lianfang.orders.actions import isolation
from lianfang.orders.models import CareNeed, Change, IsolationOrder, Lift

if TYPE_CHECKING:
    from uuid import UUID

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]


def counts() -> dict[str, int]:
    """Rows that an act writes, as somebody sees them who sees the whole district."""
    with scope(areas=[ROOT]):
        return {
            "orders": IsolationOrder.objects.count(),
            "entries": Entry.objects.filter(kind__startswith="orders:").count(),
            "owed": OwedMessage.objects.filter(template__startswith="orders/").count(),
            "needs": CareNeed.objects.count(),
            "changes": Change.objects.count(),
            "lifts": Lift.objects.count(),
        }


NOTHING = {"orders": 0, "entries": 0, "owed": 0, "needs": 0, "changes": 0, "lifts": 0}
ORDERED = {"orders": 1, "entries": 1, "owed": 1, "needs": 1, "changes": 1, "lifts": 0}
LIFTED = {"orders": 1, "entries": 2, "owed": 2, "needs": 1, "changes": 2, "lifts": 1}


@pytest.fixture
def case() -> tuple[UUID, UUID]:
    """A person with a child in the household, and the concern about them."""
    an_incident()
    with scope(areas=[ROOT]):
        luo = a_household()[0]
    with scope(areas=[ROOT]):
        return luo, a_concern(luo)


@pytest.mark.parametrize(
    ("where", "left", "said"),
    [
        ("orders.issue_isolation.after_lock", NOTHING, []),
        ("ledger.append.before", NOTHING, []),
        ("ledger.append.after_insert", NOTHING, []),
        ("orders.issue_isolation.after_row", NOTHING, []),
        ("orders.issue_isolation.before_commit", NOTHING, []),
        ("ledger.append.after_insert:2", ORDERED, ["ordered"]),
        ("orders.lift.before_commit", ORDERED, ["ordered"]),
        ("", LIFTED, ["ordered", "lifted"]),
    ],
)
def test_a_kill_leaves_all_or_nothing_and_repeating_completes(
    case: tuple[UUID, UUID], where: str, left: dict[str, int], said: list[str]
) -> None:
    person, concern = case
    by = officer(Role.CDC)
    words = [
        sys.executable,
        "-m",
        "tests.faults.orders_signer",
        str(connection.settings_dict["NAME"]),
        str(settings.LIANFANG_DATA),
        *map(str, (person, concern, random_id(), random_id(), by.user_id, by.organ)),
    ]

    def run(fault: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words,
            env={**os.environ, "LIANFANG_FAULT": fault},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=False,
        )

    done = run(where)
    assert done.returncode == (-signal.SIGKILL if where else 0), done.stderr[-2000:]
    assert done.stdout.split() == said
    assert counts() == left
    again = run("")  # the client sends the same two acts again, with the same ids
    assert again.stdout.split() == ["ordered", "lifted"], again.stderr[-2000:]
    assert counts() == LIFTED


class Broken(Exception):
    """A fault that no refusal explains."""


def _broken(*_: object, **__: object) -> None:
    raise Broken


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (ledger, "append"),
        (credentials, "sign_slip"),
        (isolation, "replace_household_passes"),
        (messaging, "owe"),
        (isolation, "wake"),
    ],
)
def test_a_fault_at_each_step_leaves_nothing_behind(
    case: tuple[UUID, UUID], monkeypatch: pytest.MonkeyPatch, module: object, name: str
) -> None:
    person, concern = case
    draft, by = a_draft(person, evidence_id=concern), officer(Role.CDC)
    with monkeypatch.context() as broken:
        broken.setattr(module, name, _broken)
        with pytest.raises(Broken), scope(areas=[ROOT]):
            actions.issue_isolation(draft, by=by)
    assert counts() == NOTHING
    with scope(areas=[ROOT]):
        actions.issue_isolation(draft, by=by)
        assert person in queries.restrictions([person], S1_NOW)
    assert counts() == ORDERED
