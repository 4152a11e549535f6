"""S11: a grant, the evidence, a sample that anybody repeats, identities one by one."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import subprocess
import sys
import zipfile
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import IntegrityError, connection, transaction

from lianfang.accounts.models import User
from lianfang.accounts.queries import system_actor
from lianfang.accounts.rights import Purpose, Role
from lianfang.audit import actions, chain_rows, queries
from lianfang.audit.actions import GrantDraft
from lianfang.audit.bundle import bundle
from lianfang.audit.errors import DrawnAlready, GrantOver, NoSuchOrder, NotAnAuditor, NotInSubject
from lianfang.audit.models import Drawn, Grant
from lianfang.audit.policy import late_hours
from lianfang.kernel import clock
from lianfang.kernel.clock import legal_day
from lianfang.kernel.errors import NotAllowed, NotFound
from lianfang.kernel.ids import random_id
from lianfang.kernel.row_security import scope, set_scope
from lianfang.ledger import publication, restart, sequencer
from lianfang.ledger import queries as ledger
from lianfang.orders import actions as orders
from lianfang.orders.actions import LiftDraft
from lianfang.orders.policy import CASE_KEPT_FOR, NOTICE_LATE_AFTER
from lianfang.people.models import ReadRecord
from lianfang_chain.policy import Policy
from lianfang_chain.sample import draw
from lianfang_chain.verify import PROVED, say
from tests.factories.accounts import a_user, an_officer, log_in
from tests.factories.ledger import an_actor, past_the_triggers
from tests.factories.orders import ROOT, S1_END, S1_NOW, a_draft, an_incident, officer
from tests.factories.people import a_dwelling, a_household
from tests.ledger.conftest import chain, parties  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from uuid import UUID

    from lianfang.kernel.actor import Actor
    from lianfang.orders.models import IsolationOrder

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def at_s1() -> Iterator[None]:
    with clock.fixed(S1_NOW):
        yield


@pytest.fixture
def made(parties: Any) -> list[IsolationOrder]:  # noqa: F811 - the fixture
    """Six orders in the chain."""
    an_incident()
    set_scope(areas=[ROOT])
    homes = [a_household("罗小娟", area=a_dwelling(f"5-2-{i + 101:04d}")) for i in range(6)]
    found = [orders.issue_isolation(a_draft(home[0]), by=officer(Role.CDC)) for home in homes]
    sequencer.run_once(S1_NOW)
    set_scope(areas=[])  # from here on nobody sees a person by accident
    return found


@pytest.fixture
def auditor() -> Actor:
    user = a_user(login="auditor-1")
    return an_officer(Role.AUDITOR, ROOT, at=S1_NOW, purpose=Purpose.AUDIT, user=user)


def giver() -> Actor:
    return an_officer(Role.SECURITY_ADMIN, ROOT, at=S1_NOW, purpose=Purpose.ADMINISTRATION)


def a_grant(**changes: Any) -> GrantDraft:
    day = legal_day(S1_NOW)
    given: dict[str, Any] = {
        "id": random_id(), "auditor_login": "auditor-1", "area": ROOT, "order_no": "", "from_on": day,
        "until_on": day, "reason": "年度抽查", "last_day": day + timedelta(days=30),
    }  # fmt: skip
    return GrantDraft(**{**given, **changes})


def of_order(order: IsolationOrder) -> GrantDraft:
    return a_grant(order_no=order.order_no, from_on=None, until_on=None)


def test_a_grant_is_dated_about_one_thing_and_stands_in_the_chain(
    made: list[IsolationOrder], auditor: Actor
) -> None:
    draft = of_order(made[0])
    grant = actions.give_grant(draft, by=giver())
    assert actions.give_grant(draft, by=giver()).pk == grant.pk
    view = ledger.entry_view(grant.entry_id)
    assert view["kind"] == "audit:grant:given"
    assert made[0].order_no not in json.dumps(view)
    for refused, changed in [
        (NotAnAuditor, a_grant(auditor_login="nobody")),
        (NoSuchOrder, a_grant(order_no="X", from_on=None, until_on=None)),
        (GrantOver, a_grant(last_day=legal_day(S1_NOW) - timedelta(days=1))),
    ]:
        with pytest.raises(refused):
            actions.give_grant(changed, by=giver())
    with pytest.raises(NotAllowed):
        actions.give_grant(a_grant(), by=auditor)

    assert actions.held(grant.pk, by=auditor) == grant
    with pytest.raises(GrantOver):
        actions.held(grant.pk, by=replace(auditor, at=grant.ends_at))
    with pytest.raises(NotFound):
        actions.held(grant.pk, by=an_officer(Role.AUDITOR, ROOT, at=S1_NOW, purpose=Purpose.AUDIT))
    with pytest.raises(IntegrityError), transaction.atomic():
        Grant.objects.filter(pk=grant.pk).update(reason="another")


def test_the_evidence_is_checked_without_us(
    made: list[IsolationOrder], auditor: Actor, tmp_path: Path
) -> None:
    grant = actions.give_grant(a_grant(), by=giver())
    actions.ask_sample(random_id(), grant.pk, count=2, by=auditor)
    sequencer.run_once(S1_NOW)
    content = bundle(grant, at=S1_NOW)
    assert content == bundle(grant, at=S1_NOW)
    tmp_path = tmp_path / "evidence"
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(tmp_path)
    policy = Policy.parse((tmp_path / "strict-policy.txt").read_text())
    papers = sorted((tmp_path / "proofs").glob("*.txt"))
    assert len(papers) >= 8  # six orders, the grant, the request, the keys announced
    for paper in papers:
        code, words = say(paper.read_bytes(), policy)
        assert code == PROVED, words
    checked = subprocess.run(
        [sys.executable, "-I", "check.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout
    assert "sample of 2 from 6" in checked.stdout
    # What was altered is found by it.
    entry = next((tmp_path / "entries").glob("*.cbor"))
    entry.write_bytes(entry.read_bytes()[:-1] + bytes([entry.read_bytes()[-1] ^ 1]))
    again = subprocess.run([sys.executable, "-I", "check.py"], cwd=tmp_path, capture_output=True, check=False)
    assert again.returncode == 1
    for secret in ("罗小娟", *(o.order_no for o in made), *(str(o.person_id) for o in made)):
        assert secret.encode() not in b"".join(f.read_bytes() for f in tmp_path.rglob("*") if f.is_file())


def unpacked(grant: Grant, folder: Path) -> Path:
    folder.mkdir()
    with zipfile.ZipFile(io.BytesIO(bundle(grant, at=S1_NOW))) as archive:
        archive.extractall(folder)
    return folder


def run_check(folder: Path) -> tuple[int, str]:
    """What `check.py` of a bundle says, without anything of ours."""
    done = subprocess.run(
        [sys.executable, "-I", "check.py"], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


def test_the_two_checkpoints_of_one_orders_bundle_are_checked_for_consistency(
    made: list[IsolationOrder], auditor: Actor, tmp_path: Path
) -> None:
    """From the first checkpoint that holds the order to the newest one."""
    grant = actions.give_grant(of_order(made[0]), by=giver())
    for at in (S1_NOW, S1_NOW + timedelta(minutes=1)):
        with scope(areas=[ROOT]):
            late = a_household("罗小娟", area=a_dwelling(f"5-3-01{at.minute:02d}"))
            orders.issue_isolation(a_draft(late[0]), by=officer(Role.CDC))
        sequencer.run_once(at)
    first, newest = ledger.first_witnessed_root(made[0].entry_id), ledger.newest_witnessed()
    assert first is not None
    assert newest is not None
    folder = unpacked(grant, tmp_path / "good")
    assert (folder / "checkpoints/first.txt").read_bytes() == first.note
    assert (folder / "checkpoints/last.txt").read_bytes() == newest.note
    code, said = run_check(folder)
    assert (code, f"ok  consistency of {first.size} and {newest.size}" in said) == (0, True), said

    between = folder / "checkpoints/consistency.txt"
    good = between.read_text()
    head, _, note = good.partition("\n\n")
    old, *proof = head.split("\n")
    assert len(proof) >= 2
    altered = bytearray(base64.b64decode(proof[-1]))
    altered[7] ^= 1
    wrong = {
        "one byte of the proof": [*proof[:-1], base64.b64encode(altered).decode()],
        "a hash missing": proof[:-1],
        "a hash too many": [*proof, proof[0]],
    }
    for what, changed in wrong.items():
        between.write_text("\n".join([old, *changed]) + "\n\n" + note)
        assert run_check(folder)[0] == 1, what
    between.unlink()
    assert run_check(folder)[0] == 1, "no proof at all"
    between.write_text(good)
    assert run_check(folder)[0] == 0
    lines = first.note.decode().split("\n")
    forged = base64.b64encode(bytes(32)).decode()
    (folder / "checkpoints/first.txt").write_text("\n".join([*lines[:2], forged, *lines[3:]]))
    assert run_check(folder)[0] == 1, "another root of that size"


def test_of_a_destroyed_order_the_bundle_has_the_notices_of_the_erasure(
    made: list[IsolationOrder], auditor: Actor, tmp_path: Path
) -> None:
    """What was destroyed can still be audited: the acts, that their details were erased, and that the case went."""
    with connection.cursor() as cursor:  # what waits for the commit; in life years lie between
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    after = S1_END + CASE_KEPT_FOR
    assert orders.destroy_ended(by=system_actor("term", after, ()), limit=1) == 1
    gone = next(o for o in made if o.pk not in _still_there(made))
    number, entry = gone.order_no, gone.entry_id
    sequencer.run_once(S1_NOW)
    grant = actions.give_grant(a_grant(order_no=number, from_on=None, until_on=None), by=giver())
    kinds = [r.kind for r in queries.entries_of(grant)]
    assert kinds[0] == "orders:isolation:issued"
    assert sorted(kinds[1:]) == ["ledger:disclosures:erased", "orders:case:destroyed"]
    folder = unpacked(grant, tmp_path / "gone")
    views = [json.loads(f.read_text()) for f in (folder / "entries").glob("*.json")]
    assert {v["kind"] for v in views} == {*kinds}
    assert run_check(folder)[0] == 0
    assert queries.cases_of(grant, S1_NOW) == []  # nobody is left to be opened
    assert entry in {r.id for r in queries.entries_of(grant)}


def _still_there(made: list[IsolationOrder]) -> list[UUID]:
    with scope(areas=[ROOT]):
        return list(type(made[0]).objects.values_list("pk", flat=True))


def test_the_seed_comes_after_the_request_and_anybody_repeats_the_draw(
    made: list[IsolationOrder], auditor: Actor
) -> None:
    grant = actions.give_grant(a_grant(), by=giver())
    actions.ask_sample(key := random_id(), grant.pk, count=2, by=auditor)
    waiting = queries.draw_of(grant)
    assert waiting is not None
    assert (waiting.seed, waiting.drawn) == (b"", ())
    with scope(areas=[ROOT]):  # an order after the request is not part of the population
        late = a_household("罗小娟", area=a_dwelling("5-3-0101"))
        orders.issue_isolation(a_draft(late[0]), by=officer(Role.CDC))
    sequencer.run_once(S1_NOW)
    found = queries.draw_of(grant)
    assert found is not None
    assert found.request_index is not None
    assert found.seed_size > found.request_index
    leaves = [r.leaf for r in found.population]
    assert len(leaves) == 6
    by_hand = sorted(leaves, key=lambda x: hashlib.sha256(b"lianfang-sample/v1\n" + found.seed + x).digest())[
        :2
    ]
    assert {r.leaf for r in found.drawn} == set(by_hand) == set(draw(found.seed, leaves, 2))
    assert actions.ask_sample(key, grant.pk, count=2, by=auditor).pk == key
    with pytest.raises(DrawnAlready):
        actions.ask_sample(random_id(), grant.pk, count=5, by=auditor)


def test_a_grant_and_a_sample_in_the_table_or_in_the_chain_alone_are_found(
    made: list[IsolationOrder], auditor: Actor
) -> None:
    """L-5, whatever was done past every act and trigger."""
    grant = actions.give_grant(a_grant(), by=giver())
    sample = actions.ask_sample(random_id(), grant.pk, count=2, by=auditor)
    assert chain_rows.chain_faults() == []
    past_the_triggers("UPDATE audit_sample SET entry_id = %s WHERE id = %s", grant.entry_id, sample.pk)
    lone = f"entry {sample.entry_id} (audit:sample:asked): there is no row of {sample.pk}"
    assert chain_rows.chain_faults() == [f"audit:sample:asked {sample.pk}: the chain does not hold it", lone]
    past_the_triggers("DELETE FROM audit_sample WHERE id = %s", sample.pk)
    assert chain_rows.chain_faults() == [lone]
    past_the_triggers("DELETE FROM audit_grant WHERE id = %s", grant.pk)
    assert chain_rows.chain_faults() == [
        f"entry {grant.entry_id} (audit:grant:given): there is no row of {grant.pk}", lone,
    ]  # fmt: skip


def test_an_identity_is_opened_for_a_reason_that_the_person_sees(
    made: list[IsolationOrder], auditor: Actor
) -> None:
    grant = actions.give_grant(of_order(made[0]), by=giver())
    found = actions.open_identity(grant.pk, made[0].entry_id, reason="核对送达签名", by=auditor)
    assert found.name == "罗小娟"
    with scope(areas=[ROOT]):
        record = ReadRecord.objects.filter(person=made[0].person_id).latest("at")
    assert (record.purpose, record.reason, record.pseudonym) == ("audit", "核对送达签名", auditor.pseudonym)
    with pytest.raises(NotInSubject):
        actions.open_identity(grant.pk, made[1].entry_id, reason="顺便看看", by=auditor)
    with pytest.raises(GrantOver):
        actions.open_identity(
            grant.pk, made[0].entry_id, reason="过期之后", by=replace(auditor, at=grant.ends_at)
        )
    with scope(areas=[ROOT]):
        assert not ReadRecord.objects.filter(person=made[1].person_id, purpose="audit").exists()


def test_a_late_release_notice_is_a_finding_and_the_pages_show_it(
    made: list[IsolationOrder], auditor: Actor
) -> None:
    grant = actions.give_grant(of_order(made[0]), by=giver())
    late = S1_END + timedelta(hours=31)
    client = log_in(User.objects.get(pk=auditor.user_id))
    with clock.fixed(late):
        client = log_in(User.objects.get(pk=auditor.user_id))
        page = client.get(f"/desk/audit/{grant.pk}/").content.decode()
    assert "迟 31 小时" in page
    assert "已到期自动解除" in page
    assert "罗小娟" not in page
    assert made[0].order_no in page
    client = log_in(User.objects.get(pk=auditor.user_id))
    opened = client.post(
        f"/desk/audit/{grant.pk}/identity/{made[0].entry_id}/", {"reason": "核对送达签名"}
    ).content.decode()
    assert "罗小娟" in opened
    assert client.get(f"/desk/audit/{grant.pk}/evidence.zip")["Content-Type"] == "application/zip"


def test_a_case_says_whether_it_runs_was_lifted_or_ended_by_itself(
    made: list[IsolationOrder], auditor: Actor
) -> None:
    with scope(areas=[ROOT]):
        orders.lift_isolation(
            LiftDraft(id=random_id(), order_id=made[1].pk, reason="行程核实有误"), by=officer(Role.CDC)
        )
    running, lifted = (actions.give_grant(of_order(order), by=giver()) for order in made[:2])
    before, after = S1_END - timedelta(seconds=1), S1_END
    assert [queries.cases_of(running, at)[0].end for at in (before, after)] == ["running", "ended"]
    assert [queries.cases_of(lifted, at)[0].end for at in (before, after)] == ["lifted", "lifted"]
    client = log_in(User.objects.get(pk=auditor.user_id))
    for grant, words in ((running, "正在执行"), (lifted, "已提前解除")):
        assert words in client.get(f"/desk/audit/{grant.pk}/").content.decode()


def test_late_is_what_the_organ_itself_calls_late() -> None:
    """The desk's pile of late notices and the auditor's finding begin at the same instant."""
    assert late_hours(S1_END, None, S1_END + NOTICE_LATE_AFTER) == 0
    assert late_hours(S1_END, S1_END + NOTICE_LATE_AFTER + timedelta(hours=1), S1_END) == 13


def test_consistency_between_any_two_days(made: list[IsolationOrder], auditor: Actor) -> None:
    first = ledger.newest_witnessed()
    with scope(areas=[ROOT]):
        late = a_household("罗小娟", area=a_dwelling("5-3-0101"))
        orders.issue_isolation(a_draft(late[0]), by=officer(Role.CDC))
    day = timedelta(days=1)
    sequencer.run_once(S1_NOW + day)
    client = log_in(User.objects.get(pk=auditor.user_id))
    today = legal_day(S1_NOW)
    page = client.get("/desk/audit/", {"older": f"{today}", "newer": f"{today + day}"}).content.decode()
    assert "一致：较早的账是较晚的账的开头" in page
    swapped = client.get("/desk/audit/", {"older": f"{today + day}", "newer": f"{today}"}).content.decode()
    assert "两天填反了" in swapped
    assert "对不上" not in swapped  # a slip of the hand is no fork
    assert "一致：" in client.get("/desk/audit/", {"older": f"{today}", "newer": f"{today}"}).content.decode()
    then = ledger.newest_witnessed()
    assert first is not None
    assert then is not None
    assert ledger.are_consistent(first, then)
    forged = replace(first, root=b"\1" * 32)
    assert not ledger.are_consistent(forged, then)
    assert client.get(f"/open/chain/consistency/{first.size}/{then.size}").content.startswith(b"old ")
    assert client.get(f"/open/chain/checkpoint/{first.size}").content == first.note
    assert client.get("/open/chain/checkpoint/999").status_code == 404


def another_chain(parties: Any, settings: Any) -> None:  # noqa: F811 - the fixture
    """The chain ends, for a new key of the log, and the next one is witnessed."""
    ended = publication.published_checkpoint()
    former = restart.begin(restart.proof_of_end(ended), origin="lianfang.example/next", reason="演练",
                           by=an_actor(S1_NOW, organ="command"))  # fmt: skip
    restart.finish(former, ended)
    settings.LIANFANG_CHAIN_ORIGIN = "lianfang.example/next"
    restart.resume()
    for party in parties:
        party.stop()
        party.folder = party.folder / "next"
        party.start()
    sequencer.run_once(S1_NOW + timedelta(days=1))


def test_what_a_sample_drew_is_the_same_after_the_chain_was_begun_anew(
    made: list[IsolationOrder],
    auditor: Actor,
    parties: Any,  # noqa: F811  # the fixture
    settings: Any,
) -> None:
    grant = actions.give_grant(a_grant(), by=giver())
    actions.ask_sample(random_id(), grant.pk, count=2, by=auditor)
    assert actions.keep_draws(at=S1_NOW) == 0  # no seed yet
    sequencer.run_once(S1_NOW)
    before, seen = queries.draw_of(grant), queries.cases_of(grant, S1_NOW)
    assert before is not None
    assert before.seed
    assert [actions.keep_draws(at=S1_NOW) for _ in range(2)] == [1, 0]
    another_chain(parties, settings)
    after = queries.draw_of(grant)
    assert after is not None
    assert (after.log, after.seed, after.seed_size, after.request_index) == (
        before.log, before.seed, before.seed_size, before.request_index,
    )  # fmt: skip
    assert [r.id for r in after.drawn] == [r.id for r in before.drawn]
    assert {r.leaf for r in after.population} == {r.leaf for r in before.population}
    assert {c.entry_id for c in queries.cases_of(grant, S1_NOW)} == {c.entry_id for c in seen}
    anew = ledger.first_witnessed_root(after.sample.entry_id)
    assert anew is not None
    assert anew.root != before.seed  # it would have been another
    assert chain_rows.chain_faults() == []
    past_the_triggers("UPDATE audit_drawn SET entries = entries[1:1]")
    assert chain_rows.chain_faults() == [
        f"sample {after.sample.pk}: its seed draws others than those written down"
    ]
    past_the_triggers(
        "UPDATE audit_drawn SET seed = %s", bytes(32)
    )  # it may draw the same, and is not the root
    wrong = (
        f"sample {after.sample.pk}: its seed is not the root of {before.seed_size} entries that was signed"
    )
    assert wrong in chain_rows.chain_faults()
    with pytest.raises(IntegrityError), transaction.atomic():
        Drawn.objects.update(seed=before.seed)


def test_between_two_days_with_two_chains_the_page_says_so_and_cries_no_fork(
    made: list[IsolationOrder],
    auditor: Actor,
    parties: Any,  # noqa: F811  # the fixture
    settings: Any,
) -> None:
    another_chain(parties, settings)
    day, today = timedelta(days=1), legal_day(S1_NOW)
    client = log_in(User.objects.get(pk=auditor.user_id))
    page = client.get("/desk/audit/", {"older": f"{today}", "newer": f"{today + day}"}).content.decode()
    assert "两天之间换了账" in page
    assert "对不上" not in page
    assert "还没有经过足够见证" not in page
    linked = re.findall(r'href="(/open/chain/[^"]*)"', page)
    assert len(linked) == 4
    assert {client.get(address).status_code for address in linked} == {200}
    same = client.get("/desk/audit/", {"older": f"{today}", "newer": f"{today}"}).content.decode()
    assert "一致：" in same
    grant = actions.give_grant(a_grant(from_on=today + day, until_on=today + day), by=giver())
    with zipfile.ZipFile(io.BytesIO(bundle(grant, at=S1_NOW))) as archive:
        names = archive.namelist()
    assert {n for n in names if n.startswith("checkpoints/")} == {
        "checkpoints/first.txt",
        "checkpoints/last.txt",
    }
    kept = {n.rpartition("/")[2] for n in names if n.startswith("former/")}
    assert kept == {"evidence.txt", "checkpoint", "policy.txt"}
