"""The database has the last word: each guard of this room refuses, and only that guard does.

Every case is run twice: as the schema stands it is refused by the guard named, and with the guard taken away (the
planted bug) it goes through. A case that some other guard would catch as well is therefore no case of its own.
"""

from __future__ import annotations

import importlib
from typing import Final

import pytest
from django.db import IntegrityError, connection, transaction

from lianfang.gates import jobs
from lianfang.kernel import clock

pytestmark = pytest.mark.django_db

G: Final = "'00000000-0000-7000-8000-000000000001'::uuid"
D: Final = "'00000000-0000-7000-8000-000000000002'::uuid"
NEW: Final = "gen_random_uuid()"
POINT: Final = "decode(repeat('04', 65), 'hex')"
GATE: Final = "INSERT INTO gates_gate (id, name, kind, area, zones, shards, phone) VALUES"
DEVICE: Final = "INSERT INTO gates_device (id, gate_id, point, enrolled_at, withdrawn_at, withdrawn_reason, missing_explained) VALUES"
BACKLOG: Final = "INSERT INTO gates_backlog (id, gate_id, passed_at, inward, verdict, pass_no, door, word, entered_at, entered_by) VALUES"
HOUR: Final = "INSERT INTO gates_hourcount (gate_id, hour, inward, verdict, reason, passages, overrides, by_hand) VALUES"
SIGNAL: Final = (
    "INSERT INTO gates_signal (device_id, gate_id, seq, row_hash, sealed, received_at, kind, facts, answered_at,"
    " answered_by, answered_as) VALUES"
)
SIGNED: Final = (
    "INSERT INTO gates_gateactsignature (act_id, signed_at, signed_by, signed_as, entry_id)"
    " SELECT id, now(), gen_random_uuid(), 'x', gen_random_uuid() FROM gates_gateact"
)
READING: Final = 'INSERT INTO gates_codereading (device_id, gate_id, seq, passage_received_at, at, "user", read_as, reason) VALUES'
ACT: Final = (
    'INSERT INTO gates_gateact (id, no, kind, area, zones, starts_at, ends_at, classes, times, "window", basis, remedy,'
    " proposed_at, proposed_by, proposed_as) VALUES"
)
AGES: Final = "INSERT INTO gates_agesact (id, no, day_hours, old_hours, basis, signed_at, signed_by, signed_as, entry_id) VALUES"

WORLD: Final = (
    f"{GATE} ({G}, 'g', 'road', 'd999999', '{{}}', '{{1}}', '0')",
    f"{DEVICE} ({D}, {G}, {POINT}, now(), NULL, '', '')",
    f"INSERT INTO gates_passage_key VALUES ({D}, '[1,3)', now())",
    f"INSERT INTO gates_passage VALUES ({D}, 1, {G}, now(), 'a')",
    f"INSERT INTO gates_conflict (device_id, seq, row_hash, sealed, received_at, explained) VALUES ({D}, 1, 'h', 's', now(), '')",
    f"{HOUR} ({G}, '2020-02-10T00:00Z', true, 'ALLOW', 'OK', 1, 0, 0)",
    f"{SIGNAL} ({D}, {G}, 1, 'h', 's', now(), 'help', '{{}}', NULL, NULL, '')",
    f"INSERT INTO gates_keptcode (device_id, gate_id, seq, received_at, inward, verdict) VALUES ({D}, {G}, 1, now(), true, 'CALL')",
    f"{READING} ({D}, {G}, 1, now(), now(), {NEW}, 'x', 'y')",
    f"INSERT INTO gates_carriedfile VALUES ({NEW}, 'h', now(), {NEW}, 'x', '[]', 'a')",
    f"{ACT} ({NEW}, 'Q1', 'quota', 'd999999', '{{m1}}', now(), now() + interval '1 day', 'H', 1, 1, 'b', 'r', now(), {NEW}, 'x')",
    f"{AGES} ({NEW}, 1, 36, 96, 'b', now(), {NEW}, 'x', {NEW})",
    "INSERT INTO gates_progress VALUES (1, 0)",
)

#: (table, the guard, what it must refuse). A guard that is a trigger stands with its trigger's name.
CASES: Final = [
    ("gates_gate", "gate_kind_is_known", f"{GATE} ({NEW}, 'g', 'school', 'd999999', '{{}}', '{{1}}', '0')"),
    ("gates_gate", "gate_of_a_compound_guards_one", f"{GATE} ({NEW}, 'g', 'compound', 'd999999', '{{}}', '{{1}}', '0')"),
    ("gates_gate", "gate_has_a_list", f"{GATE} ({NEW}, 'g', 'road', 'd999999', '{{}}', '{{}}', '0')"),
    ("gates_device", "device_is_withdrawn_for_a_reason", f"UPDATE gates_device SET withdrawn_at = now() WHERE id = {D}"),
    ("gates_device", "device_key_is_a_point", f"{DEVICE} ({NEW}, {G}, 'short', now(), NULL, '', '')"),
    ("gates_enrolmentcode", "code_expires_after_it_is_made", f"INSERT INTO gates_enrolmentcode VALUES ('c', now(), {NEW}, now(), NULL, {G})"),
    ("gates_conflict", "conflict_is_kept_once", f"INSERT INTO gates_conflict (device_id, seq, row_hash, sealed, received_at, explained) VALUES ({D}, 1, 'h', 't', now(), '')"),
    ("gates_conflict", "conflict_stays_as_received", "UPDATE gates_conflict SET sealed = 'other'"),
    ("gates_hourcount", "hour_is_counted_once", f"{HOUR} ({G}, '2020-02-10T00:00Z', true, 'ALLOW', 'OK', 2, 0, 0)"),
    ("gates_backlog", "backlog_names_number_door_or_word", f"{BACKLOG} ({NEW}, {G}, now(), true, 'ALLOW', '', '', '', now(), {NEW})"),
    ("gates_backlog", "backlog_verdict_is_known", f"{BACKLOG} ({NEW}, {G}, now(), true, 'MAYBE', '', '1-1', '', now(), {NEW})"),
    ("gates_backlog", "backlog_is_entered_after_the_passage", f"{BACKLOG} ({NEW}, {G}, now() + interval '1 s', true, 'ALLOW', '', '1-1', '', now(), {NEW})"),
    ("gates_progress", "progress_is_one", "INSERT INTO gates_progress VALUES (2, 0)"),
    ("gates_passage_key", "passage_is_stored_once", f"INSERT INTO gates_passage_key VALUES ({D}, '[2,4)', now())"),
    ("gates_passage_key", "passage_key_stays_as_received", "UPDATE gates_passage_key SET seqs = '[5,6)'"),
    ("gates_passage", "passage_is_numbered_from_one", f"INSERT INTO gates_passage VALUES ({D}, 0, {G}, now(), 'a')"),
    ("gates_passage", "passage_stays_as_received", "UPDATE gates_passage SET sealed = 'b'"),
    ("gates_passage", "passage_stays_as_received", "DELETE FROM gates_passage"),
    ("gates_signal", "signal_is_kept_once", f"{SIGNAL} ({D}, {G}, 1, 'h', 's', now(), 'help', '{{}}', NULL, NULL, '')"),
    ("gates_signal", "signal_is_numbered_from_one", f"{SIGNAL} ({D}, {G}, 0, 'h', 's', now(), 'help', '{{}}', NULL, NULL, '')"),
    ("gates_signal", "signal_kind_is_known", f"{SIGNAL} ({D}, {G}, 2, 'h', 's', now(), 'gossip', '{{}}', NULL, NULL, '')"),
    ("gates_signal", "signal_is_answered_by_somebody", "UPDATE gates_signal SET answered_at = now(), answered_as = 'x'"),
    ("gates_signal", "signal_stays_as_received", "UPDATE gates_signal SET facts = '{\"a\": 1}'"),
    ("gates_signal", "signal_stays_as_received", "DELETE FROM gates_signal"),
    ("gates_keptcode", "code_of_a_passage_is_noted_once", f"INSERT INTO gates_keptcode (device_id, gate_id, seq, received_at, inward, verdict) VALUES ({D}, {G}, 1, now(), true, 'CALL')"),
    ("gates_codereading", "code_is_opened_for_a_reason", f"{READING} ({D}, {G}, 2, now(), now(), {NEW}, 'x', '')"),
    ("gates_codereading", "code_reading_stays_as_written", "UPDATE gates_codereading SET reason = 'z'"),
    ("gates_codereading", "code_reading_stays_as_written", "DELETE FROM gates_codereading"),
    ("gates_rulefile", "ages_of_evidence_follow_each_other", "INSERT INTO gates_rulefile (version, signed_at, fever_tenths, day_hours, old_hours, data) VALUES (1, now(), 373, 72, 24, 'd')"),
    ("gates_rulefile", "ages_of_evidence_follow_each_other", "INSERT INTO gates_rulefile (version, signed_at, fever_tenths, old_hours, data) VALUES (1, now(), 373, 721, 'd')"),
    ("gates_agesact", "ages_act_names_its_basis", f"{AGES} ({NEW}, 2, 36, 96, '', now(), {NEW}, 'x', {NEW})"),
    ("gates_agesact", "ages_act_keeps_to_its_bounds", f"{AGES} ({NEW}, 2, 11, 96, 'b', now(), {NEW}, 'x', {NEW})"),
    ("gates_agesact", "ages_act_keeps_to_its_bounds", f"{AGES} ({NEW}, 2, 36, 169, 'b', now(), {NEW}, 'x', {NEW})"),
    ("gates_agesact", "ages_act_keeps_to_its_bounds", f"{AGES} ({NEW}, 2, 36, 36, 'b', now(), {NEW}, 'x', {NEW})"),
    ("gates_agesact", "ages_act_stays_as_said", "UPDATE gates_agesact SET basis = 'c'"),
    ("gates_agesact", "ages_act_stays_as_said", "DELETE FROM gates_agesact"),
    ("gates_carriedfile", "carried_file_stays_as_brought", "UPDATE gates_carriedfile SET brought_as = 'y'"),
    ("gates_carriedfile", "carried_file_stays_as_brought", "DELETE FROM gates_carriedfile"),
    ("gates_gateact", "act_stays_as_said", "UPDATE gates_gateact SET ends_at = ends_at + interval '1 h'"),
    ("gates_gateact", "act_ends_within_14_days", f"{ACT} ({NEW}, 'Q2', 'quota', 'd999999', '{{m1}}', now(), now() + interval '15 days', 'H', 1, 1, 'b', 'r', now(), {NEW}, 'x')"),
    ("gates_gateact", "act_ends_after_start", f"{ACT} ({NEW}, 'Q2', 'quota', 'd999999', '{{m1}}', now(), now(), 'H', 1, 1, 'b', 'r', now(), {NEW}, 'x')"),
    ("gates_gateact", "act_names_its_compounds", f"{ACT} ({NEW}, 'Q2', 'quota', 'd999999', '{{}}', now(), now() + interval '1 day', 'H', 1, 1, 'b', 'r', now(), {NEW}, 'x')"),
    ("gates_gateact", "act_names_basis_and_remedy", f"{ACT} ({NEW}, 'Q2', 'quota', 'd999999', '{{m1}}', now(), now() + interval '1 day', 'H', 1, 1, '', 'r', now(), {NEW}, 'x')"),
    ("gates_gateact", "quota_leaves_a_way_out", f"{ACT} ({NEW}, 'Q2', 'quota', 'd999999', '{{m1}}', now(), now() + interval '1 day', 'H', 0, 1, 'b', 'r', now(), {NEW}, 'x')"),
    ("gates_gateactsignature", "act_is_signed_by_another", SIGNED.replace("gen_random_uuid(), 'x'", "proposed_by, 'x'")),
    ("gates_gateactsignature", "act_is_signed_by_another", SIGNED.replace("id, now()", "id, ends_at")),
    ("gates_gateactlift", "only_a_signed_act_is_lifted", "INSERT INTO gates_gateactlift (act_id, reason, lifted_at, lifted_by, lifted_as, entry_id) SELECT id, 'x', now(), gen_random_uuid(), 'x', gen_random_uuid() FROM gates_gateact"),
]  # fmt: skip
#: What a trigger says where it is not its own name.
SAYS: Final = {
    "passage_key_stays_as_received": "passage_stays_as_received",
    ("signal_stays_as_received", "DELETE FROM gates_signal"): "call_stays_until_answered",
    ("act_is_signed_by_another", CASES[-2][2]): "act_is_signed_before_its_end",
}


@pytest.mark.parametrize(
    ("table", "guard", "statement"), CASES, ids=[f"{c[1]}-{n}" for n, c in enumerate(CASES)]
)
def test_a_guard_refuses_and_without_it_the_row_goes_through(table: str, guard: str, statement: str) -> None:
    jobs.ensure_partitions(clock.now())
    name = SAYS.get((guard, statement)) or SAYS.get(guard, guard)
    with connection.cursor() as cursor:
        for row in WORLD:
            cursor.execute(row)
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            cursor.execute(statement)
        cursor.execute(
            "SELECT 1 FROM pg_trigger WHERE tgrelid = %s::regclass AND tgname = %s", [table, guard]
        )
        is_trigger = cursor.fetchone() is not None
        # What waits for the end of the transaction would hold up a change of the table.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        if is_trigger:
            cursor.execute(f"DROP TRIGGER {guard} ON {table}")
        else:
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {guard}")
        cursor.execute(statement)
        assert cursor.rowcount >= 1


def test_what_was_explained_before_spoke_for_all_that_was_missing_then() -> None:
    """Migration 0010."""
    migration = importlib.import_module("lianfang.gates.migrations.0010_last_seq")
    with connection.cursor() as cursor:
        cursor.execute(f"{GATE} ({G}, 'g', 'road', 'd999999', '{{}}', '{{1}}', '0')")
        for device, point, why in ((D, "04", "broken"), (NEW, "05", "")):
            cursor.execute(
                f"{DEVICE} ({device}, {G}, decode(repeat('{point}', 65), 'hex'), now(), NULL, '', '{why}')"
            )
        cursor.execute(
            "INSERT INTO gates_contact (device_id, last_at, list_version, highest_seq, stored)"
            " SELECT id, now(), 0, 9, 7 FROM gates_device"
        )
        cursor.execute(migration.EXPLAINED)
        cursor.execute("SELECT missing_explained, explained_count FROM gates_device ORDER BY 1")
        assert cursor.fetchall() == [("", 0), ("broken", 2)]


def test_keys_of_single_passages_become_ranges_of_those_received_together() -> None:
    """Migration 0008 on what 0002 made: runs of one batch become ranges, what is still to be counted too."""
    jobs.ensure_partitions(clock.now())
    migration = importlib.import_module("lianfang.gates.migrations.0008_passage_ranges")
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE gates_passage_key, gates_untallied")
        cursor.execute(
            "CREATE TABLE gates_passage_key (device uuid, seq bigint, hash bytea, received_on date, PRIMARY KEY (device, seq));"
            "CREATE TABLE gates_untallied (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, device uuid NOT NULL,"
            " gate uuid NOT NULL, seqs bigint[] NOT NULL, received_at timestamptz NOT NULL)"
        )
        for first, last, minutes in ((1, 3, 0), (5, 6, 0), (4, 4, 1), (7, 9, 2)):
            cursor.execute(
                f"INSERT INTO gates_passage SELECT {D}, n, {G}, now() + make_interval(mins => %s), 'a'"
                " FROM generate_series(%s::bigint, %s) AS n",
                [minutes, first, last],
            )
        cursor.execute(
            f"INSERT INTO gates_untallied (device, gate, seqs, received_at) VALUES ({D}, {G}, '{{1,2,3,5,6}}', now())"
        )
        cursor.execute(migration.FORWARDS)
        cursor.execute("SELECT seqs::text FROM gates_passage_key ORDER BY seqs")
        assert [seqs for (seqs,) in cursor.fetchall()] == ["[1,4)", "[4,5)", "[5,7)", "[7,10)"]
        cursor.execute("SELECT seqs::text FROM gates_untallied ORDER BY seqs")
        assert [seqs for (seqs,) in cursor.fetchall()] == ["[1,4)", "[5,7)"]
        with pytest.raises(IntegrityError, match="passage_is_stored_once"), transaction.atomic():
            cursor.execute(f"INSERT INTO gates_passage_key VALUES ({D}, '[9,12)', now())")
