"""Drafted, reviewed by another, signed: what works, who may not, repeats, races, and faults that leave nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from django.db import close_old_connections, connection, connections

from lianfang.accounts.rights import Role
from lianfang.announcements import actions, chain_rows, policy, queries
from lianfang.announcements.errors import (
    AlreadyReviewed,
    EndsBeforeItBegins,
    Lapsed,
    NamesAPerson,
    NoSuchAnnouncement,
    NoSuchPlaces,
    NotInForce,
    NotReviewed,
    NotToSupersede,
    OwnDraft,
    OwnReview,
    TooLongAloud,
)
from lianfang.announcements.models import Announcement, Publication, Review, Supersession, Withdrawal
from lianfang.announcements.policy import State
from lianfang.kernel import clock
from lianfang.kernel.errors import NotAllowed, Refused, SameIdOtherContent
from lianfang.kernel.ids import new_id
from lianfang.kernel.row_security import scope, set_scope
from lianfang.ledger import queries as ledger
from lianfang.ledger.models import Entry
from lianfang_chain.tree import leaf_hash
from tests.factories.accounts import COMMUNITY, DISTRICT, STREET
from tests.factories.announcements import a_draft, a_published, a_text, reviewed, somebody
from tests.factories.places import a_compound, a_district, a_dwelling

if TYPE_CHECKING:
    from collections.abc import Callable

    from lianfang.kernel.actor import Actor

pytestmark = pytest.mark.django_db
NOW = clock.now().replace(microsecond=0)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def district() -> None:
    a_district()
    set_scope(areas=[DISTRICT])


def terms(entry_id: Any) -> dict[str, Any]:
    said = ledger.entry_view(entry_id)["terms"]
    assert isinstance(said, dict)
    return said


def state(text_id: Any, at: Any = NOW) -> State:
    return queries.state_of(queries.whole().get(pk=text_id), at)


def test_the_whole_way_and_its_entry_in_the_chain() -> None:
    drafter, signer = somebody(at=NOW), somebody(at=NOW)
    text = actions.draft_announcement(a_text(ends_at=NOW + 5 * DAY), by=drafter)
    assert state(text.pk) is State.DRAFT
    reviewed(text.pk, at=NOW)
    assert state(text.pk) is State.REVIEWED
    assert not Entry.objects.exists()
    row = actions.sign_announcement(text.pk, by=signer)
    assert state(text.pk) is State.IN_FORCE
    assert state(text.pk, NOW + 5 * DAY) is State.ENDED
    assert (row.n, row.number) == (1, f"street s510402001〔{NOW.astimezone(clock.LEGAL_ZONE).year}〕1号")
    entry = Entry.objects.get()
    assert (entry.kind, entry.act_id, entry.organ, entry.scope) == (
        "announcements:announcement:published", text.pk, drafter.organ, STREET,
    )  # fmt: skip
    published = policy.published_text(queries.text_of(queries.whole().get(pk=text.pk), row))
    assert terms(row.entry_id) == {
        "number": row.number, "kind": "announcement", "sha256": sha256(published).hexdigest(),
        "from": NOW.isoformat(), "until": (NOW + 5 * DAY).isoformat(),
    }  # fmt: skip
    assert chain_rows.chain_faults() == []


def test_the_drafter_may_sign_what_another_reviewed_but_the_reviewer_may_not() -> None:
    drafter, reviewer = somebody(at=NOW), somebody(at=NOW)
    text = actions.draft_announcement(a_text(), by=drafter)
    with pytest.raises(OwnDraft):
        actions.review_announcement(text.pk, approved=True, by=drafter)
    with pytest.raises(NotReviewed):
        actions.sign_announcement(text.pk, by=drafter)
    actions.review_announcement(text.pk, approved=True, by=reviewer)
    with pytest.raises(OwnReview):
        actions.sign_announcement(text.pk, by=reviewer)
    assert not Publication.objects.exists()
    actions.sign_announcement(text.pk, by=drafter)


def test_what_was_returned_is_never_signed() -> None:
    text = a_draft(at=NOW)
    reviewed(text.pk, at=NOW, approved=False)
    assert state(text.pk) is State.RETURNED
    with pytest.raises(NotReviewed):
        actions.sign_announcement(text.pk, by=somebody(at=NOW))
    with pytest.raises(AlreadyReviewed):
        reviewed(text.pk, at=NOW)


@pytest.mark.parametrize(
    ("role", "area", "places", "may"),
    [
        (Role.STREET, STREET, (STREET,), True),
        (Role.STREET, STREET, (COMMUNITY,), True),
        (Role.STREET, STREET, ("d510402.s510402002",), False),
        (Role.STREET, STREET, (STREET, "d510402.s510402002"), False),
        (Role.STREET, STREET, (DISTRICT,), False),
        (Role.COMMUNITY, COMMUNITY, (COMMUNITY,), True),
        (Role.COMMUNITY, COMMUNITY, (STREET,), False),
        (Role.CMD_LEAD, DISTRICT, (DISTRICT,), True),
        (Role.CMD_DUTY, DISTRICT, (STREET, "d510402.s510402002"), True),
        (Role.PROPERTY, COMMUNITY, (COMMUNITY,), False),
        (Role.GRID, COMMUNITY, (COMMUNITY,), False),
        (Role.CDC, DISTRICT, (DISTRICT,), False),
        (Role.POLICE, DISTRICT, (DISTRICT,), False),
    ],
)
def test_who_drafts_for_which_places(role: Role, area: str, places: tuple[str, ...], may: bool) -> None:
    by = somebody(role, area, at=NOW)
    draft = a_text(places=places)
    if may:
        assert actions.draft_announcement(draft, by=by).organ == by.organ
    else:
        with pytest.raises(NotAllowed):
            actions.draft_announcement(draft, by=by)
        assert not Announcement.objects.exists()


@pytest.mark.parametrize(
    ("role", "area", "reviews", "signs", "withdraws"),
    [
        (Role.STREET, STREET, True, True, True),
        (Role.STREET, "d510402.s510402002", False, False, False),
        (Role.COMMUNITY, COMMUNITY, False, False, False),
        (Role.CMD_LEAD, DISTRICT, True, False, True),  # above: takes back, but signs for its own organ alone
        (Role.CMD_DUTY, DISTRICT, True, False, False),
        (Role.PROPERTY, STREET, False, False, False),
        (Role.CDC, DISTRICT, False, False, False),
    ],
)
def test_who_reviews_signs_and_withdraws_what_a_street_drafted(
    role: Role, area: str, reviews: bool, signs: bool, withdraws: bool
) -> None:
    def may(act: Callable[[Actor], object], by: Actor) -> bool:
        try:
            act(by)
        except NoSuchAnnouncement:
            return False
        return True

    by = somebody(role, area, at=NOW)
    text = a_draft(at=NOW)
    assert may(lambda b: actions.review_announcement(text.pk, approved=True, by=b), by) == reviews
    assert Review.objects.exists() == reviews
    other = a_draft(at=NOW)
    reviewed(other.pk, at=NOW)
    assert may(lambda b: actions.sign_announcement(other.pk, by=b), by) == signs
    assert Publication.objects.exists() == signs
    row = a_published(at=NOW)
    assert may(lambda b: actions.withdraw_announcement(row.pk, reason="有误", by=b), by) == withdraws
    assert Withdrawal.objects.exists() == withdraws


def test_a_community_does_not_take_back_what_the_command_said_about_it() -> None:
    lead = somebody(Role.CMD_LEAD, DISTRICT, at=NOW)
    text = actions.draft_announcement(a_text(places=(COMMUNITY,)), by=lead)
    reviewed(text.pk, at=NOW)
    actions.sign_announcement(text.pk, by=lead)
    for role, area in ((Role.COMMUNITY, COMMUNITY), (Role.STREET, STREET)):
        with pytest.raises(NoSuchAnnouncement):
            actions.withdraw_announcement(text.pk, reason="不要", by=somebody(role, area, at=NOW))
    assert not Withdrawal.objects.exists()


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"places": ()}, NoSuchPlaces),
        ({"places": ("d510402.s510402099",)}, NoSuchPlaces),
        ({"ends_at": NOW}, EndsBeforeItBegins),
        ({"starts_at": NOW + DAY, "ends_at": NOW + DAY}, EndsBeforeItBegins),
        ({"aloud": "字" * 241}, TooLongAloud),
        ({"body": "请联系 110101199003070011"}, NamesAPerson),
        ({"plain": "11010119900307001X"}, NamesAPerson),
        ({"supersedes": (new_id(),)}, NotToSupersede),
    ],
)
def test_what_is_refused(changes: dict[str, Any], error: type[Refused]) -> None:
    with pytest.raises(error):
        actions.draft_announcement(a_text(**changes), by=somebody(at=NOW))
    assert not Announcement.objects.exists()


def test_a_compound_is_named_and_a_door_is_not() -> None:
    compound, home = a_compound(), a_dwelling()
    assert actions.draft_announcement(a_text(places=(compound,)), by=somebody(at=NOW)).area == compound
    for path in (home, home.rpartition(".")[0]):
        with pytest.raises(NoSuchPlaces):
            actions.draft_announcement(a_text(places=(path,)), by=somebody(at=NOW))


def test_repeats_give_what_is_there_and_other_content_is_refused() -> None:
    drafter, reviewer, signer = (somebody(at=NOW) for _ in range(3))
    draft = a_text(body=" 一\r\n二  \n\n\n三\n")
    text = actions.draft_announcement(draft, by=drafter)
    assert text.body == " 一\n二\n\n三"
    assert actions.draft_announcement(draft, by=drafter).pk == text.pk
    with pytest.raises(SameIdOtherContent):
        actions.draft_announcement(replace(draft, title="别的"), by=drafter)
    first = actions.review_announcement(text.pk, approved=True, word="可", by=reviewer)
    assert actions.review_announcement(text.pk, approved=True, word="可", by=reviewer) == first
    with pytest.raises(AlreadyReviewed):
        actions.review_announcement(text.pk, approved=False, word="不可", by=reviewer)
    row = actions.sign_announcement(text.pk, by=signer)
    assert actions.sign_announcement(text.pk, by=drafter) == row
    gone = actions.withdraw_announcement(text.pk, reason="有误", by=signer)
    assert actions.withdraw_announcement(text.pk, reason="另说", by=signer) == gone
    assert Entry.objects.count() == 2


def test_numbers_of_an_organ_and_year_have_no_gap() -> None:
    numbers = [a_published(at=NOW).n for _ in range(3)]
    assert numbers == [1, 2, 3]
    text = a_draft(at=NOW)  # a draft takes no number
    reviewed(text.pk, at=NOW, approved=False)
    lead = somebody(Role.CMD_LEAD, DISTRICT, at=NOW)
    other = actions.draft_announcement(a_text(places=(DISTRICT,)), by=lead)
    reviewed(other.pk, at=NOW)
    assert actions.sign_announcement(other.pk, by=lead).n == 1
    assert a_published(at=NOW).n == 4
    next_year = NOW.replace(year=NOW.year + 1, month=3, day=1)
    assert a_published(at=next_year).n == 1


def test_a_later_one_takes_the_place_of_an_earlier_from_its_beginning() -> None:
    old = a_published(at=NOW)
    new = a_published(at=NOW + DAY, starts_at=NOW + 3 * DAY, supersedes=(old.pk,))
    assert new.superseded_numbers == [old.number]
    assert state(old.pk, NOW + 3 * DAY - timedelta(seconds=1)) is State.IN_FORCE
    assert state(old.pk, NOW + 3 * DAY) is State.SUPERSEDED
    made = Supersession.objects.get()
    entry = Entry.objects.get(pk=made.entry_id)
    assert (entry.kind, entry.act_id) == ("announcements:announcement:superseded", old.pk)
    assert terms(made.entry_id) == {"number": old.number, "by": new.number}
    before = leaf_hash(ledger.entry_bytes(old.entry_id))
    assert ledger.entry_view(made.entry_id)["prior"] == before.hex()
    with pytest.raises(NotToSupersede):
        a_draft(at=NOW + 2 * DAY, supersedes=(old.pk,))
    assert chain_rows.chain_faults() == []


def test_a_later_one_withdrawn_before_it_began_leaves_the_earlier_in_force() -> None:
    old = a_published(at=NOW)
    new = a_published(at=NOW + DAY, starts_at=NOW + 3 * DAY, supersedes=(old.pk,))
    actions.withdraw_announcement(new.pk, reason="不用了", by=somebody(at=NOW + 2 * DAY))
    later = NOW + 4 * DAY
    assert state(old.pk, later) is State.IN_FORCE
    assert [v.text.pk for v in queries.current(later)] == [old.pk]
    assert [v.text.pk for v in queries.past(later)[0]] == [new.pk]


def test_another_organs_is_not_superseded_and_the_chance_to_is_looked_at_again_at_the_signature() -> None:
    lead = somebody(Role.CMD_LEAD, DISTRICT, at=NOW)
    theirs = a_published(at=NOW)
    with pytest.raises(NotToSupersede):
        actions.draft_announcement(a_text(supersedes=(theirs.pk,)), by=lead)
    text = a_draft(at=NOW, supersedes=(theirs.pk,))
    reviewed(text.pk, at=NOW)
    actions.withdraw_announcement(theirs.pk, reason="有误", by=lead)
    with pytest.raises(NotToSupersede):
        actions.sign_announcement(text.pk, by=somebody(at=NOW))
    assert Publication.objects.count() == 1


def test_a_withdrawal_names_the_publication_before_it_and_comes_only_while_it_holds() -> None:
    row = a_published(at=NOW, ends_at=NOW + DAY)
    with pytest.raises(NotInForce):
        actions.withdraw_announcement(row.pk, reason="晚了", by=somebody(at=NOW + DAY))
    gone = actions.withdraw_announcement(row.pk, reason="有误", by=somebody(at=NOW))
    assert terms(gone.entry_id) == {"number": row.number, "reason": "有误"}
    before = leaf_hash(ledger.entry_bytes(row.entry_id))
    assert ledger.entry_view(gone.entry_id)["prior"] == before.hex()
    assert state(row.pk) is State.WITHDRAWN
    assert chain_rows.chain_faults() == []
    draft = a_draft(at=NOW)
    with pytest.raises(NoSuchAnnouncement):
        actions.withdraw_announcement(draft.pk, reason="草稿", by=somebody(at=NOW))


def test_a_draft_lapses() -> None:
    old = a_draft(at=NOW)
    later = NOW + policy.LAPSES
    with pytest.raises(Lapsed):
        reviewed(old.pk, at=later)
    reviewed(old.pk, at=NOW)
    with pytest.raises(Lapsed):
        actions.sign_announcement(old.pk, by=somebody(at=later))
    assert not Publication.objects.exists()


def test_a_draft_is_seen_over_its_area_alone_and_a_published_text_by_everybody() -> None:
    """The second wall, and the query before it."""
    draft, row = a_draft(at=NOW), a_published(at=NOW)
    for areas, seen in (
        ([DISTRICT], {draft.pk, row.pk}),
        ([STREET], {draft.pk, row.pk}),
        ([COMMUNITY], {row.pk}),
        (["d510402.s510402002"], {row.pk}),
        ([], {row.pk}),
    ):
        with scope(areas=areas):
            assert set(Announcement.objects.values_list("pk", flat=True)) == seen
            assert set(Review.objects.values_list("pk", flat=True)) == {row.pk}
    for by in (somebody(Role.COMMUNITY, COMMUNITY, at=NOW), somebody(Role.CDC, DISTRICT, at=NOW)):
        assert {v.text.pk for v in queries.on_desk(by=by)[0]} == {row.pk}
        with pytest.raises(NoSuchAnnouncement):
            queries.announcement(draft.pk, by=by)
    with pytest.raises(NoSuchAnnouncement):
        queries.published(draft.pk, NOW)


def test_what_waits_is_asked_of_who_may_do_it() -> None:
    drafter, other = somebody(at=NOW), somebody(at=NOW)
    lead = somebody(Role.CMD_LEAD, DISTRICT, at=NOW)
    text = actions.draft_announcement(a_text(), by=drafter)
    assert [len(queries.to_review(by=by)) for by in (drafter, other, lead)] == [0, 1, 1]
    assert [len(queries.to_sign(by=by)) for by in (drafter, other, lead)] == [0, 0, 0]
    actions.review_announcement(text.pk, approved=True, by=other)
    assert [len(queries.to_review(by=by)) for by in (drafter, other, lead)] == [0, 0, 0]
    assert [len(queries.to_sign(by=by)) for by in (drafter, other, lead)] == [1, 0, 0]


def test_an_area_has_what_is_at_around_and_below_it() -> None:
    lead = somebody(Role.CMD_LEAD, DISTRICT, at=NOW)
    everywhere = actions.draft_announcement(a_text(places=(DISTRICT,)), by=lead)
    reviewed(everywhere.pk, at=NOW)
    actions.sign_announcement(everywhere.pk, by=lead)
    here = a_published(at=NOW, places=(COMMUNITY,))

    def at(place: str) -> set[Any]:
        return {v.text.pk for v in queries.current(NOW, place=place)}

    assert at("") == at(STREET) == at(COMMUNITY) == at(f"{COMMUNITY}.m1.b2") == {everywhere.pk, here.pk}
    assert at("d510402.s510402001.c510402001004") == at("d510402.s510402002") == {everywhere.pk}


# -- rows and chain -------------------------------------------------------------------------------------


def _past_the_guards(statement: str, *arguments: Any) -> None:
    """As somebody who owns the database writes."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in ("announcement", "publication", "withdrawal", "supersession"):
            cursor.execute(f"ALTER TABLE announcements_{table} DISABLE TRIGGER USER")
        cursor.execute(statement, arguments)
        assert cursor.rowcount == 1
        for table in ("announcement", "publication", "withdrawal", "supersession"):
            cursor.execute(f"ALTER TABLE announcements_{table} ENABLE TRIGGER USER")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE announcements_announcement SET body = body || '。' WHERE id = %s",
        "UPDATE announcements_announcement SET ends_at = now() WHERE id = %s",
        "UPDATE announcements_publication SET number = 'x' WHERE announcement_id = %s",
        "UPDATE announcements_publication SET ends_at = ends_at + interval '1 day' WHERE announcement_id = %s",
        "UPDATE announcements_publication SET text_hash = repeat('0', 64) WHERE announcement_id = %s",
    ],
)
def test_whoever_edits_a_row_in_the_database_is_found_out(statement: str) -> None:
    row = a_published(at=NOW, ends_at=NOW + DAY)
    a_published(at=NOW)
    assert chain_rows.chain_faults() == []
    _past_the_guards(statement, row.pk)
    faults = chain_rows.chain_faults()
    if (
        "SET ends_at = now()" in statement
    ):  # the period that counts is the publication's; the text's own is not hashed
        assert faults == [f"announcement {row.number}: it is dated otherwise than it was drafted"]
    else:
        (fault,) = faults
        assert "not what was published" in fault
        view = queries.published(row.pk, NOW)
        assert queries.is_as_published(view) == ("text_hash" in statement)


def test_a_row_that_is_gone_and_one_without_its_entry_are_found_out() -> None:
    row = a_published(at=NOW)
    gone = actions.withdraw_announcement(row.pk, reason="有误", by=somebody(at=NOW))
    _past_the_guards(
        "UPDATE announcements_withdrawal SET reason = '另有原因' WHERE announcement_id = %s", row.pk
    )
    (fault,) = chain_rows.chain_faults()
    assert fault.endswith(f"the chain does not say what the row of entry {gone.entry_id} says")
    _past_the_guards("DELETE FROM announcements_withdrawal WHERE announcement_id = %s", row.pk)
    faults = chain_rows.chain_faults()
    assert faults
    assert all(f"entry {gone.entry_id} " in fault for fault in faults)
    other = a_published(at=NOW)
    _past_the_guards(
        "UPDATE announcements_publication SET entry_id = %s WHERE announcement_id = %s",
        gone.entry_id,
        other.pk,
    )
    lost = f"announcements:announcement:published {other.pk}: the chain does not hold it"
    assert lost in chain_rows.chain_faults()


# -- faults and races -----------------------------------------------------------------------------------


class Struck(Exception):
    """The fault of the test."""


def _strikes(*_: Any, **__: Any) -> None:
    raise Struck


@pytest.mark.parametrize(
    "step",
    [
        "actions.ledger.append",
        "actions._numbered",
        "actions.Publication.save",
        "actions._supersede",
        "actions.Supersession.objects.create",
    ],
)
def test_a_fault_at_any_step_of_a_signature_leaves_nothing(
    step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = a_published(at=NOW)
    text = a_draft(at=NOW, supersedes=(old.pk,))
    reviewed(text.pk, at=NOW)
    by = somebody(at=NOW)
    monkeypatch.setattr(f"lianfang.announcements.{step}", _strikes)
    with pytest.raises(Struck):
        actions.sign_announcement(text.pk, by=by)
    monkeypatch.undo()
    assert (Publication.objects.count(), Supersession.objects.count(), Entry.objects.count()) == (1, 0, 1)
    assert state(text.pk) is State.REVIEWED
    assert actions.sign_announcement(text.pk, by=by).n == 2


@pytest.mark.parametrize("step", ["actions.ledger.append", "actions.Withdrawal.objects.create"])
def test_a_fault_at_any_step_of_a_withdrawal_leaves_nothing(
    step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = a_published(at=NOW)
    by = somebody(at=NOW)
    monkeypatch.setattr(f"lianfang.announcements.{step}", _strikes)
    with pytest.raises(Struck):
        actions.withdraw_announcement(row.pk, reason="有误", by=by)
    monkeypatch.undo()
    assert (Withdrawal.objects.count(), Entry.objects.count()) == (0, 1)


def at_once(acts: list[Callable[[], Any]]) -> list[Any]:
    """Run all in threads of their own connections; what they returned or refused with."""

    def run(act: Callable[[], Any]) -> Any:
        close_old_connections()
        try:
            with scope(areas=[DISTRICT]):
                return act()
        except Refused as error:
            return type(error)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(lambda act: run(act), acts))


@pytest.mark.fault
@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    """Several threads; without `district`'s transaction around them."""

    @pytest.fixture(autouse=True)
    def district(self) -> None:
        a_district()

    def test_five_signatures_of_five_texts_are_numbered_without_a_gap(self) -> None:
        texts = [a_draft(at=NOW).pk for _ in range(5)]
        for pk in texts:
            reviewed(pk, at=NOW)
        by = somebody(at=NOW)
        made = at_once([lambda pk=pk: actions.sign_announcement(pk, by=by).n for pk in texts])  # type: ignore[misc]
        assert sorted(made) == [1, 2, 3, 4, 5]

    def test_the_same_act_five_times_at_once_is_done_once(self) -> None:
        by, reviewer = somebody(at=NOW), somebody(at=NOW)
        draft = a_text()
        made = at_once([lambda: actions.draft_announcement(draft, by=by).pk] * 5)
        assert set(made) == {draft.id}
        found = at_once([lambda: actions.review_announcement(draft.id, approved=True, by=reviewer).pk] * 5)
        assert set(found) == {draft.id}
        signed = at_once([lambda: actions.sign_announcement(draft.id, by=by).number] * 5)
        assert len(set(signed)) == 1
        gone = at_once([lambda: actions.withdraw_announcement(draft.id, reason="有误", by=by).pk] * 5)
        assert set(gone) == {draft.id}
        with scope(areas=[DISTRICT]):
            assert Entry.objects.count() == 2

    def test_of_two_that_supersede_one_the_second_is_refused(self) -> None:
        old = a_published(at=NOW)
        texts = [a_draft(at=NOW, supersedes=(old.pk,)).pk for _ in range(2)]
        for pk in texts:
            reviewed(pk, at=NOW)
        by = somebody(at=NOW)
        made = at_once([lambda pk=pk: actions.sign_announcement(pk, by=by).n for pk in texts])  # type: ignore[misc]
        assert sorted(map(str, made)) == sorted(map(str, [2, NotToSupersede]))
