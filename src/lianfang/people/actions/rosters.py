"""Acts on rosters: receive, say what the columns are, check, write or cancel; decide suspicions; export.

None of them touches an order, a right or a user (I-4).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Final

from django.db import connection, transaction

from lianfang.accounts.rights import Right
from lianfang.kernel.errors import NotFound, Refused, SameIdOtherContent
from lianfang.kernel.ids import new_id
from lianfang.kernel.points import point
from lianfang.kernel.row_security import scope
from lianfang.people import reader
from lianfang.people.errors import (
    ExportOver,
    NotAgreed,
    OwnExport,
    ReasonNeeded,
    RosterHasFaults,
    RosterMappingIncomplete,
    RunCancelled,
    RunOver,
    TooManyToExport,
)
from lianfang.people.models import (
    Export,
    ExportConsent,
    ExportRequest,
    ImportRun,
    Membership,
    Person,
    SavedMapping,
    SuspectedDuplicate,
)
from lianfang.people.policy import EXPORT_LASTS, Care, IdType, PersonField, Sex, Source
from lianfang.people.roster import checking, columns, exporting, reading, writing
from lianfang.people.sealing import seal_bytes, unseal, unseal_bytes
from lianfang.places.queries import Kind, kind_at

from .persons import PersonDraft, move_person, register_person

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from lianfang.kernel.actor import Actor
    from lianfang.people.roster.columns import Column

Stage = ImportRun.Stage
#: One export holds at most so many people; more is a smaller place at a time (T14).
MOST_EXPORTED: Final = 5_000
_OPEN: Final = (Stage.UPLOADED, Stage.CHECKED, Stage.FAULTY)


@transaction.atomic
def receive_roster(run_id: UUID, *, community: str, filename: str, content: bytes, by: Actor) -> UUID:
    """Take in a file for a community: read, guess its columns (or recall them), and wait for what people say.

    :raises NotAllowed: `by` may not import over the community
    :raises RosterUnreadable: the file cannot be taken; nothing is kept of it
    :raises SameIdOtherContent: the id was used for another file
    """
    by.require(Right.PEOPLE_ROSTER_IMPORT, over=community)
    if kind_at(community) is not Kind.COMMUNITY:
        raise NotFound(place=community)
    digest = hashlib.sha256(content).digest()
    with connection.cursor() as cursor:
        # The same file sent twice at once queues here, and the second finds the first.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 61))", [str(run_id)])
    earlier = ImportRun.objects.filter(pk=run_id).first()
    if earlier is not None:
        if bytes(earlier.digest) != digest or earlier.community != community:
            raise SameIdOtherContent()
        return run_id
    table = reading.read(content, known_heading=columns.KNOWN_HEADINGS)
    saved = SavedMapping.objects.filter(
        community=community, signature=columns.signature(table.headings)
    ).first()
    guessed = saved.columns if saved else [c.value for c in columns.guess(table.headings, table.rows[:200])]
    ImportRun.objects.create(
        id=run_id,
        community=community,
        filename=filename[-120:],
        digest=digest,
        content=seal_bytes(content, of=run_id, field="content"),
        headings=list(table.headings),
        columns=guessed,
        stage=Stage.UPLOADED,
        total=4 * len(table.rows),
        made_at=by.at,
        made_by=by.user_id,
        organ=by.organ,
        pseudonym=by.pseudonym,
    )
    return run_id


def _own_run(run_id: UUID, by: Actor) -> ImportRun:
    run = ImportRun.objects.select_for_update().filter(pk=run_id).first()
    if run is None:
        raise NotFound()
    by.require(Right.PEOPLE_ROSTER_IMPORT, over=run.community)
    return run


@transaction.atomic
def choose_columns(run_id: UUID, chosen: Sequence[Column], *, compound: str, by: Actor) -> None:
    """Say what each column is, and remember it for this community's next sheet of the same headings.

    :raises NotFound: no such import
    :raises NotAllowed: `by` may not import over its community
    :raises RunOver: it is under way or ended
    :raises RosterMappingIncomplete: a column that is needed is missing, or one is given twice
    """
    run = _own_run(run_id, by)
    said = [c.value for c in chosen], compound.strip()[:40]
    if run.stage == Stage.CHECKING and (run.columns, run.compound) == said:
        return
    if run.stage not in _OPEN:
        raise RunOver()
    if len(chosen) != len(run.headings) or columns.missing(chosen) or columns.twice(chosen):
        lacking = [c.value for c in columns.missing(chosen)] + [c.value for c in columns.twice(chosen)]
        raise RosterMappingIncomplete(columns=", ".join(lacking))
    (run.columns, run.compound), run.stage = said, Stage.UPLOADED
    run.save(update_fields=["columns", "compound", "stage"])
    SavedMapping.objects.update_or_create(
        community=run.community,
        signature=columns.signature(run.headings),
        defaults={"columns": run.columns, "saved_at": by.at, "saved_by": by.user_id},
    )


@transaction.atomic
def start_run(run_id: UUID, *, dry: bool, by: Actor) -> bool:
    """Mark the import as under way: checking only, or writing. The job (or command line) does the work.

    :returns: whether it was started now; False if it was under way already
    :raises NotFound: no such import
    :raises NotAllowed: `by` may not import over its community
    :raises RunOver: it does something else or has ended; or writing is asked before a check without faults
    """
    run = _own_run(run_id, by)
    if run.stage == (Stage.CHECKING if dry else Stage.WRITING):
        return False
    if run.stage not in _OPEN or (not dry and run.stage != Stage.CHECKED):
        raise RunOver()
    run.stage = Stage.CHECKING if dry else Stage.WRITING
    run.done, run.begun_at, run.cancel_asked, run.faults = 0, by.at, False, None
    run.save(update_fields=["stage", "done", "begun_at", "cancel_asked", "faults"])
    return True


@transaction.atomic
def cancel_run(run_id: UUID, *, by: Actor) -> None:
    """Cancel: at once where nothing runs (or the worker died), else at the next step, before anything is kept.

    :raises NotFound: no such import
    :raises NotAllowed: `by` may not import over its community
    :raises RunOver: it has ended
    """
    run = _own_run(run_id, by)
    if run.stage in (Stage.CHECKING, Stage.WRITING) and _at_work(run_id):
        run.cancel_asked = True
        run.save(update_fields=["cancel_asked"])
    elif run.stage in (*_OPEN, Stage.CHECKING, Stage.WRITING):
        _end(run, Stage.CANCELLED, by=by)
    elif run.stage != Stage.CANCELLED:
        raise RunOver()


#: Held by whoever carries an import out; a killed worker lets go of it.
_WORK_LOCK: Final = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 63))"


def _at_work(run_id: UUID) -> bool:
    """Whether somebody is carrying the import out at this moment."""
    with connection.cursor() as cursor:
        cursor.execute(_WORK_LOCK, [str(run_id)])
        return not cursor.fetchone()[0]


def is_worked_on(run_id: UUID) -> bool:
    """Whether somebody is carrying the import out; asked for a page, so without taking the lock even for a moment."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks l, hashtextextended(%s, 63) k WHERE l.locktype = 'advisory'"
            " AND l.objsubid = 1 AND l.classid::bigint = (k >> 32) & 4294967295"
            " AND l.objid::bigint = k & 4294967295)",
            [str(run_id)],
        )
        return bool(cursor.fetchone()[0])


def table_of(run: ImportRun) -> reading.Table:
    """The rows of an import that has not ended."""
    assert run.content is not None, "an open import keeps its file"
    content = unseal_bytes(run.content, of=run.pk, field="content")
    return reading.read(content, known_heading=columns.KNOWN_HEADINGS)


def _end(run: ImportRun, stage: str, *, by: Actor) -> None:
    run.stage, run.ended_at = stage, by.at
    if stage in (Stage.DONE, Stage.REFUSED, Stage.CANCELLED):
        run.content = None
    run.save()


class _PutBack(Exception):
    """Carries an outcome out of a transaction that is to be rolled back."""

    def __init__(self, outcome: writing.Outcome) -> None:
        self.outcome = outcome


def carry_out(
    run_id: UUID, *, by: Actor, progress: Callable[[int, int], None] = lambda done, total: None
) -> ImportRun:
    """Do what `start_run` marked: check (everything is rolled back) or write (all or nothing).

    :param progress: called between steps; raises RunCancelled to stop, and then nothing is kept
    :raises RunOver: the import is not under way
    """
    run = ImportRun.objects.get(pk=run_id)
    if run.stage not in (Stage.CHECKING, Stage.WRITING):
        raise RunOver()
    by.require(Right.PEOPLE_ROSTER_IMPORT, over=run.community)
    dry = run.stage == Stage.CHECKING
    outcome = writing.Outcome()
    table: reading.Table | None = None
    try:
        with scope(areas=[run.community]):
            if _at_work(run_id):
                raise RunOver()
            table = table_of(run)
            outcome = _judge_and_write(run, table, by=by, progress=progress)
            if dry or outcome.faults:
                raise _PutBack(outcome)
            # One transaction with the rows: an import that is done has written, one that wrote is done.
            run.counts, run.done = dict(outcome.counts), run.total
            _end(run, Stage.DONE, by=by)
            point("people.import.before_commit")
    except _PutBack as put_back:
        outcome = put_back.outcome
    except RunCancelled:
        with transaction.atomic():
            _end(ImportRun.objects.select_for_update().get(pk=run_id), Stage.CANCELLED, by=by)
        return ImportRun.objects.get(pk=run_id)
    except RunOver:
        raise
    except Refused as refusal:
        run.refusal, run.refusal_facts = refusal.code, refusal.facts
        _end(run, Stage.REFUSED, by=by)
        return run
    if run.stage != Stage.DONE:
        run.counts = dict(outcome.counts)
        run.counts["faults"] = len(outcome.faults)
        run.done = run.total
        if outcome.faults and table is not None:
            book = exporting.error_book(table, outcome.faults, at=by.at)
            run.faults = seal_bytes(book, of=run.pk, field="faults")
        _end(run, Stage.FAULTY if outcome.faults else Stage.CHECKED, by=by)
    return run


def _judge_and_write(
    run: ImportRun, table: reading.Table, *, by: Actor, progress: Callable[[int, int], None]
) -> writing.Outcome:
    mapping = [columns.Column(c) for c in run.columns]
    if columns.missing(mapping) or columns.twice(mapping):
        raise RosterMappingIncomplete(columns=", ".join(c.value for c in columns.missing(mapping)))
    rows: list[checking.Row] = []
    faults: list[checking.RowFault] = []
    judged = checking.check(
        table.rows, mapping, first_line=table.first_line, on=by.legal_day, compound=run.compound
    )
    for number, judgement in enumerate(judged, start=1):
        if isinstance(judgement, checking.Row):
            rows.append(judgement)
        else:
            faults += judgement
        if number % 2_000 == 0:
            progress(number, run.total)
    if faults:
        # Faults between rows (twice, elsewhere) are worth knowing in the same round of corrections.
        faults += writing.faults_between(rows)
        outcome = writing.Outcome(faults=sorted(faults, key=lambda f: f.line))
        outcome.counts["rows"] = len(rows) + len({f.line for f in faults} - {r.line for r in rows})
        return outcome
    point("people.import.after_check")
    return writing.write(
        rows,
        community=run.community,
        run_id=run.pk,
        by=by,
        progress=lambda done, total: progress(min(done, run.total), run.total),
    )


def import_roster(
    content: bytes,
    *,
    community: str,
    filename: str,
    by: Actor,
    compound: str = "",
    chosen: Sequence[Column] | None = None,
    dry: bool = False,
) -> ImportRun:
    """Receive, map, check and write in one go: the command line, the demonstration and tests.

    :raises Refused: as `receive_roster`, `choose_columns`
    :raises RosterHasFaults: nothing was written; the run keeps the error file
    """
    run_id = receive_roster(new_id(), community=community, filename=filename, content=content, by=by)
    run = ImportRun.objects.get(pk=run_id)
    mapping = list(chosen) if chosen is not None else [columns.Column(c) for c in run.columns]
    choose_columns(run_id, mapping, compound=compound, by=by)
    if dry:
        start_run(run_id, dry=True, by=by)
        return carry_out(run_id, by=by)
    ImportRun.objects.filter(pk=run_id).update(stage=Stage.CHECKED)
    start_run(run_id, dry=False, by=by)
    run = carry_out(run_id, by=by)
    if run.stage == Stage.FAULTY:
        raise RosterHasFaults(run=str(run.pk), faults=run.counts["faults"])
    return run


def error_book(run_id: UUID, *, by: Actor) -> bytes:
    """The faulty rows of an import as a spreadsheet with a column 错误, to correct and send again.

    :raises NotFound: no such import in reach, or it has no faults
    """
    run = ImportRun.objects.filter(pk=run_id).first()
    if run is None or run.faults is None or not by.may(Right.PEOPLE_ROSTER_IMPORT, over=run.community):
        raise NotFound()
    return unseal_bytes(run.faults, of=run.pk, field="faults")


@transaction.atomic
def decide_duplicate(duplicate_id: UUID, decision: str, *, by: Actor) -> None:
    """Say whether a held-back row is the registered person ("same") or somebody else ("different").

    The same: they move to the row's door if it is another. Different: they are registered as the row says.

    :raises NotFound: no such suspicion in reach
    :raises NotAllowed: `by` may not correct records over the row's home
    :raises SameIdOtherContent: it was decided otherwise
    """
    found = SuspectedDuplicate.objects.select_for_update().filter(pk=duplicate_id).first()
    if found is None or decision not in ("same", "different"):
        raise NotFound()
    by.require(Right.PEOPLE_PERSON_CORRECT, over=found.area)
    if found.decision:
        if found.decision != decision:
            raise SameIdOtherContent()
        return
    if decision == "same":
        move_person(found.person_id, area=found.area, by=by)
    else:
        register_person(_draft_of(found), by=by)
    found.decision, found.decided_at, found.decided_by = decision, by.at, by.user_id
    found.save(update_fields=["decision", "decided_at", "decided_by"])


def _draft_of(found: SuspectedDuplicate) -> PersonDraft:
    row = json.loads(unseal(found.row, of=found.pk, field="row"))
    return PersonDraft(
        person_id=found.pk,
        name=row["name"],
        area=found.area,
        id_type=IdType(row["id_type"]),
        id_no=row["id_no"],
        sex=Sex(row["sex"]),
        birth_date=date.fromisoformat(row["birth"]) if row["birth"] else None,
        phone=row["phone"],
        relation=row["relation"],
        care=frozenset(Care(c) for c in row["care"]),
        origin_division=row["origin"],
        source=Source.IMPORT,
    )


@dataclass(frozen=True, slots=True)
class Exported:
    """A list of people as a file."""

    content: bytes
    persons: int


@transaction.atomic
def ask_export(request_id: UUID, *, area: str, purpose: str, by: Actor) -> ExportRequest:
    """Ask for the people of an area as a file. Nothing leaves before a second person has agreed (trust matrix: d 2).

    Sending the same request again returns the one already made.

    :raises NotAllowed: `by` may not export over the area
    :raises ReasonNeeded: no purpose is written down
    :raises SameIdOtherContent: the id was used for another request
    """
    by.require(Right.PEOPLE_PERSON_EXPORT, over=area)
    purpose = purpose.strip()[:200]
    if len(purpose) < 4:
        raise ReasonNeeded()
    said = {"area": area, "purpose": purpose, "asked_by": by.user_id}
    made, new = ExportRequest.objects.get_or_create(
        id=request_id,
        defaults={**said, "asked_at": by.at, "organ": by.organ, "pseudonym": by.pseudonym},
    )
    if not new and any(getattr(made, column) != value for column, value in said.items()):
        raise SameIdOtherContent()
    return made


@transaction.atomic
def agree_to_export(request_id: UUID, *, by: Actor) -> ExportConsent:
    """Stand behind somebody else's export as the second person. The first agreement stays.

    :raises NotFound: there is no such request where `by` may export
    :raises OwnExport: `by` asked for it
    :raises ExportOver: it is older than a day
    """
    asked = _export_request(request_id, by)
    if asked.asked_by == by.user_id:
        raise OwnExport()
    if earlier := ExportConsent.objects.filter(request=asked).first():
        return earlier
    if by.at >= asked.asked_at + EXPORT_LASTS:
        raise ExportOver()
    return ExportConsent.objects.create(
        request=asked, at=by.at, by=by.user_id, organ=by.organ, pseudonym=by.pseudonym
    )


def _export_request(request_id: UUID, by: Actor) -> ExportRequest:
    asked = ExportRequest.objects.select_for_update().filter(pk=request_id).first()
    if asked is None or not by.may(Right.PEOPLE_PERSON_EXPORT, over=asked.area):
        raise NotFound()
    return asked


@transaction.atomic
def export_people(request_id: UUID, *, form: str, by: Actor) -> Exported:
    """Hand out what was asked for and agreed to: capped, marked with who and when, each reading recorded.

    :raises NotFound: `by` has not asked for it, or may not export there any more
    :raises NotAgreed: no second person has agreed
    :raises ExportOver: the request is older than a day
    :raises TooManyToExport: more people live there than one export may hold
    """
    asked = _export_request(request_id, by)
    if asked.asked_by != by.user_id:
        raise NotFound()
    if by.at >= asked.asked_at + EXPORT_LASTS:
        raise ExportOver()
    consent = ExportConsent.objects.filter(request=asked).first()
    if consent is None:
        raise NotAgreed()
    area, purpose = asked.area, asked.purpose
    with scope(areas=[area]):
        ids = list(Person.objects.order_by("pk").values_list("pk", flat=True)[: MOST_EXPORTED + 1])
        if len(ids) > MOST_EXPORTED:
            raise TooManyToExport(most=MOST_EXPORTED)
        views = reader.read(ids, list(PersonField), by=replace(by, request_id=request_id), reason=purpose)
        heads = {
            m.household_id: views[m.household.contact_id].name or ""
            for m in Membership.objects.filter(person_id__in=ids, valid_to=None).select_related("household")
            if m.household.contact_id in views
        }
        rows = exporting.rows_of(views.values(), heads)
    Export.objects.get_or_create(
        id=request_id,
        defaults={
            "area": area,
            "purpose": purpose,
            "persons": len(rows),
            "at": by.at,
            "user": by.user_id,
            "organ": by.organ,
            "pseudonym": by.pseudonym,
        },
    )
    content = (
        exporting.csv_of(rows)
        if form == "csv"
        else exporting.book_of(
            rows,
            mark=f"{by.organ} {by.pseudonym} / {consent.organ} {consent.pseudonym}",
            purpose=purpose,
            at=by.at,
        )
    )
    return Exported(content, len(rows))
