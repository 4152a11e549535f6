"""The auditor draws the sample again from the log itself: an office that leaves out or swaps one is found."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from lianfang.audit import actions, queries
from lianfang.kernel.clock import legal_day, start_of_legal_day
from lianfang.kernel.ids import new_id
from lianfang.kernel.row_security import scope
from lianfang.ledger import actions as chain_actions
from lianfang.ledger import queries as ledger
from lianfang.ledger import sequencer
from lianfang_chain.sample import draw
from lianfang_chain.tiles import bundle_of, entries_of
from tests.audit.test_audit import (  # noqa: F401 - fixtures
    a_grant,
    another_chain,
    at_s1,
    auditor,
    giver,
    made,
    run_check,
    unpacked,
)
from tests.factories.ledger import an_actor, an_entry
from tests.factories.orders import ROOT, S1_NOW
from tests.ledger.conftest import chain, parties  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lianfang.audit.models import Grant
    from lianfang.kernel.actor import Actor

pytestmark = pytest.mark.django_db


@pytest.fixture
def eve(parties: Any) -> int:  # noqa: F811  # the fixture
    """The log has a past: the tree that was witnessed before the day, and one that was signed before and seen after it."""
    midnight = start_of_legal_day(legal_day(S1_NOW))
    for at in (midnight - timedelta(hours=3), midnight - timedelta(hours=2)):
        for _ in range(3):
            an_entry(by=an_actor(at))
        sequencer.run_once(at)
    newest = ledger.newest_witnessed()
    for party in parties:
        party.off = 5
    an_entry(by=an_actor(midnight - timedelta(hours=2)))
    sequencer.run_once(midnight - timedelta(seconds=1))
    for party in parties:
        party.off = 0
    last = ledger.checkpoint_before(midnight)
    assert newest is not None
    assert last is not None
    assert last.size > newest.size
    return newest.size


@pytest.fixture
def asked(eve: int, made: Any, auditor: Actor) -> Grant:  # noqa: F811  # the fixtures
    """Two of the community's six orders of the day, in a log with orders of another place, another day and later."""
    with scope(areas=[ROOT]):
        area = made[0].community
    an_entry(by=an_actor(S1_NOW))  # of the day, elsewhere
    an_entry(
        by=an_actor(S1_NOW - timedelta(hours=16)), scope=area
    )  # here, of the day before: it came in late
    an_entry(by=an_actor(S1_NOW), scope=area, kind="orders:order:lifted")
    grant = actions.give_grant(a_grant(area=area), by=giver())
    actions.ask_sample(new_id(), grant.pk, count=2, by=auditor)
    an_entry(by=an_actor(S1_NOW), scope=area)  # after the request
    sequencer.run_once(S1_NOW)
    return grant


def tampered(good: Path, name: str) -> Path:
    shutil.copytree(good, folder := good.with_name(name))
    return folder


def test_the_population_and_the_draw_follow_from_the_log_alone(
    eve: int, asked: Grant, tmp_path: Path
) -> None:
    good = unpacked(asked, tmp_path / "good")
    code, said = run_check(good)
    assert code == 0, said
    facts = json.loads((good / "sample.json").read_text())
    assert facts["from_size"] == eve
    assert f"the log from {eve} to {facts['seed_size']} with every entry" in said
    assert f"{eve} were witnessed before the period began" in said
    assert "sample of 2 from 6" in said
    assert "没有核对 / Not checked here" in said
    assert "whether an earlier checkpoint after the request had a quorum" in said
    assert "BAD" not in said
    # Who signed the checkpoints between which it was drawn: our program says it, by the trust file.
    for name in ("first", "seed", "last"):
        words = ["lianfang-verify.pyz", "--policy", "policy.txt", f"checkpoints/{name}.txt"]
        done = subprocess.run([sys.executable, *words], cwd=good, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "a quorum saw it" in done.stdout


def redrawn(folder: Path, without: int) -> None:
    """The office leaves one order out and draws from the others, as if it had never been."""
    head, *rows = (folder / "population.csv").read_text().splitlines()
    del rows[without]
    (folder / "population.csv").write_text("\n".join([head, *rows]) + "\n")
    facts = json.loads((folder / "sample.json").read_text())
    leaves = [bytes.fromhex(row.split(",")[1]) for row in rows]
    facts["drawn"] = sorted(x.hex() for x in draw(bytes.fromhex(facts["seed"]), leaves, facts["count"]))
    (folder / "sample.json").write_text(json.dumps(facts))


def changed(folder: Path, **facts: Any) -> None:
    file = folder / "sample.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **facts}))


def log_without(folder: Path, leaf_of: str) -> None:
    """Its entry is no longer in the log that is handed out, either."""
    facts = json.loads((folder / "sample.json").read_text())
    data = (folder / "log/entries.bin").read_bytes()
    entries = entries_of(data, width=facts["seed_size"] - facts["from_size"])
    left = [e for e in entries if e != (folder / f"entries/{leaf_of}.cbor").read_bytes()]
    assert len(left) == len(entries) - 1
    (folder / "log/entries.bin").write_bytes(bundle_of(left))


def test_what_an_office_leaves_out_or_swaps_is_found(asked: Grant, tmp_path: Path) -> None:
    good = unpacked(asked, tmp_path / "good")
    rows = [row.split(",") for row in (good / "population.csv").read_text().splitlines()[1:]]
    facts = json.loads((good / "sample.json").read_text())
    undrawn = next(n for n, (_, leaf) in enumerate(rows) if leaf not in facts["drawn"])
    drawn = next(n for n, (_, leaf) in enumerate(rows) if leaf in facts["drawn"])
    other = rows[undrawn][1]

    def later_start(folder: Path) -> None:
        """The beginning of the period moved behind the orders of the morning, with a checkpoint that was truly signed."""
        size = facts["request_index"]
        subtrees, entries = ledger.stretch(facts["log"], size, facts["seed_size"])
        (folder / "log/subtrees.txt").write_text(
            "".join(f"{base64.b64encode(s).decode()}\n" for s in subtrees)
        )
        (folder / "log/entries.bin").write_bytes(entries)
        changed(folder, from_size=size, drawn=[])
        (folder / "population.csv").write_text("index,leaf\n")

    def out_of_the_log_too(folder: Path) -> None:
        redrawn(folder, undrawn)
        log_without(folder, rows[undrawn][0])

    def a_part_of_the_area(folder: Path) -> None:
        changed(folder, area=f"{asked.area}.g01", drawn=[])
        (folder / "population.csv").write_text("index,leaf\n")

    swapped = sorted([*facts["drawn"][1:], other])
    ways: dict[str, tuple[Callable[[Path], None], int, str]] = {
        "one left out": (lambda f: redrawn(f, undrawn), 1, f"entry {rows[undrawn][0]} is missing"),
        "a drawn one left out": (lambda f: redrawn(f, drawn), 1, f"entry {rows[drawn][0]} is missing"),
        "swapped": (lambda f: changed(f, drawn=swapped), 1, "BAD sample of 2 from 6"),
        "out of the log too": (out_of_the_log_too, 1, "BAD 从"),
        "fewer drawn": (lambda f: changed(f, count=1, drawn=facts["drawn"][:1]), 1, "is the request: 2"),
        "another seed": (lambda f: changed(f, seed="00" * 32), 1, "BAD 种子"),
        "a later beginning": (later_start, 1, "BAD 从"),
        "another area": (lambda f: changed(f, area=f"{ROOT}.s510402002.c001"), 1, "BAD 范围"),
        # A request may name the larger place for a small one: a person compares it with the grant.
        "a part of the area": (a_part_of_the_area, 3, "compare the area with your grant"),
    }
    for what, (way, code, told) in ways.items():
        folder = tampered(good, what)
        way(folder)
        found, said = run_check(folder)
        assert (found, told in said) == (code, True), f"{what}\n{said}"


def test_a_beginning_that_was_seen_after_the_period_began_is_found(asked: Grant, tmp_path: Path) -> None:
    """With a checkpoint of the day itself, all that was appended before it would be outside."""
    facts = queries.draw_of(asked)
    assert facts is not None
    begun = ledger.first_witnessed_root(facts.population[0].id)
    assert begun is not None
    folder = unpacked(asked, tmp_path / "good")
    subtrees, entries = ledger.stretch(facts.log, begun.size, facts.seed_size)
    (folder / "checkpoints/first.txt").write_bytes(begun.note)
    (folder / "checkpoints/consistency.txt").unlink()
    (folder / "checkpoints/last.txt").unlink()
    (folder / "log/subtrees.txt").write_text("".join(f"{base64.b64encode(s).decode()}\n" for s in subtrees))
    (folder / "log/entries.bin").write_bytes(entries)
    (folder / "population.csv").write_text("index,leaf\n")
    changed(folder, from_size=begun.size, drawn=[])
    code, said = run_check(folder)
    assert code == 1
    assert f"BAD 期间开始前 {begun.size} 条已被见证" in said


def test_a_second_request_under_one_grant_is_found(asked: Grant, tmp_path: Path) -> None:
    """Nobody draws until the sample pleases: what stands in the chain past the act is seen by who has the log."""
    day = str(asked.from_on)
    chain_actions.append(
        kind="audit:sample:asked", act_id=new_id(), organ="audit", scope=asked.area, basis="审计授权",
        terms={"count": 2, "from": day, "until": day}, secrets={}, by=an_actor(S1_NOW), prior=asked.entry_id,
    )  # fmt: skip
    # The office shows the seed behind it, so that it could have had either.
    sequencer.run_once(S1_NOW)
    folder = unpacked(asked, tmp_path / "good")
    assert run_check(folder)[0] == 0  # not yet: its seed came before that request
    newest = ledger.newest_witnessed()
    assert newest is not None
    facts = json.loads((folder / "sample.json").read_text())
    _, entries = ledger.stretch(facts["log"], facts["from_size"], newest.size)
    (folder / "log/entries.bin").write_bytes(entries)
    (folder / "checkpoints/seed.txt").write_bytes(newest.note)
    leaves = [bytes.fromhex(x.split(",")[1]) for x in (folder / "population.csv").read_text().split()[1:]]
    drawn = sorted(x.hex() for x in draw(newest.root, leaves, 2))
    changed(folder, seed=newest.root.hex(), seed_size=newest.size, drawn=drawn)
    code, said = run_check(folder)
    assert code == 1
    (told,) = (line for line in said.splitlines() if line.startswith("BAD"))
    assert "asks again under the same grant" in told


def test_a_sample_of_a_chain_that_has_ended_is_drawn_again_from_that_chain(
    asked: Grant,
    tmp_path: Path,
    parties: Any,  # noqa: F811  # the fixture
    settings: Any,
) -> None:
    actions.keep_draws(at=S1_NOW)
    before = queries.draw_of(asked)
    assert before is not None
    another_chain(parties, settings)
    folder = unpacked(asked, tmp_path / "good")
    code, said = run_check(folder)
    assert code == 0, said
    assert "sample of 2 from 6" in said
    assert (folder / "checkpoints/seed.txt").read_text().startswith(f"{before.log}\n{before.seed_size}\n")
    policy = next((folder / "former").glob("*/policy.txt"))
    words = ["lianfang-verify.pyz", "--policy", str(policy), "checkpoints/seed.txt"]
    done = subprocess.run([sys.executable, *words], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
