"""The database has the last word: each guard refuses, and with the guard taken away the row goes through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from django.apps import apps
from django.db import DatabaseError, IntegrityError, connection, transaction

from lianfang.announcements import actions
from lianfang.kernel.row_security import set_scope
from tests.factories.accounts import DISTRICT
from tests.factories.announcements import a_draft, a_published, reviewed, somebody
from tests.factories.places import a_district

if TYPE_CHECKING:
    from uuid import UUID

pytestmark = pytest.mark.django_db

TEXT: Final = (
    "INSERT INTO announcements_announcement (id, kind, organ, area, places, title, title_en, body, body_en, plain, aloud,"
    " basis, signatory, starts_at, ends_at, supersedes, drafted_at, drafted_by, drafted_as)"
    " SELECT gen_random_uuid(), {kind}, 'o', 'd510402', {places}, {title}, '', 'b', '', '', '', 'l', 's', {starts_at},"
    " {ends_at}, '{{}}', now(), gen_random_uuid(), 'x'"
)
REVIEW: Final = (
    "INSERT INTO announcements_review (announcement_id, approved, word, reviewed_at, reviewed_by, reviewed_as)"
    " SELECT id, {approved}, {word}, {at}, {by}, 'x' FROM announcements_announcement WHERE id = '{draft}'"
)
PUBLICATION: Final = (
    "INSERT INTO announcements_publication (announcement_id, organ, organ_name, year, n, number, place_names,"
    " superseded_numbers, starts_at, ends_at, text_hash, published_at, published_by, published_as, entry_id)"
    " SELECT a.id, {organ}, 'x', {year}, {n}, 'x', '{{x}}', '{{}}', {starts_at}, {ends_at}, {hash},"
    " {at}, {by}, 'x', '{entry}' FROM announcements_announcement a LEFT JOIN announcements_review r ON r.announcement_id = a.id"
    " JOIN announcements_publication p ON p.announcement_id = '{old}' WHERE a.id = '{text}'"
)
SUPERSESSION: Final = "INSERT INTO announcements_supersession (announcement_id, later_id, entry_id) VALUES ('{old}', '{later}', '{entry}')"
WITHDRAWAL: Final = (
    "INSERT INTO announcements_withdrawal (announcement_id, organ, reason, withdrawn_at, withdrawn_by, withdrawn_as,"
    " entry_id) SELECT announcement_id, {organ}, {reason}, {at}, gen_random_uuid(), 'x', '{entry}'"
    " FROM announcements_publication WHERE announcement_id = '{old}'"
)
ENTRY: Final = (
    "INSERT INTO ledger_entry (id, data, leaf_hash, kind, act_id, organ, scope, appended_at)"
    " SELECT %s, d.data, sha256('\\x00'::bytea || d.data), %s, %s, 'o', 'd510402', now()"
    " FROM (SELECT uuid_send(%s::uuid) AS data) AS d"
)

#: `now()` is the beginning of the test's transaction, before what the fixture made.
SOON: Final = "now() + interval '1 h'"
#: What a row says where a case does not change it; each refuses for one reason alone.
FINE: Final[dict[str, dict[str, str]]] = {
    TEXT: {
        "kind": "'notice'", "places": "'{x}'", "title": "'t'", "starts_at": "NULL", "ends_at": "NULL",
    },
    REVIEW: {"approved": "true", "word": "''", "at": SOON, "by": "gen_random_uuid()"},
    PUBLICATION: {
        "organ": "p.organ", "year": "p.year", "n": "p.n + 1", "starts_at": SOON, "ends_at": "a.ends_at",
        "hash": "repeat('0', 64)", "at": SOON, "by": "gen_random_uuid()",
    },
    SUPERSESSION: {},
    WITHDRAWAL: {"organ": "organ", "reason": "'r'", "at": "published_at"},
}  # fmt: skip

#: (table, the guard or its trigger, what the refusal says, the row, how it differs from a good one)
CASES: Final[list[tuple[str, str, str, str, dict[str, str]]]] = [
    ("announcement", "announcement_kind_is_known", "", TEXT, {"kind": "'order'"}),
    ("announcement", "announcement_says_what_by_which_law_and_who", "", TEXT, {"title": "''"}),
    ("announcement", "announcement_is_for_some_place", "", TEXT, {"places": "'{}'"}),
    ("announcement", "announcement_ends_after_it_begins", "", TEXT, {"starts_at": "now()", "ends_at": "now()"}),
    ("announcement", "announcement_short_fields_are_one_line", "", TEXT, {"title": "E't\\nnumber: 1'"}),
    ("review", "review_returns_with_a_word", "", REVIEW, {"approved": "false"}),
    ("review", "review_holds", "announcement_is_reviewed_by_another", REVIEW, {"by": "drafted_by"}),
    ("review", "review_holds", "announcement_is_reviewed_by_another", REVIEW, {"at": "drafted_at - interval '1 s'"}),
    ("publication", "announcement_hash_is_sha256", "", PUBLICATION, {"hash": "'ABC'"}),
    ("publication", "publication_holds", "announcement_is_signed_by_another_than_its_reviewer", PUBLICATION, {"by": "r.reviewed_by"}),
    ("publication", "publication_holds", "announcement_is_signed_after_its_review", PUBLICATION, {"text": "{draft}"}),
    ("publication", "publication_holds", "announcement_holds_as_drafted", PUBLICATION, {"organ": "'another'"}),
    ("publication", "publication_holds", "announcement_holds_as_drafted", PUBLICATION, {"starts_at": "now() + interval '1 day'"}),
    ("publication", "publication_holds", "announcement_holds_as_drafted", PUBLICATION, {"ends_at": "now() + interval '9 day'"}),
    ("publication", "publication_holds", "announcement_numbers_have_no_gap", PUBLICATION, {"n": "p.n + 2"}),
    ("publication", "publication_holds", "announcement_numbers_have_no_gap", PUBLICATION, {"year": "p.year + 1"}),
    ("publication", "publication_holds", "announcement_has_its_own_entry", PUBLICATION, {"entry": "{foreign}"}),
    ("supersession", "supersession_holds", "announcement_is_superseded_by_its_own_organ", SUPERSESSION, {}),
    ("withdrawal", "announcement_is_withdrawn_for_a_reason", "", WITHDRAWAL, {"reason": "''"}),
    ("withdrawal", "withdrawal_holds", "announcement_is_withdrawn_by_its_organ_or_above", WITHDRAWAL, {"organ": "'property-c510402001003'"}),
    ("withdrawal", "withdrawal_holds", "announcement_is_withdrawn_by_its_organ_or_above", WITHDRAWAL, {"at": "published_at - interval '1 s'"}),
    ("withdrawal", "withdrawal_holds", "announcement_has_its_own_entry", WITHDRAWAL, {"entry": "{foreign}"}),
]  # fmt: skip
KIND: Final = {
    "publication": "announcements:announcement:published",
    "supersession": "announcements:announcement:superseded",
    "withdrawal": "announcements:announcement:withdrawn",
}


@pytest.fixture
def made() -> dict[str, UUID]:
    """A draft, one that is reviewed and waits for its signature, and two that are published."""
    a_district()
    set_scope(areas=[DISTRICT])
    waiting = a_draft()
    reviewed(waiting.pk)
    return {"draft": a_draft().pk, "text": waiting.pk, "old": a_published().pk, "later": a_published().pk}


def _filled(table: str, row: str, changes: dict[str, str], made: dict[str, Any]) -> str:
    """The statement, with an entry of its own where the row needs one."""
    about = made["text"] if table == "publication" else made["old"]
    entry, foreign = "0190a0c0-0000-7000-8000-00000000000a", "0190a0c0-0000-7000-8000-00000000000b"
    if table in KIND:
        with connection.cursor() as cursor:
            cursor.execute(ENTRY, [entry, KIND[table], about, entry])
            cursor.execute(ENTRY, [foreign, KIND[table], foreign, foreign])
    known = {k: str(v) for k, v in made.items()} | {"entry": entry, "foreign": foreign}
    # Numbers go on from the newest of the organ.
    known["old"] = known["later"] if table == "publication" else known["old"]
    other = {k: known[v.strip("{}")] if v in ("{draft}", "{foreign}") else v for k, v in changes.items()}
    return row.format(**(known | FINE[row] | other))


@pytest.mark.parametrize(
    ("table", "guard", "says", "row", "changes"),
    CASES,
    ids=[f"{c[2] or c[1]}-{n}" for n, c in enumerate(CASES)],
)
def test_a_guard_refuses_and_without_it_the_row_goes_through(
    table: str, guard: str, says: str, row: str, changes: dict[str, str], made: dict[str, UUID]
) -> None:
    statement = _filled(table, row, changes, made)
    with connection.cursor() as cursor:
        with pytest.raises(IntegrityError, match=says or guard), transaction.atomic():
            cursor.execute(statement)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        if says:
            cursor.execute(f"DROP TRIGGER {guard} ON announcements_{table}")
        else:
            cursor.execute(f"ALTER TABLE announcements_{table} DROP CONSTRAINT {guard}")
        cursor.execute(statement)
        assert cursor.rowcount == 1


@pytest.mark.parametrize("table", ["announcement", "review", "publication", "supersession", "withdrawal"])
@pytest.mark.parametrize("statement", ["UPDATE announcements_{} SET {} = {}", "DELETE FROM announcements_{}"])
def test_no_row_changes_or_goes(table: str, statement: str, made: dict[str, UUID]) -> None:
    again = a_draft(supersedes=(made["old"],))
    reviewed(again.pk)
    actions.sign_announcement(again.pk, by=somebody())
    actions.withdraw_announcement(made["later"], reason="有误", by=somebody())
    column = "id" if table == "announcement" else "announcement_id"
    with connection.cursor() as cursor:
        with pytest.raises(IntegrityError, match="announcement_stays_as_said"), transaction.atomic():
            cursor.execute(statement.format(table, column, column))
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"DROP TRIGGER announcement_stays_as_said ON announcements_{table}")
        cursor.execute(f"UPDATE announcements_{table} SET {column} = {column}")
        assert cursor.rowcount >= 1


def test_a_draft_is_written_only_over_an_area_of_the_transaction(made: dict[str, UUID]) -> None:
    """The second wall, past the act."""
    statement = TEXT.format(**FINE[TEXT])
    set_scope(areas=["d510402.s510402001"])
    with (
        pytest.raises(DatabaseError, match="row-level security"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    set_scope(areas=[DISTRICT])
    with connection.cursor() as cursor:
        cursor.execute(statement)


def test_every_constraint_of_the_models_is_tried() -> None:
    named = {
        constraint.name
        for model in apps.get_app_config("announcements").get_models()
        for constraint in model._meta.constraints
    }
    #: Implied by `publication_holds`, which speaks first; they stand for whoever takes the trigger away.
    behind = {
        "announcement_number_is_given_once",
        "announcement_begins_when_published_or_later",
        "announcement_is_published_before_its_end",
    }
    assert named - {guard for _, guard, _, _, _ in CASES} == behind
