"""What a compound's gate may look up: everybody who lives there, with or without a card; and which lists a post gets."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lianfang.accounts import actions as accounts
from lianfang.accounts.rights import Role
from lianfang.credentials import queries as credentials
from lianfang.gates import actions, jobs, own_store, passes, phones, publisher
from lianfang.gates.forms import GateForm
from lianfang.kernel.ids import new_id
from lianfang.kernel.row_security import set_scope
from lianfang.people import queries as people
from lianfang.people.roster.checking import number_of, room_of
from lianfang_chain import cbor
from lianfang_pass import scan
from lianfang_pass.keylist import accept_key_list
from lianfang_pass.keys import PublicKey
from lianfang_pass.statuslist import accept_list
from lianfang_pass.tokens import Identity, PassClass
from tests.factories.orders import ROOT, S1_NOW, an_incident, an_order, officer, resident
from tests.factories.people import a_household, a_person
from tests.factories.places import a_community, a_compound, a_dwelling

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

pytestmark = pytest.mark.django_db
SOON = S1_NOW + timedelta(minutes=5)


@pytest.fixture
def luo(db: None) -> UUID:
    an_incident()
    set_scope(areas=[ROOT])
    return a_household("罗小娟")[0]


def home_of(person_id: UUID) -> str:
    return people.person_refs([person_id])[person_id].area


def card(person_id: UUID, **changes: Any) -> UUID:
    draft = passes.PaperPassDraft(id=new_id(), person_id=person_id, **changes)
    return passes.give_paper_pass(draft, by=officer(Role.COMMUNITY)).pass_id


def on_phone(person_id: UUID) -> None:
    code = accounts.issue_paper_code(person_id, home_of(person_id), by=officer(Role.COMMUNITY))
    key = PublicKey.of(ec.derive_private_key(12345, ec.SECP256R1()))
    phones.put_on_phone(code, cbor.encode(key.cose()), by=resident(person_id))


def store(at: datetime = S1_NOW) -> dict[int, Any]:
    area = a_compound()
    content = own_store.content((area.rpartition(".")[2],), area, at)
    set_scope(areas=[ROOT])
    return dict(cbor.decode(cbor.encode(content)))  # type: ignore[arg-type]  # a map


def residents(at: datetime = S1_NOW) -> dict[str, list[Any]]:
    """Rows of residents without a card, by initials."""
    return {row[2]: row for row in store(at)[3]}


def at_own_gate(found: scan.StoreRow | None, *, inward: bool, at: datetime) -> tuple[str, str]:
    """What a gate of the compound decides of who was looked up, by the lists as they are published now."""
    _, key_list = credentials.key_list() or (0, b"")
    root = credentials.root_public()
    keys = accept_key_list(key_list, root=root, thumbprint=root.thumbprint)
    (shard,) = credentials.versions()
    files = credentials.files(shard)
    assert files is not None
    uri = credentials.uri(shard)
    held = scan.Held(keys, {uri: accept_list(files.whole, files.until, uri=uri, keys=keys)})
    zone = a_compound().rpartition(".")[2]
    asked = scan.Look([], inward=inward, device_time=int(at.timestamp()), found=found)
    decision = scan.look(asked, gate=scan.Gate(frozenset({zone})), held=held).decision
    return decision.verdict.value, decision.reason


def as_found(row: list[Any]) -> scan.StoreRow:
    door, member_no, initials, birth_year, uri, index, letter = row
    return scan.StoreRow(None, uri, index, PassClass(letter), Identity(door, member_no, initials, birth_year))


def test_whoever_has_only_a_phone_is_found_at_the_own_door_and_under_an_order_too(luo: UUID) -> None:
    on_phone(luo)
    (row,) = residents().values()
    facts = people.pass_facts([luo])[luo]
    assert row[:4] == [facts.door, facts.member_no, facts.initials, facts.birth_year]
    assert store()[2] == []
    publisher.run_once(S1_NOW)
    assert at_own_gate(as_found(row), inward=True, at=S1_NOW) == ("ALLOW_REG", "NUMBER_ONLY")
    an_order(luo, at=SOON)
    publisher.run_once(SOON)
    set_scope(areas=[ROOT])
    # The phone has fallen silent for longer than its pass lives; its row still says it.
    later = SOON + timedelta(days=5)
    assert residents(later)[facts.initials] == row
    assert at_own_gate(as_found(row), inward=False, at=SOON) == ("DENY", "ORDER_IN_FORCE")
    assert at_own_gate(as_found(row), inward=True, at=SOON) == ("ALLOW_REG", "ORDER_HOMEWARD")


def test_who_never_had_a_pass_is_registered_at_the_own_gate_and_never_just_let_pass(luo: UUID) -> None:
    """KNOWN (docs/gates.md): no list speaks of them, so an order of theirs is seen by its slip alone."""
    card(a_person("赵一", area=a_dwelling("5-1-0101")))
    an_order(luo, at=SOON)
    publisher.run_once(SOON)
    set_scope(areas=[ROOT])
    row = residents(SOON)[people.pass_facts([luo])[luo].initials]
    assert row[4:6] == [None, None]
    for inward in (True, False):
        assert at_own_gate(as_found(row), inward=inward, at=SOON) == ("ALLOW_REG", "NUMBER_ONLY")
        # A number that nobody has, or nothing at all: the guard calls the community.
        assert at_own_gate(None, inward=inward, at=SOON) == ("CALL", "NO_PASS")


def test_a_card_that_is_over_or_withdrawn_can_be_typed_for_31_days(luo: UUID) -> None:
    first = card(luo)
    second = card(luo)  # the first is withdrawn with it
    publisher.run_once(S1_NOW)
    of = credentials.passes_by_id([first, second])
    assert [row[0] for row in store()[2]] == [of[second].pass_no]
    ((number, uri, index, *_, ended),) = store()[4]
    assert (number, index, ended) == (of[first].pass_no, of[first].index, int(S1_NOW.timestamp()))
    found = scan.StoreRow(number, uri, index, PassClass.PERSON, Identity("5-2-0603", 1, "LXJ", 1986), ended)
    assert at_own_gate(found, inward=False, at=SOON) == ("ALLOW_REG", "PASS_INVALID")

    over = of[second].valid_until
    assert [row[0] for row in store(over)[4]] == [of[second].pass_no]
    assert store(over - timedelta(seconds=1))[4][0][0] == of[first].pass_no
    found = replace(found, index=of[second].index, ended_at=int(over.timestamp()))
    assert at_own_gate(found, inward=True, at=over)[0] == "ALLOW_REG"
    assert store(over + timedelta(days=31))[4] == []
    # Whose card is over lives there still, and is found by door and year.
    assert [row[5] for row in store(over)[3]] == [of[second].index]


def test_a_member_of_a_household_with_one_card_is_found_by_the_own_year(luo: UUID) -> None:
    household = people.person_refs([luo])[luo].household_id
    child = a_person("罗大同", area=home_of(luo), household_id=household, born=date(2013, 3, 1))
    shared = card(luo, for_household=True)
    index = credentials.passes_by_id([shared])[shared].index
    rows = store()
    assert [(row[0], row[7]) for row in rows[2]] == [
        (credentials.passes_by_id([shared])[shared].pass_no, None)
    ]
    assert {(row[1], row[3], row[5], row[6]) for row in rows[3]} == {
        (facts.member_no, facts.birth_year, index, "H") for facts in people.pass_facts([luo, child]).values()
    }


def test_the_store_holds_who_lives_there_and_nobody_else_and_no_more_than_a_guard_compares(luo: UUID) -> None:
    a_person("王大发", area=a_dwelling("1-1-0101", compound=a_compound(name="和谐家园")))
    nobody = a_person("何桂英", area=a_dwelling("5-2-0604"), born=None)
    rows = store()
    assert [row[2] for row in rows[3]] == [people.pass_facts([pk])[pk].initials for pk in (luo, nobody)]
    assert {len(row) for row in rows[3]} == {7}
    assert rows[3][1][3:] == [None, None, None, "P"]
    assert store() == rows, "the same people are the same bytes, or every poll would carry them"
    assert own_store.content((), ROOT, S1_NOW) == {1: 1, 2: [], 3: [], 4: []}


def test_the_store_takes_the_same_questions_for_one_resident_and_for_many(luo: UUID) -> None:
    with CaptureQueriesContext(connection) as one:
        store()
    for n in range(12):
        card(a_person("罗大同", area=a_dwelling(f"5-1-{n:04d}")))
    with CaptureQueriesContext(connection) as many:
        store()
    assert len(many) == len(one)


@pytest.mark.parametrize("kind", ["road", "venue", "site", "compound"])
def test_a_post_where_people_of_every_street_come_gets_every_list(luo: UUID, kind: str) -> None:
    card(luo)
    other = a_compound(a_community("510402002001"), "北区工地")
    place = a_compound() if kind == "compound" else a_community("510402002001")
    form = GateForm(
        {"id": str(new_id()), "name": "卡口", "kind": kind, "place": place, "phone": "0812-1990000"},
        places=[(place, "某处"), (other, "北区工地")],
    )
    assert form.is_valid()
    by = officer(Role.CMD_DUTY)
    gate = actions.set_up_gate(form.draft(), by=by)
    # The home's list has a pass in it; the post's own street has none yet.
    assert set(gate.shards) == ({"510402001"} if kind == "compound" else {"510402001", "510402002"})

    # A street whose first pass comes later is there within a minute, for every device of the post.
    actions.set_up_gate(replace(form.draft(), id=new_id(), shards=("510402005",)), by=by)
    jobs.widen_lists()
    gate.refresh_from_db()
    assert ("510402005" in gate.shards) == (kind != "compound")


def test_the_roster_and_the_gates_keep_doors_in_one_form() -> None:
    cases = json.loads((Path(__file__).parents[2] / "vectors" / "doors.json").read_text())["cases"]
    for typed, door in cases:
        *above, room = typed.replace("－", "-").split("-")
        assert "-".join([*(number_of(part) for part in above), room_of(room)]) == door
