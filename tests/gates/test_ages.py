"""How old evidence may be: said by a signed act, in force until the next, and told by the verdicts at the gates."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse

from lianfang.accounts.rights import Right, Role
from lianfang.credentials import actions as credentials
from lianfang.credentials import queries as passes
from lianfang.gates import ages, chain_rows, jobs, policy, queries, rule_acts
from lianfang.gates.errors import AgesAsBefore, AgesOutOfBounds
from lianfang.gates.models import AgesAct, RuleFile
from lianfang.kernel import clock, ids
from lianfang.kernel.actor import Grant
from lianfang.kernel.errors import NotAllowed, SameIdOtherContent
from lianfang.ledger import queries as ledger
from lianfang.ledger.models import Entry
from lianfang_chain.entry import Entry as ChainEntry
from lianfang_pass import cose, rules, scan
from lianfang_pass.claims import RULES, Claims
from lianfang_pass.keylist import FILE_HEADERS
from lianfang_pass.statuslist import accept_list
from tests.factories.accounts import an_organ, client_for
from tests.factories.credentials import HOME, SHARD, a_draft, keys_held
from tests.factories.credentials import by as actor_by
from tests.factories.places import a_compound, a_district
from tests.faults.test_orders_races import at_once

from . import test_rule_acts
from .asgi import request
from .test_front import a_gate, enrolled, run

pytestmark = pytest.mark.django_db
NOW = clock.now().replace(microsecond=0)
BASIS = "技术方案第五版（示例）"


@pytest.fixture
def district() -> str:
    path = a_district()
    credentials.rotate_keys(NOW - timedelta(days=2))
    an_organ("command", code="zhb-test")
    return path


def lead(*, at: datetime = NOW, area: str = "d510402", right: Right = Right.GATES_ACT_SIGN) -> Any:
    by = actor_by(at, grants=frozenset({Grant(right, area, "zhb-test", "command")}))
    return replace(by, user_id=ids.new_id(), organ="zhb-test")


def a_limit(day: int = 36, old: int = 96, **changes: Any) -> ages.AgesDraft:
    return replace(ages.AgesDraft(id=ids.new_id(), day_hours=day, old_hours=old, basis=BASIS), **changes)


def published() -> rules.RuleSet:
    row = RuleFile.objects.order_by("-version")[0]
    return rules.accept_rules(bytes(row.data), keys=keys_held())


def test_they_hold_until_the_next_act_which_names_the_one_before(district: str) -> None:
    jobs.keep(NOW)
    assert published().ages == (24, 72)
    first = ages.set_ages(a_limit(), by=lead())
    jobs.keep(NOW + timedelta(days=1))  # signed anew each day, by nobody who knows of ages
    assert (RuleFile.objects.count(), published().ages) == (3, (36, 96))
    ended = ages.set_ages(a_limit(24, 72), by=lead(at=NOW + timedelta(days=2)))
    assert published().ages == (24, 72)
    assert [act.no for act in queries.ages_acts()] == [2, 1]
    entries = [ChainEntry.parse(ledger.entry_bytes(act.entry_id)).act for act in (first, ended)]
    assert {act.kind for act in entries} == {"gates:ages:set"}
    assert [act.terms for act in entries] == [
        {"no": 1, "day_hours": 36, "old_hours": 96},
        {"no": 2, "day_hours": 24, "old_hours": 72},
    ]
    assert [act.prior is None for act in entries] == [True, False]
    assert chain_rows.chain_faults() == []


def test_the_same_draft_again_is_the_same_act(district: str) -> None:
    draft, by = a_limit(), lead()
    act = ages.set_ages(draft, by=by)
    ages.set_ages(a_limit(24, 72), by=by)
    assert ages.set_ages(draft, by=by) == act  # and it does not come in force again
    assert published().ages == (24, 72)
    for other in (replace(draft, day_hours=12), replace(draft, basis="另一条")):
        with pytest.raises(SameIdOtherContent):
            ages.set_ages(other, by=by)
    assert (AgesAct.objects.count(), Entry.objects.count()) == (2, 2)


def test_who_may_not_and_what_is_refused(district: str) -> None:
    for by in (
        lead(area="d510402.s510402003"),  # the rules are every gate's
        lead(right=Right.GATES_ACT_PROPOSE),
    ):
        with pytest.raises(NotAllowed):
            ages.set_ages(a_limit(), by=by)
    for day, old in ((11, 72), (73, 96), (24, 169), (23, 23), (36, 36), (72, 48)):
        with pytest.raises(AgesOutOfBounds):
            ages.set_ages(a_limit(day, old), by=lead())
    with pytest.raises(AgesAsBefore):
        ages.set_ages(a_limit(24, 72), by=lead())
    assert not AgesAct.objects.exists()
    assert not Entry.objects.exists()
    assert not RuleFile.objects.exists()
    ages.set_ages(a_limit(), by=lead())
    with pytest.raises(AgesAsBefore):
        ages.set_ages(a_limit(), by=lead())


@pytest.mark.django_db(transaction=True)
def test_two_signed_at_once_follow_each_other() -> None:
    a_district()
    credentials.rotate_keys(NOW - timedelta(days=2))
    an_organ("command", code="zhb-test")
    twice = a_limit(12, 48)
    made = at_once([partial(ages.set_ages, d, by=lead()) for d in (twice, twice, a_limit(), a_limit(48, 72))])
    assert all(isinstance(act, AgesAct) for act in made), made
    newest, *before = queries.ages_acts()
    assert [act.no for act in (newest, *before)] == [3, 2, 1]
    assert published().ages == (newest.day_hours, newest.old_hours)
    assert chain_rows.chain_faults() == []


@pytest.mark.parametrize(
    ("day", "old", "fit"),
    [(12, 24, True), (72, 168, True), (24, 72, True), (71, 72, True),
     (11, 24, False), (12, 23, False), (73, 168, False), (72, 169, False), (72, 72, False)],
)  # fmt: skip
def test_the_bounds(day: int, old: int, fit: bool) -> None:
    assert policy.ages_fit(day, old) is fit


def test_a_row_that_says_other_hours_than_its_entry_is_found(district: str) -> None:
    act = ages.set_ages(a_limit(), by=lead())
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE gates_agesact DISABLE TRIGGER ages_act_stays_as_said")
        cursor.execute("UPDATE gates_agesact SET day_hours = 60")
        cursor.execute("ALTER TABLE gates_agesact ENABLE TRIGGER ages_act_stays_as_said")
    (fault,) = chain_rows.chain_faults()
    assert str(act.entry_id) in fault


def test_on_the_page_of_acts(district: str) -> None:
    page, form_page = reverse("gates:acts"), reverse("gates:set_ages")
    street, chief = client_for(Role.STREET, a_compound().rsplit(".", 2)[0]), client_for(Role.CMD_LEAD)
    seen = street.get(page).content.decode()
    assert "没有另行签字" in seen
    assert form_page not in seen
    assert form_page in chief.get(page).content.decode()
    form = {"id": str(ids.new_id()), "day_hours": "36", "old_hours": "96", "basis": BASIS}
    assert street.post(form_page, form).status_code == 403
    of_a_part = client_for(Role.CMD_LEAD, "d510402.s510402003")
    assert form_page not in of_a_part.get(page).content.decode()
    assert of_a_part.get(form_page).status_code == of_a_part.post(form_page, form).status_code == 403
    for wrong in (
        {"basis": ""},
        {"day_hours": "11"},
        {"old_hours": "169"},
        {"day_hours": "72", "old_hours": "48"},
    ):
        assert chief.post(form_page, form | wrong).status_code == 422, wrong
    assert not AgesAct.objects.exists()
    for _ in range(2):  # the button was pressed twice
        assert chief.post(form_page, form).status_code == 302
    act = AgesAct.objects.get()
    seen = street.get(page).content.decode()
    assert "超过 36 小时" in seen
    assert BASIS in seen
    assert act.signed_as in seen
    assert reverse("ledger:entry", args=[act.entry_id]) in seen
    assert seen.count('class="lf-chain is-recorded"') == 1
    assert chain_rows.chain_faults() == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_passages")
def test_a_pass_that_was_registered_at_a_list_of_thirty_hours_goes_through_once_command_says_so() -> None:
    """From the form at the desk over the front to the word that the guard reads."""
    a_district()
    gate = a_gate()
    issued = credentials.issue_pass(
        a_draft(valid_from=NOW, valid_until=NOW + timedelta(days=20)), by=actor_by(NOW)
    )
    credentials.publish(SHARD, [], NOW + timedelta(minutes=1))
    jobs.keep(NOW)
    enrol, chief = enrolled(gate), client_for(Role.CMD_LEAD)
    files = passes.files(SHARD)
    assert files is not None
    keys = keys_held()
    held = accept_list(files.whole, files.until, uri=passes.uri(SHARD), keys=keys)

    def verdict() -> tuple[str, str]:
        async def taken() -> bytes:
            device = await enrol()
            return (await device.get(f"/api/v1/gates/{gate.pk}/rules", query="ages=1")).body

        found = scan.look(
            scan.Look((issued.text,), inward=False, device_time=held.signed_at + 30 * 3600),
            gate=scan.Gate(frozenset({HOME})),
            held=scan.Held(keys, {held.uri: held}, rules=rules.accept_rules(run(taken), keys=keys)),
        )
        return found.decision.verdict.name, found.decision.reason

    before = verdict()
    form = {"id": str(ids.new_id()), "day_hours": "36", "old_hours": "96", "basis": BASIS}
    assert chief.post(reverse("gates:set_ages"), form).status_code == 302
    after = verdict()
    assert (
        chief.post(
            reverse("gates:set_ages"), form | {"id": str(ids.new_id()), "day_hours": "24", "old_hours": "72"}
        ).status_code
        == 302
    )
    assert (before[0], after, verdict()) == ("ALLOW_REG", ("ALLOW", "OK"), before)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_passages")
def test_a_client_that_cannot_read_the_ages_hears_of_every_act_and_of_every_lift() -> None:
    a_district()
    gate, compound = a_gate(), a_compound()
    jobs.keep(NOW)
    enrol = enrolled(gate)
    address = f"/api/v1/gates/{gate.pk}/rules"

    def taken() -> tuple[Any, Any]:
        async def story() -> tuple[Any, Any]:
            device = await enrol()
            plain, read = await device.get(address), await device.get(address, query="ages=1")
            held = device.headers() | {"If-None-Match": read.headers["etag"]}
            assert (await request("GET", address, query="ages=1", headers=held)).status == 304
            # An app that was updated in between must not be told that nothing has changed.
            same = (await request("GET", address, headers=held)).status == 304
            assert same is (plain.body == read.body)
            return plain.body, read.body

        plain, read = run(story)
        return plain, read

    def fields(body: bytes) -> set[int]:
        inner = Claims.of(cose.read1(body, protected_keys=FILE_HEADERS)).inner(RULES)
        return {n for n in range(1, 9) if inner.has(n)}

    plain, read = taken()
    assert plain == read
    ages.set_ages(a_limit(), by=lead())
    draft = test_rule_acts.a_draft(compound)
    rule_acts.propose(draft, by=test_rule_acts.proposer())
    rule_acts.sign(draft.id, by=test_rule_acts.signer())
    for lifted in (False, True):
        if lifted:
            rule_acts.lift(draft.id, reason="不再需要", by=test_rule_acts.signer())
        plain, read = taken()
        old, new = (rules.accept_rules(body, keys=keys_held()) for body in (plain, read))
        assert (fields(plain), fields(read)) == ({1, 2, 3}, {1, 2, 3, 4})  # clients 2 and 3 refuse a field 4
        assert (old.ages, new.ages) == ((24, 72), (36, 96))
        assert old.acts == new.acts
        assert (old.version, bool(old.acts)) == (new.version, not lifted)
