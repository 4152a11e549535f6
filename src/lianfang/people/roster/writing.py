"""Comparing a checked roster with what is registered, and writing it: all or nothing, set by set.

Runs inside the caller's transaction and the scope of the one community. A dry run is the same run, rolled
back by the caller: its counts cannot differ from those of the real one.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from django.db import connection

from lianfang.kernel.ids import new_id
from lianfang.kernel.points import point
from lianfang.people.models import SuspectedDuplicate
from lianfang.people.naming import given, initials
from lianfang.people.policy import OF_AGE, Source, age
from lianfang.people.sealing import blind_index, seal

from .checking import Row, RowFault
from .homes import Homes, find_homes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from uuid import UUID

    from lianfang.kernel.actor import Actor

    Progress = Callable[[int, int], None]

_HEADS: Final = frozenset({"户主", "本人", "户主本人"})


@dataclass(slots=True)
class Outcome:
    """What a run did or would do. `counts` equal the differences of the tables (I-5)."""

    counts: Counter[str] = field(default_factory=Counter)
    faults: list[RowFault] = field(default_factory=list)


@dataclass(slots=True)
class _Known:
    """A registered person a row was found to be."""

    id: UUID
    name: str
    area: str
    phone_index: bytes | None
    birth: Any
    sex: str
    care: list[str]
    numbered: bool
    why: str


def write(rows: Sequence[Row], *, community: str, run_id: UUID, by: Actor, progress: Progress) -> Outcome:
    """Write the rows. With any fault in the outcome the caller rolls back."""
    outcome = Outcome()
    outcome.counts["rows"] = len(rows)
    outcome.faults += faults_between(rows)
    if outcome.faults:
        return outcome
    with connection.cursor() as cursor:
        # Two imports into one community queue here, so neither compares with half of the other.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 62))", [community])
    homes, made = find_homes(rows, community=community, on=by.legal_day)
    outcome.counts["places_new"] = made
    progress(len(rows), 4 * len(rows))

    indexes = {
        row.line: (
            blind_index(f"{row.id_type.value}:{row.id_no}", field="id_no") if row.id_no else None,
            blind_index(row.phone, field="phone") if row.phone else None,
        )
        for row in rows
    }
    _stage(rows, homes, indexes)
    known = _match()
    outcome.faults += _contradictions(rows, known)
    held = _suspicions(rows, known, homes, indexes)
    if outcome.faults:
        return outcome
    progress(2 * len(rows), 4 * len(rows))

    held_lines, waiting = _hold(rows, held, homes, run_id=run_id, by=by)
    fresh = [r for r in rows if r.line not in known and r.line not in held_lines]
    point("people.import.half_written")
    ids: dict[int, UUID] = {line: k.id for line, k in known.items()}
    ids |= {row.line: new_id() for row in fresh}
    households, made_households = _households(rows, ids, known, held_lines, homes, by=by)
    elsewhere = _insert(fresh, ids, homes, indexes, households, by=by)
    outcome.faults += [RowFault(line, "number_registered_elsewhere", "id_no") for line in elsewhere]
    if outcome.faults:
        return outcome
    progress(3 * len(rows), 4 * len(rows))
    changed = _change(rows, known, indexes, homes)
    guardians, missing = _guardians(rows, ids, held_lines, homes, by=by)
    outcome.faults += missing
    outcome.counts.update(
        new=len(fresh),
        held=waiting,
        changed=changed,
        unchanged=len(rows) - len(fresh) - waiting - changed,
        households_new=made_households,
        guardians_new=guardians,
    )
    progress(4 * len(rows), 4 * len(rows))
    return outcome


def faults_between(rows: Iterable[Row]) -> list[RowFault]:
    """Numbers and persons that stand in the file more than once: the later line is the fault."""
    faults, numbers, persons = [], set(), set()
    for row in rows:
        number = (row.id_type, row.id_no)
        if row.id_no and number in numbers:
            faults.append(RowFault(row.line, "number_twice", "id_no"))
        numbers.add(number)
        person = (row.dwelling, row.name, row.birth, row.phone)
        if not row.id_no:
            if person in persons:
                faults.append(RowFault(row.line, "row_twice", "name"))
            persons.add(person)
    return faults


def _stage(rows: Iterable[Row], homes: Homes, indexes: dict[int, tuple[bytes | None, bytes | None]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "DROP TABLE IF EXISTS lf_roster;"
            "CREATE TEMP TABLE lf_roster (line int, area ltree, name text, id_index bytea, phone_index bytea,"
            " birth date, person uuid, why text) ON COMMIT DROP"
        )
        with cursor.copy(
            "COPY lf_roster (line, area, name, id_index, phone_index, birth) FROM STDIN"
        ) as copy:
            for row in rows:
                copy.write_row((row.line, homes[row.dwelling], row.name, *indexes[row.line], row.birth))
        cursor.execute("ANALYZE lf_roster")


def _match() -> dict[int, _Known]:
    """Who of the file is registered: by number, else by door, name and (where both are known) birth date."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE lf_roster r SET person = p.id, why = 'number' FROM people_person p"
            " WHERE p.id_index = r.id_index"
        )
        cursor.execute(
            "UPDATE lf_roster r SET person = m.id, why = 'door' FROM ("
            " SELECT DISTINCT ON (r.line) r.line, p.id FROM lf_roster r JOIN people_person p"
            "  ON p.area = r.area AND p.name = r.name"
            "  AND (p.birth_date IS NULL OR r.birth IS NULL OR p.birth_date = r.birth)"
            "  WHERE r.id_index IS NULL AND r.person IS NULL ORDER BY r.line,"
            "  (p.birth_date IS NOT DISTINCT FROM r.birth) DESC, p.id) m WHERE m.line = r.line"
        )
        cursor.execute(
            "SELECT r.line, p.id, p.name, p.area, p.phone_index, p.birth_date, p.sex, p.care,"
            " p.id_index IS NOT NULL, r.why FROM lf_roster r JOIN people_person p ON p.id = r.person"
        )
        return {
            line: _Known(pk, name, area, _bytes(phone), birth, sex, list(care), numbered, why)
            for line, pk, name, area, phone, birth, sex, care, numbered, why in cursor.fetchall()
        }


def _bytes(value: bytes | memoryview | None) -> bytes | None:
    return None if value is None else bytes(value)


def _contradictions(rows: Iterable[Row], known: dict[int, _Known]) -> list[RowFault]:
    """A number registered under another name: one of the two sheets is wrong, and people must look."""
    return [
        RowFault(row.line, "number_of_another_name", "name")
        for row in rows
        if row.line in known and known[row.line].name != row.name
    ]


def _suspicions(
    rows: Iterable[Row],
    known: dict[int, _Known],
    homes: Homes,
    indexes: dict[int, tuple[bytes | None, bytes | None]],
) -> dict[int, tuple[UUID, str]]:
    """Rows that may be somebody registered, and cannot be told by machine: line → (person, why)."""
    held = {
        row.line: (known[row.line].id, "other_door")
        for row in rows
        if row.line in known and known[row.line].area != homes[row.dwelling]
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT ON (r.line) r.line, p.id, CASE WHEN p.phone_index = r.phone_index THEN 'name_and_phone'"
            "  WHEN p.birth_date = r.birth THEN 'name_and_birth' ELSE 'name_and_door' END"
            " FROM lf_roster r JOIN people_person p ON p.name = r.name"
            " WHERE r.person IS NULL AND (p.id_index IS NULL OR r.id_index IS NULL)"
            "  AND (p.phone_index = r.phone_index OR p.birth_date = r.birth OR p.area = r.area)"
            "  AND NOT EXISTS (SELECT 1 FROM lf_roster o WHERE o.person = p.id)"
            " ORDER BY r.line, p.id"
        )
        held |= {line: (pk, why) for line, pk, why in cursor.fetchall()}
    return held


def _hold(
    rows: Iterable[Row],
    held: dict[int, tuple[UUID, str]],
    homes: Homes,
    *,
    run_id: UUID,
    by: Actor,
) -> tuple[set[int], int]:
    """Put suspected rows aside, except those decided to be different people.

    Returns the lines not to be written, and how many of them wait for a decision.
    """
    if not held:
        return set(), 0
    digests = {row.line: blind_index(row.digest().hex(), field="row") for row in rows if row.line in held}
    decided = {
        (d.person_id, bytes(d.digest)): d.decision
        for d in SuspectedDuplicate.objects.filter(person_id__in={pk for pk, _ in held.values()})
    }
    skipped: set[int] = set()
    waiting = 0
    new: list[SuspectedDuplicate] = []
    for row in rows:
        if row.line not in held:
            continue
        person_id, why = held[row.line]
        decision = decided.get((person_id, digests[row.line]))
        if decision == "different":
            continue
        skipped.add(row.line)
        waiting += decision != "same"
        if decision is None:
            pk = new_id()
            sealed = seal(json.dumps(asdict(row), default=str, ensure_ascii=False), of=pk, field="row")
            new.append(
                SuspectedDuplicate(
                    id=pk,
                    person_id=person_id,
                    run=run_id,
                    row_no=row.line,
                    digest=digests[row.line],
                    area=homes[row.dwelling],
                    row=sealed,
                    why=why,
                    found_at=by.at,
                )
            )
    SuspectedDuplicate.objects.bulk_create(new, ignore_conflicts=True, batch_size=1000)
    return skipped, waiting


def _households(
    rows: Iterable[Row],
    ids: dict[int, UUID],
    known: dict[int, _Known],
    skipped: set[int],
    homes: Homes,
    *,
    by: Actor,
) -> tuple[dict[int, UUID], int]:
    """The household of each line: the one its people live in, else one that begins now."""
    at_home: defaultdict[str, dict[UUID, str]] = defaultdict(dict)
    of_person: dict[UUID, UUID] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT m.household_id, m.area, m.person_id, coalesce(c.name, '') FROM people_membership m"
            " JOIN people_household h ON h.id = m.household_id LEFT JOIN people_person c ON c.id = h.contact_id"
            " WHERE m.valid_to IS NULL"
        )
        for household, area, person, contact in cursor.fetchall():
            at_home[area][household] = contact
            of_person[person] = household
    groups: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    last_head: dict[str, str] = {}
    for row in rows:
        if row.line in skipped:
            continue
        area = homes[row.dwelling]
        head = row.head or (row.name if row.relation in _HEADS else last_head.get(area, ""))
        last_head[area] = head
        groups[area, head].append(row)

    found: dict[int, UUID] = {}
    new: list[tuple[UUID, str]] = []
    for (area, head), members in groups.items():
        own = next(
            (of_person[ids[r.line]] for r in members if r.line in known and ids[r.line] in of_person), None
        )
        here = at_home[area]
        if own is None and head:
            own = next((h for h, contact in here.items() if contact == head), None)
        if own is None and not head and len(here) == 1:
            own = next(iter(here))
        if own is None and any(r.line not in known for r in members):
            own = new_id()
            new.append((own, area))
        if own is not None:
            found |= {r.line: own for r in members}
    with (
        connection.cursor() as cursor,
        cursor.copy("COPY people_household (id, area, valid_from) FROM STDIN") as copy,
    ):
        for household, area in new:
            copy.write_row((household, area, by.legal_day))
    return found, len(new)


def _insert(
    fresh: Sequence[Row],
    ids: dict[int, UUID],
    homes: Homes,
    indexes: dict[int, tuple[bytes | None, bytes | None]],
    households: dict[int, UUID],
    *,
    by: Actor,
) -> list[int]:
    """Insert the new persons and their memberships; returns the lines whose number somebody out of sight has."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DROP TABLE IF EXISTS lf_new;"
            "CREATE TEMP TABLE lf_new (line int, id uuid, name text, name_given text, initials text, sex text,"
            " birth date, id_type text, id_sealed bytea, id_index bytea, phone_sealed bytea, phone_index bytea,"
            " origin text, care varchar[], area ltree, household uuid, relation text, head boolean)"
            " ON COMMIT DROP"
        )
        with cursor.copy("COPY lf_new FROM STDIN") as copy:
            for row in fresh:
                pk = ids[row.line]
                id_index, phone_index = indexes[row.line]
                copy.write_row(
                    (
                        row.line, pk, row.name, given(row.name), initials(row.name), row.sex.value, row.birth,
                        row.id_type.value, seal(row.id_no, of=pk, field="id_no") if row.id_no else None, id_index,
                        seal(row.phone, of=pk, field="phone") if row.phone else None, phone_index, row.origin,
                        row.care, homes[row.dwelling], households[row.line], row.relation,
                        row.relation in _HEADS or (bool(row.head) and row.head == row.name),
                    )
                )  # fmt: skip
        cursor.execute(
            "INSERT INTO people_person (id, name, name_given, initials, sex, birth_date, id_type, id_sealed,"
            " id_index, phone_sealed, phone_index, origin_division, care, area, source, recorded_at, recorded_by,"
            " version)"
            " SELECT id, name, name_given, initials, sex, birth, id_type, id_sealed, id_index, phone_sealed,"
            " phone_index, origin, care, area, %s, %s, %s, 1 FROM lf_new ORDER BY line"
            " ON CONFLICT (id_index) DO NOTHING",
            [Source.IMPORT.value, by.at, by.user_id],
        )
        if cursor.rowcount != len(fresh):
            cursor.execute(
                "SELECT n.line FROM lf_new n WHERE NOT EXISTS (SELECT 1 FROM people_person p WHERE p.id = n.id)"
                " ORDER BY n.line"
            )
            return [line for (line,) in cursor.fetchall()]
        cursor.execute(
            "INSERT INTO people_membership (household_id, person_id, area, member_no, relation, valid_from)"
            " SELECT n.household, n.id, n.area, coalesce(o.last, 0)"
            "  + row_number() OVER (PARTITION BY n.household ORDER BY n.head DESC, n.line), n.relation, %s"
            " FROM lf_new n LEFT JOIN (SELECT household_id, max(member_no) AS last FROM people_membership"
            "  GROUP BY household_id) o ON o.household_id = n.household",
            [by.legal_day],
        )
        cursor.execute(
            "UPDATE people_household h SET contact_id = f.id FROM (SELECT DISTINCT ON (household) household, id"
            " FROM lf_new ORDER BY household, head DESC, line) f WHERE h.id = f.household AND h.contact_id IS NULL"
        )
    return []


def _change(
    rows: Iterable[Row],
    known: dict[int, _Known],
    indexes: dict[int, tuple[bytes | None, bytes | None]],
    homes: Homes,
) -> int:
    """Bring what is registered up to what the file says. An empty cell erases nothing."""
    changes = []
    for row in rows:
        person = known.get(row.line)
        if person is None or person.area != homes[row.dwelling]:
            continue
        phone_index = indexes[row.line][1]
        new_phone = phone_index is not None and phone_index != person.phone_index
        new_birth = row.birth is not None and person.birth is None
        new_sex = row.sex.value != "U" and person.sex == "U"
        new_care = bool(row.care) and row.care != sorted(person.care)
        if new_phone or new_birth or new_sex or new_care:
            changes.append(
                (
                    person.id,
                    seal(row.phone, of=person.id, field="phone") if new_phone else None,
                    phone_index if new_phone else None,
                    row.birth if new_birth else None,
                    row.sex.value if new_sex else None,
                    row.care if new_care else None,
                )
            )
    if not changes:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "DROP TABLE IF EXISTS lf_changed;"
            "CREATE TEMP TABLE lf_changed (id uuid, phone_sealed bytea, phone_index bytea, birth date, sex text,"
            " care varchar[]) ON COMMIT DROP"
        )
        with cursor.copy("COPY lf_changed FROM STDIN") as copy:
            for change in changes:
                copy.write_row(change)
        cursor.execute(
            "UPDATE people_person p SET phone_sealed = coalesce(c.phone_sealed, p.phone_sealed),"
            " phone_index = coalesce(c.phone_index, p.phone_index),"
            " birth_date = coalesce(c.birth, p.birth_date), sex = coalesce(c.sex, p.sex),"
            " care = coalesce(c.care, p.care), version = p.version + 1 FROM lf_changed c WHERE c.id = p.id"
        )
    return len(changes)


def _guardians(
    rows: Iterable[Row], ids: dict[int, UUID], skipped: set[int], homes: Homes, *, by: Actor
) -> tuple[int, list[RowFault]]:
    """Record guardians named in the file: people of the same door, of age."""
    wanted = [r for r in rows if r.guardian and r.line not in skipped]
    if not wanted:
        return 0, []
    at_door: dict[tuple[str, str], tuple[UUID, Any]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT area, name, id, birth_date FROM people_person WHERE area = ANY(%s::ltree[])",
            [sorted({homes[r.dwelling] for r in wanted})],
        )
        for area, name, pk, birth in cursor.fetchall():
            at_door[area, name] = (pk, birth)
    faults: list[RowFault] = []
    pairs: list[tuple[UUID, UUID]] = []
    for row in wanted:
        guardian = at_door.get((homes[row.dwelling], row.guardian))
        of_age = guardian is not None and (guardian[1] is None or age(guardian[1], on=by.legal_day) >= OF_AGE)
        if guardian is None or not of_age or guardian[0] == ids[row.line]:
            faults.append(RowFault(row.line, "guardian_not_found", "guardian"))
        else:
            pairs.append((ids[row.line], guardian[0]))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO people_guardian (id, ward_id, guardian_id, basis, valid_from)"
            " SELECT k, w, g, 'roster', %s FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[]) AS t (k, w, g)"
            " WHERE NOT EXISTS (SELECT 1 FROM people_guardian o WHERE o.ward_id = w AND o.guardian_id = g"
            "  AND o.valid_to IS NULL)",
            [by.legal_day, [new_id() for _ in pairs], [w for w, _ in pairs], [g for _, g in pairs]],
        )
        return cursor.rowcount, faults
