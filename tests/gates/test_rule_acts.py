"""Quotas and closed perimeters: nothing counts before another signs it, everything ends by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from lianfang.accounts.rights import Right, Role
from lianfang.credentials import actions as credentials
from lianfang.credentials import queries as keys
from lianfang.gates import chain_rows, jobs, menu, queries, rule_acts
from lianfang.gates.errors import ActOver, ActTooLong, NoCompounds, NoSuchAct, OwnProposal
from lianfang.gates.models import Gate, GateAct, GateActLift, GateActSignature, RuleFile
from lianfang.gates.policy import ActStage, act_stage
from lianfang.kernel import clock, ids
from lianfang.kernel.actor import Grant
from lianfang.kernel.errors import NotAllowed, SameIdOtherContent
from lianfang.ledger.models import Entry
from lianfang_pass.keylist import accept_key_list
from lianfang_pass.rules import RuleSet, accept_rules
from tests.factories.accounts import an_organ, client_for
from tests.factories.credentials import by as actor_by
from tests.factories.ledger import past_the_triggers
from tests.factories.places import a_compound, a_district

pytestmark = pytest.mark.django_db
NOW = clock.now().replace(microsecond=0)
BASIS = "《传染病防治法》第四十二条（示例）"


@pytest.fixture
def compound() -> str:
    a_district()
    credentials.rotate_keys(NOW - timedelta(days=1))
    an_organ("command", code="zhb-test")
    return a_compound()


def somebody(*rights: Right, area: str = "d510402", at: datetime = NOW) -> Any:
    by = actor_by(at, grants=frozenset(Grant(right, area, "zhb-test", "command") for right in rights))
    return replace(by, user_id=ids.new_id(), organ="zhb-test")


def proposer(**changes: Any) -> Any:
    return somebody(Right.GATES_ACT_PROPOSE, Right.GATES_POST_SEE, **changes)


def signer(**changes: Any) -> Any:
    return somebody(Right.GATES_ACT_SIGN, Right.GATES_POST_SEE, **changes)


def a_draft(area: str, **changes: Any) -> rule_acts.ActDraft:
    draft = rule_acts.ActDraft(
        id=ids.new_id(), kind="quota", area=area, starts_at=NOW - timedelta(hours=1), ends_at=NOW + timedelta(days=7),
        classes="HP", times=1, window=2, basis=BASIS, remedy="区指挥部 0812-1990000，60 日内",
    )  # fmt: skip
    return replace(draft, **changes)


def published() -> RuleSet:
    row = RuleFile.objects.order_by("-version")[0]
    root, listed = keys.root_public(), keys.key_list()
    assert listed is not None
    known = accept_key_list(listed[1], root=root, thumbprint=root.thumbprint)
    return accept_rules(bytes(row.data), keys=known)


def test_nothing_counts_before_another_signs_and_it_ends_by_itself(compound: str) -> None:
    act = rule_acts.propose(a_draft(compound), by=proposer())
    jobs.keep(NOW)
    assert published().acts == ()
    by = signer()
    signature = rule_acts.sign(act.pk, by=by)
    assert rule_acts.sign(act.pk, by=by) == signature
    (one,) = published().acts
    assert (one.no, one.zones, one.times, one.window) == (act.no, (compound.rpartition(".")[2],), 1, 2)
    assert one.start == int(NOW.timestamp())  # in force from the signature, not from the start before it
    assert one.end == int(act.ends_at.timestamp())
    entry = Entry.objects.get()
    assert (entry.kind, entry.pk) == ("gates:act:signed", signature.entry_id)
    jobs.keep(act.ends_at + timedelta(days=1))
    assert published().acts == ()


def test_a_fever_at_a_gate_is_what_a_report_calls_a_fever(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs.keep(NOW)
    assert published().fever_tenths == 373
    # Were it another one day, gates would follow with the next set: nothing is carried on from the set before.
    monkeypatch.setattr(rule_acts, "FEVER_FROM", 37.5)
    rule_acts.publish(NOW)
    assert published().fever_tenths == 375


def test_a_later_act_ends_it(compound: str) -> None:
    act = rule_acts.propose(
        a_draft(compound, kind="perimeter", classes="MS", times=0, window=0), by=proposer()
    )
    with pytest.raises(NoSuchAct):
        rule_acts.lift(act.pk, reason="未签", by=signer())
    rule_acts.sign(act.pk, by=signer())
    later = NOW + timedelta(days=2)
    lift = rule_acts.lift(act.pk, reason="疫情解除", by=signer(at=later))
    assert rule_acts.lift(act.pk, reason="再来", by=signer(at=later)) == lift
    assert published().acts == ()
    assert sorted(Entry.objects.values_list("kind", flat=True)) == ["gates:act:lifted", "gates:act:signed"]
    other = rule_acts.propose(a_draft(compound), by=proposer())
    rule_acts.sign(other.pk, by=signer())
    with pytest.raises(ActOver):
        rule_acts.lift(other.pk, reason="晚了", by=signer(at=other.ends_at))


def test_who_may_not_and_what_is_refused(compound: str) -> None:
    draft = a_draft(compound)
    with pytest.raises(NotAllowed):
        rule_acts.propose(draft, by=signer())
    with pytest.raises(NotAllowed):
        rule_acts.propose(draft, by=proposer(area="d510402.s510402002"))
    for wrong, error in (
        (replace(draft, ends_at=draft.starts_at + timedelta(days=14, seconds=1)), ActTooLong),
        (replace(draft, starts_at=NOW - timedelta(days=2), ends_at=NOW), ActOver),
        (replace(draft, area="d510402.s510402009"), NoCompounds),
    ):
        with pytest.raises(error):
            rule_acts.propose(wrong, by=proposer())
    assert not GateAct.objects.exists()
    both = somebody(Right.GATES_ACT_PROPOSE, Right.GATES_ACT_SIGN)
    act = rule_acts.propose(draft, by=both)
    assert rule_acts.propose(draft, by=both) == act
    with pytest.raises(SameIdOtherContent):
        rule_acts.propose(replace(draft, times=2), by=both)
    with pytest.raises(OwnProposal):
        rule_acts.sign(act.pk, by=both)
    with pytest.raises(NoSuchAct):
        rule_acts.sign(act.pk, by=proposer())
    with pytest.raises(NoSuchAct):
        rule_acts.sign(act.pk, by=signer(area="d510402.s510402002"))
    with pytest.raises(ActOver):
        rule_acts.sign(act.pk, by=signer(at=act.ends_at))
    assert not GateActSignature.objects.exists()
    assert not Entry.objects.exists()


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("UPDATE gates_gateact SET ends_at = ends_at + interval '1 day'", "act_stays_as_said"),
        ("DELETE FROM gates_gateactsignature", "act_stays_as_said"),
        ("UPDATE gates_gateactlift SET reason = 'x'", "act_stays_as_said"),
        ("INSERT {signature} SELECT id, now(), proposed_by, 'x', gen_random_uuid() FROM gates_gateact WHERE no = 'Q2'", "act_is_signed_by_another"),
        ("INSERT {signature} SELECT id, ends_at, gen_random_uuid(), 'x', gen_random_uuid() FROM gates_gateact WHERE no = 'Q2'", "act_is_signed_before_its_end"),
        ("INSERT INTO gates_gateactlift (act_id, reason, lifted_at, lifted_by, lifted_as, entry_id) SELECT id, 'x', now(), gen_random_uuid(), 'x', gen_random_uuid() FROM gates_gateact WHERE no = 'Q2'", "only_a_signed_act_is_lifted"),
        ("INSERT {act} VALUES ('perimeter', now(), now() + interval '15 days', 'H', '{{m1}}', 0, 0, 'b')", "act_ends_within_14_days"),
        ("INSERT {act} VALUES ('perimeter', now(), now(), 'H', '{{m1}}', 0, 0, 'b')", "act_ends_after_start"),
        ("INSERT {act} VALUES ('curfew', now(), now() + interval '1 day', 'H', '{{m1}}', 0, 0, 'b')", "act_kind_is_known|quota_leaves"),
        ("INSERT {act} VALUES ('quota', now(), now() + interval '1 day', 'H', '{{m1}}', 0, 1, 'b')", "quota_leaves_a_way_out"),
        ("INSERT {act} VALUES ('quota', now(), now() + interval '1 day', 'H', '{{}}', 1, 1, 'b')", "act_names_its_compounds"),
        ("INSERT {act} VALUES ('quota', now(), now() + interval '1 day', 'H', '{{m1}}', 1, 1, '')", "act_names_basis_and_remedy"),
    ],
)  # fmt: skip
def test_the_schema_has_the_last_word(compound: str, statement: str, name: str) -> None:
    act = rule_acts.propose(a_draft(compound), by=proposer())
    rule_acts.sign(act.pk, by=signer())
    rule_acts.lift(act.pk, reason="试", by=signer(at=NOW + timedelta(hours=1)))
    GateAct.objects.bulk_create([_copy(act)])
    insert = {
        "signature": "INTO gates_gateactsignature (act_id, signed_at, signed_by, signed_as, entry_id)",
        "act": 'INTO gates_gateact (kind, starts_at, ends_at, classes, zones, times, "window", basis, id, no, area,'
        " remedy, proposed_at, proposed_by, proposed_as) SELECT v.kind, v.s, v.e, v.c, v.z::text[], v.t, v.w, v.b,"
        " gen_random_uuid(), 'Q3', 'd510402', 'r', now(), gen_random_uuid(), 'x' FROM (",
    }
    sql = statement.format(**insert)
    if "{act}" in statement:
        sql += ") AS v(kind, s, e, c, z, t, w, b)"
    with pytest.raises(IntegrityError, match=name), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def _copy(act: GateAct) -> GateAct:
    values = {f.attname: getattr(act, f.attname) for f in GateAct._meta.concrete_fields}
    return GateAct(**(values | {"id": ids.new_id(), "no": "Q2"}))


def test_a_stage_is_computed_from_four_instants() -> None:
    hour = timedelta(hours=1)
    times: dict[str, Any] = {
        "starts_at": NOW,
        "ends_at": NOW + 10 * hour,
        "signed_at": None,
        "lifted_at": None,
    }
    for changes, at, wanted in (
        ({}, NOW, ActStage.PROPOSED),
        ({}, NOW + 10 * hour, ActStage.LAPSED),
        ({"signed_at": NOW - hour}, NOW - timedelta(seconds=1), ActStage.TO_COME),
        ({"signed_at": NOW - hour}, NOW, ActStage.IN_FORCE),
        ({"signed_at": NOW + hour}, NOW + hour, ActStage.IN_FORCE),
        ({"signed_at": NOW}, NOW + 10 * hour - timedelta(seconds=1), ActStage.IN_FORCE),
        ({"signed_at": NOW}, NOW + 10 * hour, ActStage.OVER),
        ({"signed_at": NOW, "lifted_at": NOW + hour}, NOW + hour, ActStage.LIFTED),
    ):
        assert act_stage(**{**times, **changes}, at=at) is wanted


def test_on_the_pages_from_proposal_to_end(compound: str) -> None:
    street, lead = client_for(Role.STREET, compound.rsplit(".", 2)[0]), client_for(Role.CMD_LEAD)
    form = {
        "id": str(ids.new_id()), "kind": "quota", "place": compound, "starts_at": "2020-02-10T09:00",
        "ends_at": "2020-02-10T08:00", "classes": ["H", "P"], "times": "1", "window": "2",
        "basis": BASIS, "remedy": "区指挥部",
    }  # fmt: skip
    begins = clock.now().astimezone(clock.LEGAL_ZONE)
    assert street.post(reverse("gates:propose_act"), form).status_code == 422
    form |= {
        "starts_at": f"{begins:%Y-%m-%dT%H:%M}",
        "ends_at": f"{begins + timedelta(days=3):%Y-%m-%dT%H:%M}",
    }
    assert street.post(reverse("gates:propose_act"), form | {"times": ""}).status_code == 422
    assert lead.post(reverse("gates:propose_act"), form).status_code == 403
    answer = street.post(reverse("gates:propose_act"), form)
    assert answer.status_code == 302, answer.content.decode()
    act = GateAct.objects.get()
    sign, lift = (reverse(f"gates:{name}_act", args=[act.pk]) for name in ("sign", "lift"))
    assert sign not in street.get(answer["Location"]).content.decode()
    assert street.post(sign).status_code == 403
    assert act.no in lead.get(reverse("gates:acts")).content.decode()
    assert "待签字" in lead.get("/desk/").content.decode()
    assert sign in lead.get(answer["Location"]).content.decode()
    assert lead.post(sign).status_code == 302
    page = street.get(answer["Location"]).content.decode()
    assert "执行中" in page
    assert "看证明" in page
    assert page.count("已入账，尚未见证") == 1
    assert page.count('class="lf-chain') == 0
    signed = GateActSignature.objects.get().entry_id
    mark = f'<a class="lf-chain is-recorded" href="/open/chain/entry/{signed}/"'
    post = Gate.objects.create(
        id=ids.new_id(), name="北门", kind="compound", area=compound, shards=["510402001"], zones=act.zones,
        phone="0812-1990001",
    )  # fmt: skip
    for address in (reverse("gates:acts"), reverse("gates:post", args=[post.pk])):
        assert mark in street.get(address).content.decode(), address
    assert len(published().acts) == 1
    assert lead.post(lift, {"why": ""}).status_code == 302
    assert not GateActLift.objects.exists()
    assert lead.post(lift, {"why": "不再需要"}).status_code == 302
    page = street.get(answer["Location"]).content.decode()
    assert "已解除" in page
    assert page.count("已入账，尚未见证") == 2
    assert published().acts == ()
    assert chain_rows.chain_faults() == []
    Entry.objects.filter(kind="gates:act:lifted").get()  # so there was something to compare


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("ends_at = ends_at + interval '6 days'", "the chain does not say what the row of entry {entry} says"),
        ("starts_at = starts_at + interval '1 day'", "the chain does not say what the row of entry {entry} says"),
        ("classes = 'H'", "the chain does not say what the row of entry {entry} says"),
        ("times = 3", "the chain does not say what the row of entry {entry} says"),
        ("\"window\" = 7", "the chain does not say what the row of entry {entry} says"),
        ("zones = zones || 'mk99'::text", "act {no}: zones is not what was signed"),
        ("area = 'd510402'", "act {no}: area is not what was signed"),
    ],
)  # fmt: skip
def test_a_signed_act_that_was_changed_past_the_act_is_found(compound: str, change: str, found: str) -> None:
    """It would go into the next rule set for the gates."""
    act = rule_acts.propose(a_draft(compound), by=proposer())
    entry = rule_acts.sign(act.pk, by=signer()).entry_id
    assert chain_rows.chain_faults() == []
    past_the_triggers(f"UPDATE gates_gateact SET {change} WHERE id = %s", act.pk)
    (fault,) = chain_rows.chain_faults()
    assert fault.endswith(found.format(entry=entry, no=act.no))


def test_what_waits_for_a_signature_is_asked_of_others_than_the_proposer(compound: str) -> None:
    both = somebody(Right.GATES_ACT_PROPOSE, Right.GATES_ACT_SIGN, Right.GATES_POST_SEE)
    rule_acts.propose(a_draft(compound), by=both)
    assert queries.acts_to_sign(by=both) == []
    assert len(queries.acts_to_sign(by=signer())) == 1
    assert [t.count for t in menu.todo(signer())] == [1]
