"""A backup made after a case was destroyed brings nothing of it back: not in tables, changes, logs or files."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import transaction
from tests.factories.orders import ROOT, an_incident
from tests.factories.people import a_household
from tests.orders.a_case import OVER_AT, TEXTS, a_case

from lianfang.accounts.queries import system_actor
from lianfang.config import tending
from lianfang.config.cluster import Cluster
from lianfang.kernel.row_security import scope
from lianfang.ledger import queries, sequencer
from lianfang.orders import actions, policy, proofs


def searched(back: Path, cluster: Cluster) -> list[bytes]:
    files = [f for root in (back, cluster.home) for f in root.rglob("*") if f.is_file()]
    assert any("base" in f.parts for f in files)
    return [f.read_bytes() for f in files]


@pytest.mark.fault
@pytest.mark.django_db(transaction=True)
def test_what_was_destroyed_is_not_in_a_newer_backup(folder: Path) -> None:
    data = folder / "data"
    with transaction.atomic():
        an_incident()
    with scope(areas=[ROOT]):
        home = a_household()
    with scope(areas=[ROOT]):
        order = a_case(home[0], home[2])
    sequencer.run_once(OVER_AT)
    with scope(areas=[ROOT]):
        entries = [act.entry_id for act in proofs.acts_of(order.pk)]
    salts = [d.salt for e in entries for d in queries.disclosures_of(e).values()]
    said = [text.encode() for name, text in TEXTS.items() if name not in ("hold", "withdrawal")]
    traces = [*said, order.order_slip.encode(), order.release_slip.encode(), *salts]
    assert tending.backup(data, folder / "old.backup", case_keys=folder / "case.keys") == 0

    over = OVER_AT + policy.CASE_KEPT_FOR
    assert actions.destroy_ended(by=system_actor("term", over, ())) == 1
    sequencer.run_once(over)
    assert tending.backup(data, folder / "new.backup", case_keys=folder / "case.keys") == 0

    for name in ("old", "new"):
        back = folder / name
        assert tending.restore(back, folder / f"{name}.backup", case_keys=folder / "case.keys") == 0
        cluster = Cluster(back)
        cluster.start()
        cluster.stop()
        contents = searched(back, cluster)
        assert any(order.order_no.encode() in content for content in contents)
        found = [n for n, trace in enumerate(traces) if any(trace in content for content in contents)]
        # Before the act each text is in a backup, so the search is one that finds. What entries committed to is sealed
        # there, and the keys for it are those of now.
        assert found == (list(range(len(said) + 2)) if name == "old" else []), (name, found)
