"""Owed messages: in the act's transaction, ids only, delivered once, late after two hours."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from lianfang.kernel import ids
from lianfang.kernel.errors import NotFound
from lianfang.messaging import actions, policy, queries
from lianfang.messaging.models import Attempt, OwedMessage
from lianfang.messaging.policy import Means
from tests.factories.accounts import AT, an_officer

if TYPE_CHECKING:
    from uuid import UUID

    from lianfang.kernel.actor import Actor

HOUR = timedelta(hours=1)


def officer(at: datetime = AT) -> Actor:
    return an_officer("cdc", at=at)


def owed(by: Actor, *, to: UUID | None = None, due_in: timedelta = HOUR) -> UUID:
    return actions.owe(
        "orders/isolation_notice",
        to=to or ids.new_id(),
        facts={"order": str(ids.new_id()), "order_no": "20200130-000427"},
        due_by=by.at + due_in,
        by=by,
    )


@pytest.mark.django_db
def test_a_message_is_owed_until_it_arrives() -> None:
    by = officer()
    person = ids.new_id()
    message = owed(by, to=person)
    (found,) = queries.undelivered(by.at)
    assert (found.id, found.to, found.attempts, found.delivered_at) == (message, person, 0, None)
    assert found.template == "orders/isolation_notice"

    later = officer(by.at + 10 * timedelta(minutes=1))
    actions.record_failure(message, means=Means.SMS, by=later)
    assert [m.id for m in queries.undelivered(later.at)] == [message]
    assert actions.record_delivery(message, means=Means.PAPER, by=later)

    assert queries.undelivered(later.at) == []
    (found,) = queries.owed_to(person, at=later.at)
    assert (found.attempts, found.delivered_at, found.means) == (2, later.at, Means.PAPER)
    # What was true before stays true of that instant.
    assert [m.id for m in queries.undelivered(by.at)] == [message]
    assert queries.owed_to(person, at=by.at - HOUR) == []
    assert queries.owed_to(ids.new_id(), at=later.at) == []


@pytest.mark.django_db
def test_the_first_arrival_counts() -> None:
    by = officer()
    message = owed(by)
    assert actions.record_delivery(message, means=Means.PAGE, by=by)
    assert not actions.record_delivery(message, means=Means.CALL, by=officer(by.at + HOUR))
    assert Attempt.objects.get().means == Means.PAGE


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("due_in", "after", "is_late"),
    [
        (HOUR, HOUR - timedelta(seconds=1), False),
        (HOUR, HOUR, True),
        (24 * HOUR, 2 * HOUR - timedelta(seconds=1), False),
        (24 * HOUR, 2 * HOUR, True),
    ],
)
def test_undelivered_after_its_hour_or_two_hours_is_a_task(
    due_in: timedelta, after: timedelta, is_late: bool
) -> None:
    by = officer()
    message = owed(by, due_in=due_in)
    at = by.at + after
    assert [m.id for m in queries.late(at)] == ([message] if is_late else [])
    assert policy.needs_a_person(owed_at=by.at, due_by=by.at + due_in, at=at) is is_late
    actions.record_delivery(message, means=Means.PAGE, by=officer(at))
    assert queries.late(at) == []


@pytest.mark.django_db(transaction=True)
def test_an_act_undone_owes_nothing() -> None:
    by = officer()

    @transaction.atomic
    def an_act_that_fails() -> None:
        owed(by)
        raise RuntimeError("after it owed the message")

    with pytest.raises(RuntimeError, match="after it owed"):
        an_act_that_fails()
    assert not OwedMessage.objects.exists()


@pytest.mark.django_db
def test_nothing_is_recorded_of_an_unknown_message() -> None:
    by = officer()
    for act in (actions.record_delivery, actions.record_failure):
        with pytest.raises(NotFound):
            act(ids.new_id(), means=Means.SMS, by=by)


@pytest.mark.django_db(transaction=True)
def test_two_reports_of_one_arrival_make_one(monkeypatch: pytest.MonkeyPatch) -> None:
    by = officer()
    message = owed(by)
    write = actions._try

    def write_late(*args: Any) -> None:
        time.sleep(0.3)  # long enough for all four to have looked before one has written
        write(*args)

    monkeypatch.setattr(actions, "_try", write_late)

    def report(means: Means) -> bool:
        try:
            return actions.record_delivery(message, means=means, by=by)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        firsts = list(pool.map(report, [Means.PAGE, Means.SMS, Means.CALL, Means.PAPER]))
    assert firsts.count(True) == 1
    assert Attempt.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "facts",
    [
        {"name": "罗示例"},
        {"phone": "19900000101"},
        {"number": "999999199001011237"},
        {"number": "99999919900101123X"},
        {"note": "order 5"},
        {"Order": "x"},
        {"place": ""},
        {"reason": "x" * 65},
    ],
)
def test_facts_are_ids_and_codes(facts: dict[str, str]) -> None:
    by = officer()
    with pytest.raises(ValueError, match="ids and codes"):
        actions.owe("orders/isolation_notice", to=ids.new_id(), facts=facts, due_by=by.at, by=by)


@pytest.mark.django_db
def test_a_message_names_its_template_and_is_not_due_before_it_is_owed() -> None:
    by = officer()
    with pytest.raises(ValueError, match="template"):
        actions.owe("您被隔离了", to=ids.new_id(), facts={}, due_by=by.at, by=by)
    with pytest.raises(ValueError, match="due"):
        owed(by, due_in=-timedelta(seconds=1))


# --- the schema is the last word -----------------------------------------------------------------


def insert(facts: object, *, template: str = "orders/lift", due: str = "2020-02-10 02:00+00") -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO messaging_owedmessage (id, template, recipient, facts, owed_at, due_by, owed_by_organ)"
            " VALUES (%s, %s, %s, %s::jsonb, '2020-02-10 01:00+00', %s, 'x')",
            [ids.new_id(), template, ids.new_id(), json.dumps(facts), due],
        )


@pytest.mark.django_db
@pytest.mark.parametrize(
    "facts",
    [{"name": "罗示例"}, {"phone": "19900000101"}, {"n": 5}, {"n": ["a"]}, ["a"], "a", {"n": {"m": "a"}}],
)
def test_the_table_refuses_facts_that_are_no_ids(facts: object) -> None:
    insert({"order": str(ids.new_id())})
    with pytest.raises(IntegrityError, match="message_facts_are_ids"):
        insert(facts)


@pytest.mark.django_db
def test_the_table_refuses_other_nonsense() -> None:
    with pytest.raises(IntegrityError, match="message_names_its_template"):
        insert({}, template="隔离")
    with pytest.raises(IntegrityError, match="message_due_not_before_owed"):
        insert({}, due="2020-02-10 00:59+00")


@pytest.mark.django_db
def test_rows_are_only_inserted() -> None:
    by = officer()
    message = owed(by)
    actions.record_delivery(message, means=Means.PAGE, by=by)
    for model in (Attempt, OwedMessage):
        with pytest.raises(IntegrityError, match="only inserted"), transaction.atomic():
            model.objects.all()._raw_delete("default")
    with pytest.raises(IntegrityError, match="only inserted"), transaction.atomic():
        OwedMessage.objects.update(due_by=by.at + 99 * HOUR)
    with pytest.raises(IntegrityError, match="only inserted"), transaction.atomic():
        Attempt.objects.update(outcome="failed")
    with pytest.raises(IntegrityError, match="message_delivered_once"), transaction.atomic():
        Attempt.objects.create(
            id=ids.new_id(),
            message_id=message,
            means="sms",
            outcome="delivered",
            tried_at=by.at,
            by_user=by.user_id,
            by_organ="x",
        )


# --- what a telephone shows ----------------------------------------------------------------------

#: Words that would tell a bystander something about somebody's health or an order.
TELLING = (
    "隔离", "观察", "疫", "病", "感染", "密切", "接触", "确诊", "阳性", "解除", "申诉", "决定", "封闭",
    "isolat", "observ", "epidemic", "infect", "contact", "positive", "order", "release", "health", "close",
)  # fmt: skip


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_message_never_tells_the_fact(lang: str) -> None:
    """T45."""
    shown = policy.text(lang, office="示例花苑社区", phone="19900000110")
    assert "19900000110" in shown
    assert not [word for word in TELLING if word in shown.lower()]


def test_what_is_shown_cannot_depend_on_what_it_is_about() -> None:
    """Neither template nor facts nor recipient reach the sentence; a later parameter would have to be added here."""
    assert set(policy.text.__annotations__) == {"lang", "office", "phone", "return"}


@settings(max_examples=50)
@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.text(max_size=30), min_size=1))
def test_no_chinese_character_and_no_blank_passes_as_an_id(facts: dict[str, str]) -> None:
    if policy.holds_ids_only(facts):
        assert all(v.isascii() and v and not any(c.isspace() for c in v) for v in facts.values())
