"""Offices with the power to sign or export: one proposes, another confirms, neither is the one who gets it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction
from tests.factories.accounts import (
    AT,
    COMMUNITY,
    DISTRICT,
    STREET,
    a_user,
    an_office,
    an_officer,
    an_organ,
    log_in,
)

from lianfang import accounts
from lianfang.accounts import actions, menu, queries
from lianfang.accounts.errors import (
    AnotherMustConfirm,
    OfficesMustBeApart,
    PeriodIsNone,
    ProposalLapsed,
    TakesTwoPersons,
)
from lianfang.accounts.models import Office, OfficeProposal, User
from lianfang.accounts.rights import BY_TWO, CONFIRMS, HELD_BY, ORGAN_KIND_OF, Right, Role
from lianfang.config.founding import FIRST
from lianfang.kernel import clock
from lianfang.kernel.actor import Actor
from lianfang.kernel.errors import NotAllowed, NotFound, SameIdOtherContent
from lianfang.kernel.ids import new_id

pytestmark = [pytest.mark.django_db, pytest.mark.urls("lianfang.config.urls")]


def a_draft(role: Role = Role.CDC, area: str = DISTRICT, **facts: object) -> actions.OfficeDraft:
    draft = actions.OfficeDraft(
        office_id=new_id(),
        user_id=a_user().pk,
        role=role,
        organ=an_organ(ORGAN_KIND_OF.get(role, "department"), area).code,
        area=area,
    )
    return replace(draft, **facts)  # type: ignore[arg-type]  # the fields are those of the draft


def giver(at: object = AT) -> Actor:
    return an_officer(Role.SECURITY_ADMIN, at=at)  # type: ignore[arg-type]  # an instant


def test_the_tables_leave_no_way_around() -> None:
    assert {Role.CDC, Role.CMD_LEAD, Role.SECURITY_ADMIN} == BY_TWO
    assert set(HELD_BY[Right.ACCOUNTS_OFFICE_CONFIRM]) == set(CONFIRMS) <= BY_TWO
    for role in BY_TWO:
        # The officers of a first run can fill every office again: one proposes, another of them confirms.
        assert any(role in CONFIRMS.get(other, ()) for other in FIRST if other != Role.SECURITY_ADMIN)
    text = (Path(accounts.__file__).parent / "migrations" / "0004_offices_given_by_two.py").read_text()
    in_schema = re.search(r"role NOT IN \(([^)]*)\)", text)
    assert in_schema is not None
    assert {Role(r.strip(" '")) for r in in_schema.group(1).split(",")} == BY_TWO


@pytest.mark.parametrize("role", sorted(BY_TWO))
def test_one_person_alone_gives_no_power(role: Role) -> None:
    draft = a_draft(role)
    with pytest.raises(TakesTwoPersons):
        actions.grant_office(draft, by=giver())
    proposal = actions.propose_office(draft, by=giver())
    assert not Office.objects.filter(pk=proposal.pk).exists()
    assert not queries.offices_held(draft.user_id, AT)


@pytest.mark.parametrize("second", sorted(CONFIRMS))
def test_another_confirms_and_it_begins(second: Role) -> None:
    for role in CONFIRMS[second]:
        by = giver()
        proposal = actions.propose_office(a_draft(role), by=by)
        confirming = replace(an_officer(second), at=AT + timedelta(hours=2))
        office = actions.confirm_office(proposal.pk, by=confirming)
        assert (office.starts_at, office.ends_at) == (confirming.at, confirming.at + timedelta(days=30))
        assert (office.granted_by_id, office.confirmed_by_id) == (by.user_id, confirming.user_id)
        assert actions.confirm_office(proposal.pk, by=confirming) == office
        assert queries.offices_held(office.user_id, confirming.at) == [office]


def test_neither_the_proposer_nor_the_beneficiary_confirms() -> None:
    by = giver()
    proposal = actions.propose_office(a_draft(Role.CDC), by=by)
    with pytest.raises(AnotherMustConfirm):
        actions.confirm_office(proposal.pk, by=by)
    holder = an_officer(Role.CDC, user=proposal.user)
    with pytest.raises(AnotherMustConfirm):
        actions.confirm_office(proposal.pk, by=holder)
    with pytest.raises(NotAllowed):
        actions.propose_office(a_draft(Role.CDC, user_id=by.user_id), by=by)
    assert not Office.objects.filter(pk=proposal.pk).exists()


@pytest.mark.parametrize(
    ("role", "area", "refusal"),
    [
        (Role.CMD_LEAD, DISTRICT, NotAllowed),  # command confirms no health office
        (Role.CDC, STREET, NotFound),  # outside the own area there is nothing
        (Role.COMMUNITY, COMMUNITY, NotFound),
        (Role.AUDITOR, DISTRICT, NotFound),
    ],
)
def test_who_may_not_confirm(role: Role, area: str, refusal: type[Exception]) -> None:
    proposal = actions.propose_office(a_draft(Role.CDC), by=giver())
    with pytest.raises(refusal):
        actions.confirm_office(proposal.pk, by=an_officer(role, area))


def test_it_lapses_after_a_day() -> None:
    proposal = actions.propose_office(a_draft(), by=giver())
    second = an_officer(Role.CDC)
    late = AT + timedelta(hours=24)
    with pytest.raises(ProposalLapsed):
        actions.confirm_office(proposal.pk, by=replace(second, at=late))
    assert not queries.proposals_waiting(replace(second, at=late), since=late - actions.PROPOSAL_LASTS)
    in_time = replace(second, at=late - timedelta(seconds=1))
    assert queries.proposals_waiting(in_time, since=in_time.at - actions.PROPOSAL_LASTS) == [proposal]
    assert actions.confirm_office(proposal.pk, by=in_time).starts_at == in_time.at


def test_who_lost_the_right_has_proposed_nothing() -> None:
    by = giver()
    proposal = actions.propose_office(a_draft(), by=by)
    own = Office.objects.get(user_id=by.user_id)
    own.ends_at, own.ended_by_id = AT + timedelta(hours=1), by.user_id
    own.save(update_fields=["ends_at", "ended_by"])
    with pytest.raises(ProposalLapsed):
        actions.confirm_office(proposal.pk, by=replace(an_officer(Role.CDC), at=AT + timedelta(hours=2)))


def test_what_could_never_be_is_refused_when_proposed() -> None:
    user = a_user()
    an_office(Role.CMD_DUTY, user=user, starts_at=AT - timedelta(days=1))
    with pytest.raises(OfficesMustBeApart):
        actions.propose_office(a_draft(Role.CDC, user_id=user.pk), by=giver())
    with pytest.raises(PeriodIsNone):
        actions.propose_office(a_draft(starts_at=AT, ends_at=AT - timedelta(days=1)), by=giver())
    assert not OfficeProposal.objects.exists()


def test_the_same_draft_again_is_the_same_proposal() -> None:
    by, draft = giver(), a_draft()
    assert actions.propose_office(draft, by=by) == actions.propose_office(draft, by=by)
    with pytest.raises(SameIdOtherContent):
        actions.propose_office(replace(draft, role=Role.CMD_LEAD), by=by)


def test_the_schema_refuses_it_past_the_act() -> None:
    one, two, user = a_user(), a_user(), a_user()
    office = an_office(Role.AUDITOR, user=a_user())
    for given, confirmed in ((one, None), (one, one), (one, user), (user, two)):
        with pytest.raises(IntegrityError, match="office_with_power_is_given_by_two"), transaction.atomic():
            Office.objects.create(
                user=user,
                role=Role.SECURITY_ADMIN,
                organ=office.organ,
                area=office.area,
                starts_at=AT,
                ends_at=AT + timedelta(days=1),
                granted_at=AT,
                granted_by=given,
                confirmed_by=confirmed,
            )
    proposal = actions.propose_office(a_draft(), by=giver())
    with pytest.raises(IntegrityError, match="office_proposal_stays"), transaction.atomic():
        OfficeProposal.objects.filter(pk=proposal.pk).update(proposed_by=one)


def test_a_start_code_hands_out_no_power() -> None:
    office = an_office(Role.CDC, starts_at=AT - timedelta(days=1))
    guard = an_office(Role.GUARD, COMMUNITY, user=office.user, starts_at=AT - timedelta(days=1))
    by = giver()
    an_office(
        Role.PROPERTY,
        COMMUNITY,
        user=User.objects.get(pk=by.user_id),
        starts_at=AT - timedelta(days=1),
    )
    actions.start_anew(
        office.user_id, by=replace(by, grants=queries.grants_of(queries.offices_held(by.user_id, AT)))
    )
    assert queries.offices_held(office.user_id, AT) == [guard]


def test_the_pages_lead_from_one_to_the_other() -> None:
    first, second = an_office(Role.SECURITY_ADMIN), an_office(Role.CMD_LEAD)
    new = a_user(login="zhou.min")
    filled = {
        "office_id": str(new_id()),
        "login": "zhou.min",
        "role": "cmd_lead",
        "organ": second.organ.code,
    }
    done = log_in(first.user).post("/desk/offices/grant/", filled, follow=True)
    assert "24 小时内由另一位有权的人确认" in done.content.decode()
    page = log_in(first.user).get("/desk/offices/").content.decode()
    assert "须由另一位有权的人确认" in page
    address = f"/desk/offices/proposed/{filled['office_id']}/confirm/"
    assert address not in page
    assert log_in(first.user).post(address).status_code == 422
    assert address in log_in(second.user).get("/desk/offices/").content.decode()
    assert "职务等您确认" in log_in(second.user).get("/desk/").content.decode()
    stale = log_in(second.user, verified=False)
    assert stale.post(address).status_code == 302, "the second factor is asked for"
    assert log_in(second.user).post(address).status_code == 302
    assert [o.role for o in queries.offices_held(new.pk, clock.now())] == ["cmd_lead"]
    assert menu.todo(an_officer(Role.CMD_LEAD, at=clock.now())) == []
