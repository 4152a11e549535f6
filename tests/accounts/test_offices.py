"""Offices: who may give them, what the schema refuses, and when they end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from tests.factories.accounts import (
    AT,
    COMMUNITY,
    DISTRICT,
    STREET,
    a_user,
    an_office,
    an_officer,
    an_organ,
)

from lianfang.accounts import actions, queries
from lianfang.accounts.errors import (
    OfficeAlreadyOver,
    OfficeOutsideOrgan,
    OfficesMustBeApart,
    PeriodIsNone,
    WrongOrgan,
)
from lianfang.accounts.models import Office, Organ
from lianfang.accounts.rights import ORGAN_KIND_OF, SEPARATED, Right, Role
from lianfang.kernel.errors import NotAllowed, SameIdOtherContent
from lianfang.kernel.ids import new_id

pytestmark = pytest.mark.django_db


def a_draft(role: Role = Role.MEDIC, area: str = DISTRICT, **facts: object) -> actions.OfficeDraft:
    draft = actions.OfficeDraft(
        office_id=new_id(),
        user_id=a_user().pk,
        role=role,
        organ=an_organ(ORGAN_KIND_OF.get(role, "department"), area).code,
        area=area,
    )
    return replace(draft, **facts)  # type: ignore[arg-type]  # the fields are those of the draft


def test_an_office_lasts_thirty_days_unless_said_otherwise() -> None:
    by = an_officer(Role.SECURITY_ADMIN)
    office = actions.grant_office(a_draft(), by=by)
    assert (office.starts_at, office.ends_at) == (AT, AT + timedelta(days=30))
    assert office.granted_by_id == by.user_id


def test_the_same_draft_again_is_the_same_office() -> None:
    by = an_officer(Role.SECURITY_ADMIN)
    draft = a_draft()
    assert actions.grant_office(draft, by=by) == actions.grant_office(draft, by=by)
    with pytest.raises(SameIdOtherContent):
        actions.grant_office(replace(draft, role=Role.AUDITOR), by=by)


@pytest.mark.parametrize("role", [Role.COMMUNITY, Role.CMD_LEAD, Role.CDC, Role.AUDITOR, Role.SYSTEM_ADMIN])
def test_only_the_security_administrator_gives_auditors(role: Role) -> None:
    draft = a_draft(Role.AUDITOR)
    with pytest.raises(NotAllowed):
        actions.grant_office(draft, by=an_officer(role))
    assert not Office.objects.filter(pk=draft.office_id).exists()
    actions.grant_office(draft, by=an_officer(Role.SECURITY_ADMIN))


def test_nobody_gives_an_office_outside_their_area() -> None:
    street = an_officer(Role.STREET, STREET)
    actions.grant_office(a_draft(Role.COMMUNITY, COMMUNITY), by=street)
    with pytest.raises(NotAllowed):
        actions.grant_office(a_draft(Role.COMMUNITY, "d510402.s510402002.c510402002001"), by=street)


def test_nobody_gives_themselves_an_office() -> None:
    by = an_officer(Role.SECURITY_ADMIN)
    with pytest.raises(NotAllowed):
        actions.grant_office(a_draft(Role.AUDITOR, user_id=by.user_id), by=by)


def test_a_period_that_is_none_is_refused() -> None:
    by = an_officer(Role.SECURITY_ADMIN)
    for start, end in (
        (AT, AT),
        (AT, AT - timedelta(days=1)),
        (AT, AT + timedelta(days=367)),
        (AT - timedelta(days=9), AT),
    ):
        with pytest.raises(PeriodIsNone):
            actions.grant_office(a_draft(starts_at=start, ends_at=end), by=by)


@pytest.mark.parametrize(("one", "other"), [(a, b) for a in SEPARATED for b in SEPARATED if a != b])
def test_separated_offices_are_never_in_one_hand(one: Role, other: Role) -> None:
    """The table in Python and the constraint in the schema say the same of every pair."""
    user = a_user()
    an_office(one, user=user)
    apart = SEPARATED[one][0] == SEPARATED[other][0] and SEPARATED[one][1] != SEPARATED[other][1]
    if not apart:
        an_office(other, user=user)
        return
    with (
        pytest.raises(IntegrityError, match="separated_offices_are_in_different_hands"),
        transaction.atomic(),
    ):
        an_office(other, user=user)


def test_the_other_side_may_be_held_afterwards() -> None:
    user = a_user()
    before = an_office(Role.CDC, user=user, starts_at=AT - timedelta(days=31), ends_at=AT)
    actions.grant_office(a_draft(Role.CMD_DUTY, user_id=user.pk), by=an_officer(Role.SECURITY_ADMIN))
    assert before.ends_at == AT


def test_the_act_says_that_offices_must_be_apart() -> None:
    user = a_user()
    an_office(Role.CDC, user=user, starts_at=AT - timedelta(days=1))
    with pytest.raises(OfficesMustBeApart):
        actions.grant_office(a_draft(Role.CMD_DUTY, user_id=user.pk), by=an_officer(Role.SECURITY_ADMIN))


@pytest.mark.parametrize("role", list(ORGAN_KIND_OF))
def test_no_other_kind_of_organ_has_the_office(role: Role) -> None:
    for kind in Organ.Kind.values:
        if kind == ORGAN_KIND_OF[role]:
            an_office(role, organ=an_organ(kind))
        else:
            with pytest.raises(IntegrityError, match="organ_kind_has_this_office"), transaction.atomic():
                an_office(role, organ=an_organ(kind))


def test_the_act_says_which_organ_is_wrong() -> None:
    by = an_officer(Role.SECURITY_ADMIN)
    with pytest.raises(WrongOrgan):
        actions.grant_office(a_draft(Role.MEDIC, organ=an_organ("department").code), by=by)
    with pytest.raises(OfficeOutsideOrgan):
        actions.grant_office(a_draft(Role.MEDIC, DISTRICT, organ=an_organ("health", STREET).code), by=by)


@pytest.mark.parametrize("role", ["resident", "system", "mayor", ""])
def test_only_known_roles_are_offices(role: str) -> None:
    office = an_office(Role.GUARD)
    with (
        pytest.raises(IntegrityError, match="office_has_a_known_role"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "INSERT INTO accounts_office (id, user_id, role, organ_id, area, starts_at, ends_at, granted_at,"
            " end_reason) SELECT gen_random_uuid(), user_id, %s, organ_id, area, starts_at, ends_at, granted_at,"
            " '' FROM accounts_office WHERE id = %s",
            [role, office.pk],
        )


def test_an_empty_area_is_no_area() -> None:
    organ = an_organ("department")
    with pytest.raises(IntegrityError), transaction.atomic():
        Office.objects.create(
            user=a_user(),
            role=Role.GUARD,
            organ=organ,
            area="",
            starts_at=AT,
            ends_at=AT + timedelta(1),
            granted_at=AT,
        )


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("role", "'cmd_lead'"),
        ("area", "'d1'"),
        ("starts_at", "now()"),
        ("ends_at", "ends_at + interval '1 s'"),
    ],
)
def test_an_office_is_not_rewritten(column: str, value: str) -> None:
    office = an_office(Role.CDC)
    statement = f"UPDATE accounts_office SET ended_by_id = user_id, {column} = {value} WHERE id = %s"
    with (
        pytest.raises(IntegrityError, match="office_only_ends"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement, [office.pk])


def test_an_office_is_not_deleted_and_an_organ_stays_what_it_is() -> None:
    office = an_office(Role.CDC)
    with pytest.raises(IntegrityError, match="offices_are_kept"), transaction.atomic():
        office.delete()
    with pytest.raises(IntegrityError, match="organ_stays_what_it_is"), transaction.atomic():
        Organ.objects.filter(pk=office.organ_id).update(kind="command")


def test_an_ended_office_gives_nothing_from_that_instant() -> None:
    by = an_officer(Role.SECURITY_ADMIN)
    office = actions.grant_office(a_draft(), by=by)
    later = replace(by, at=AT + timedelta(hours=1))
    assert queries.offices_held(office.user_id, later.at)
    actions.revoke_office(office.pk, reason="调离", by=later)
    assert queries.offices_held(office.user_id, later.at - timedelta(microseconds=1))
    assert not queries.offices_held(office.user_id, later.at)
    with pytest.raises(OfficeAlreadyOver):
        actions.revoke_office(office.pk, reason="再次", by=later)


def test_who_could_not_give_it_cannot_end_it_but_the_holder_can() -> None:
    office = actions.grant_office(a_draft(), by=an_officer(Role.SECURITY_ADMIN))
    with pytest.raises(NotAllowed):
        actions.revoke_office(office.pk, reason="", by=an_officer(Role.COMMUNITY))
    holder = an_officer(Role.GUARD, user=office.user)
    assert actions.revoke_office(office.pk, reason="辞任", by=holder).ends_at == AT


def test_a_period_is_half_open() -> None:
    office = an_office(Role.CDC, starts_at=AT, ends_at=AT + timedelta(days=1))
    second = timedelta(seconds=1)
    held = [
        bool(queries.offices_held(office.user.pk, at))
        for at in (AT - second, AT, office.ends_at - second, office.ends_at)
    ]
    assert held == [False, True, True, False]


def test_jobs_can_order_nothing_and_administrators_open_no_person() -> None:
    job = queries.system_actor("print", AT, [DISTRICT])
    assert job.may(Right.PEOPLE_PERSON_READ, over=COMMUNITY)
    assert not job.areas(Right.ORDERS_ISOLATION_ISSUE)
    for role in (
        Role.SYSTEM_ADMIN,
        Role.SECURITY_ADMIN,
        Role.PROPERTY,
        Role.GUARD,
        Role.POLICE,
        Role.AUDITOR,
    ):
        assert queries.person_areas(an_officer(role)) == (), role
    assert queries.person_areas(an_officer(Role.COMMUNITY, COMMUNITY)) == (COMMUNITY,)
