"""Cards for a whole compound: everybody without one, once, in the order of the doors; and all of them withdrawn."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from lianfang.accounts.rights import Role
from lianfang.credentials import queries as credentials
from lianfang.credentials.models import Pass
from lianfang.gates import chain_rows, passes, publisher, rounds
from lianfang.gates.errors import NobodyWithoutPass, NoCompounds, NoSuchRound
from lianfang.gates.models import PassRound, PassRoundEnd
from lianfang.kernel import clock
from lianfang.kernel.errors import NotAllowed, SameIdOtherContent
from lianfang.kernel.ids import new_id
from lianfang.kernel.row_security import set_scope
from lianfang.ledger import queries as ledger
from lianfang.ledger.models import Entry
from lianfang_chain.entry import Entry as Leaf
from lianfang_pass.statuslist import ListStatus
from lianfang_pass.tokens import Flag, read_pass
from tests.factories.accounts import client_for
from tests.factories.ledger import past_the_triggers
from tests.factories.orders import ROOT, S1_NOW, an_incident, an_order, community_of, officer
from tests.factories.people import a_dwelling, a_household

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

BASIS = "区指挥部第 3 号通告（示例）"


@pytest.fixture(autouse=True)
def at_s1(db: None) -> Iterator[None]:
    with clock.fixed(S1_NOW):
        an_incident()
        set_scope(areas=[ROOT])
        yield


@pytest.fixture
def living() -> list[UUID]:
    """Three households of one compound, in no order of their doors."""
    return [p for door in ("10-1-0101", "2-1-0101", "2-1-0302") for p in a_household(area=a_dwelling(door))]


@pytest.fixture
def compound(living: list[UUID]) -> str:
    return a_dwelling("2-1-0101").partition(".b")[0]


def community(**changes: Any) -> Any:
    return replace(officer(Role.COMMUNITY), **changes)


def a_draft(area: str, **changes: Any) -> rounds.RoundDraft:
    return replace(rounds.RoundDraft(id=new_id(), area=area, basis=BASIS), **changes)


def test_everybody_without_a_card_gets_one_and_nobody_two(compound: str, living: list[UUID]) -> None:
    passes.give_paper_pass(
        passes.PaperPassDraft(id=new_id(), person_id=living[0]), by=officer(Role.COMMUNITY)
    )
    ill = living[1]
    an_order(ill)
    publisher.run_once(S1_NOW)  # it has followed the order before the card is made
    assert rounds.count(compound, by=community()) == (len(living), len(living) - 1)
    made = rounds.give_passes(a_draft(compound), by=community())
    assert made.count == len(living) - 1
    held = credentials.passes_of(living)
    assert sorted(p.holder_id for p in held) == sorted(living)
    doors = [p.door for p in rounds.passes_of(made)]
    assert doors == sorted(doors, key=lambda door: [int(n) for n in door.split("-")])
    assert doors[-1] == "10-1-0101"
    for found in rounds.passes_of(made):
        claims = read_pass(credentials.token(found.id)).claims
        assert claims.zones == (compound.rpartition(".")[2],)
        assert claims.flags == Flag.PAPER
        assert claims.expires_at - claims.issued_at == 31 * 86_400
    # The order holds for the new card, and for nobody else's.
    publisher.run_once(S1_NOW)
    stated = credentials.statuses(rounds.passes_of(made))
    suspended = {
        p.holder_id for p in rounds.passes_of(made) if stated.get(p.id, (None,))[0] is ListStatus.SUSPENDED
    }
    assert suspended == {ill}


def test_the_chain_says_how_many_and_names_nobody(compound: str) -> None:
    made = rounds.give_passes(a_draft(compound), by=community())
    ended = rounds.withdraw_passes(made.pk, reason="打印件被盗", by=community())
    given, withdrawn = (Leaf.parse(ledger.entry_bytes(pk)).act for pk in (made.entry_id, ended.entry_id))
    assert given.terms == {
        "classes": "P",
        "count": made.count,
        "until": made.valid_until.isoformat(timespec="seconds"),
    }
    assert withdrawn.terms == {"classes": "P", "count": made.count}
    assert withdrawn.prior == Entry.objects.get(pk=made.entry_id).leaf_hash
    assert (given.basis, withdrawn.basis) == (BASIS, BASIS)
    # Three households are fewer than five, so it names the next larger place.
    assert given.scope == community_of(compound)


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("gates_passround", "count = count + 1"),
        ("gates_passround", "valid_until = valid_until + interval '1 day'"),
        ("gates_passroundend", "count = count - 1"),
    ],
)
def test_a_round_that_was_changed_past_the_act_is_found(compound: str, table: str, change: str) -> None:
    made = rounds.give_passes(a_draft(compound), by=community())
    ended = rounds.withdraw_passes(made.pk, reason="打印件被盗", by=community())
    assert chain_rows.chain_faults() == []
    own = "id" if table == "gates_passround" else "round_id"
    past_the_triggers(f"UPDATE {table} SET {change} WHERE {own} = %s", made.pk)
    (fault,) = chain_rows.chain_faults()
    entry = made.entry_id if own == "id" else ended.entry_id
    assert fault.endswith(f"the chain does not say what the row of entry {entry} says")


def test_a_repeat_gives_the_same_and_a_next_round_waits_for_the_last_week(compound: str) -> None:
    draft = a_draft(compound)
    made = rounds.give_passes(draft, by=community())
    assert rounds.give_passes(draft, by=community()) == made
    with pytest.raises(SameIdOtherContent):
        rounds.give_passes(replace(draft, basis="另一个依据"), by=community())
    with pytest.raises(NobodyWithoutPass):
        rounds.give_passes(a_draft(compound), by=community())
    week = made.valid_until - rounds.RENEWED_BEFORE
    with pytest.raises(NobodyWithoutPass):
        rounds.give_passes(a_draft(compound), by=community(at=week - timedelta(seconds=1)))
    again = rounds.give_passes(a_draft(compound), by=community(at=week))
    assert again.count == made.count
    # Nobody is without a card in between: the old one stays good until its end.
    assert {p.revoked_at for p in rounds.passes_of(made)} == {None}
    assert Entry.objects.filter(kind="gates:passes:given").count() == 2


def test_a_withdrawn_round_is_no_proof_at_the_gate_and_is_said_once(
    compound: str, living: list[UUID]
) -> None:
    made = rounds.give_passes(a_draft(compound), by=community())
    lost = rounds.passes_of(made)[0]
    passes.withdraw_pass(lost.id, person_id=lost.holder_id, reason="lost", by=officer(Role.COMMUNITY))
    ended = rounds.withdraw_passes(made.pk, reason="打印件被盗", by=community())
    assert ended.count == made.count - 1
    assert rounds.withdraw_passes(made.pk, reason="再说一次", by=community()) == ended
    publisher.run_once(S1_NOW)
    stated = credentials.statuses(rounds.passes_of(made))
    assert {stated[p.id][0] for p in rounds.passes_of(made)} == {ListStatus.INVALID}
    assert {p.revoked_reason for p in rounds.passes_of(made)} == {"lost", "打印件被盗"}
    assert rounds.give_passes(a_draft(compound), by=community()).count == len(living)


def test_who_may_not_and_where(compound: str) -> None:
    elsewhere = officer(Role.COMMUNITY, area=f"{ROOT}.s510402001.c510402001099")
    for by in (officer(Role.CDC), officer(Role.GUARD), officer(Role.PROPERTY), elsewhere):
        with pytest.raises(NotAllowed):
            rounds.give_passes(a_draft(compound), by=by)
    for area in (community_of(compound), a_dwelling("2-1-0101")):
        with pytest.raises(NoCompounds):
            rounds.give_passes(a_draft(area), by=community())
    made = rounds.give_passes(a_draft(compound), by=community())
    with pytest.raises(NoSuchRound):
        rounds.withdraw_passes(made.pk, reason="x", by=elsewhere)
    with pytest.raises(NoSuchRound):
        rounds.withdraw_passes(new_id(), reason="x", by=community())


def test_a_fault_leaves_nothing_behind(compound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: object) -> None:
        raise OSError

    monkeypatch.setattr(PassRound.objects, "create", broken)
    with pytest.raises(OSError), transaction.atomic():
        rounds.give_passes(a_draft(compound), by=community())
    assert not Pass.objects.exists()
    assert not Entry.objects.filter(kind__startswith="gates:passes").exists()


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("UPDATE gates_passround SET count = 1", "round_stays_as_written"),
        ("DELETE FROM gates_passroundend", "round_stays_as_written"),
        (
            "INSERT INTO gates_passround SELECT gen_random_uuid(), area, basis, 0, issued_at, valid_until, issued_by,"
            " issued_as, gen_random_uuid() FROM gates_passround",
            "round_of_passes_is_given_to_somebody",
        ),
    ],
)
def test_the_schema_has_the_last_word(compound: str, statement: str, name: str) -> None:
    made = rounds.give_passes(a_draft(compound), by=community())
    rounds.withdraw_passes(made.pk, reason="打印件被盗", by=community())
    with pytest.raises(IntegrityError, match=name), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize("table", ["gates_passround", "gates_passroundend"])
def test_a_row_and_an_entry_without_each_other_are_found(compound: str, table: str) -> None:
    """L-5: whatever was done to the tables past every act and every trigger."""
    made = rounds.give_passes(a_draft(compound), by=community())
    ended = rounds.withdraw_passes(made.pk, reason="打印件被盗", by=community())
    assert chain_rows.chain_faults() == []
    row = made if table == "gates_passround" else ended
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(f"UPDATE {table} SET entry_id = %s WHERE entry_id = %s", [new_id(), row.entry_id])
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    kind = "gates:passes:given" if row is made else "gates:passes:withdrawn"
    assert chain_rows.chain_faults()[:2] == [
        f"{kind} {made.pk}: the chain does not hold it",
        f"entry {row.entry_id} ({kind}): there is no row of {made.pk}",
    ]


def test_on_the_pages_from_the_list_to_the_stack(compound: str, living: list[UUID]) -> None:
    desk = client_for(Role.COMMUNITY, community_of(compound))
    page = reverse("gates:compound", args=[compound])
    assert page in desk.get(reverse("gates:compounds")).content.decode()
    assert page not in desk.get(reverse("gates:compounds"), {"q": "没有这个名字"}).content.decode()
    assert f"制证{len(living)}张" in desk.get(page).content.decode()
    form = {"id": str(new_id()), "basis": BASIS}
    assert desk.post(page, form | {"basis": ""}).status_code == 422
    assert desk.post(page, form).status_code == 302
    made = PassRound.objects.get()
    shown = desk.get(page).content.decode()
    assert "每人都有证" in shown
    assert 'class="lf-chain is-recorded"' in shown
    stack = reverse("gates:print_round", args=[made.pk, 1])
    assert stack in shown
    assert desk.get(stack).content.startswith(b"%PDF")
    assert desk.get(reverse("gates:print_round", args=[made.pk, 2])).status_code == 404
    assert desk.get(reverse("gates:print_round", args=[made.pk, 0])).status_code == 404
    withdraw = reverse("gates:withdraw_round", args=[made.pk])
    assert desk.post(withdraw, {"why": ""}).status_code == 302
    assert not PassRoundEnd.objects.exists()
    assert desk.post(withdraw, {"why": "打印件被盗"}).status_code == 302
    shown = desk.get(page).content.decode()
    assert f"作废{len(living)}张" in shown
    for entry in (made.entry_id, PassRoundEnd.objects.get().entry_id):
        assert f'<a class="lf-chain is-recorded" href="/open/chain/entry/{entry}/"' in shown
    assert desk.get(stack).status_code == 404
    other = client_for(Role.COMMUNITY, f"{ROOT}.s510402001.c510402001099")
    assert other.get(page).status_code == 403
    assert other.get(stack).status_code == 404
    assert client_for(Role.GUARD).get(page).status_code == 403
