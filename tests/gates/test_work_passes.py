"""Passes for somebody's work: given on the desk for compounds, decided at a gate by class and mark."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from lianfang.accounts.rights import Role
from lianfang.credentials import actions as credentials_actions
from lianfang.credentials import queries as credentials
from lianfang.gates import passes, publisher
from lianfang.gates.errors import EndsTooLate, NoWorkPlaces
from lianfang.kernel import clock
from lianfang.kernel.errors import NotAllowed, NotFound, SameIdOtherContent
from lianfang.kernel.ids import new_id
from lianfang.kernel.row_security import set_scope
from lianfang_pass import base45, scan, tokens
from lianfang_pass.keylist import accept_key_list
from lianfang_pass.statuslist import accept_list
from tests.factories.accounts import client_for
from tests.factories.orders import ROOT, an_incident, an_order, officer
from tests.factories.people import a_household
from tests.factories.places import a_community, a_compound

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from lianfang.credentials.queries import PassView

pytestmark = pytest.mark.django_db
NOW = clock.now()


@pytest.fixture
def luo(db: None) -> UUID:
    an_incident(at=NOW, shift_days=(clock.legal_day(NOW) - clock.legal_day(NOW).replace(2020, 2, 10)).days)
    set_scope(areas=[ROOT])
    credentials_actions.rotate_keys(NOW - timedelta(days=1))
    return a_household()[0]


@pytest.fixture
def site(luo: UUID) -> str:
    """Another compound, in another street than the home."""
    return a_compound(a_community("510402002001"), "北区工地")


def draft(person_id: UUID, *compounds: str, **changes: object) -> passes.WorkPassDraft:
    values = {
        "id": new_id(), "person_id": person_id, "kind": "W", "compounds": compounds,
        "valid_until": clock.start_of_legal_day(clock.legal_day(NOW) + timedelta(days=31)), "not_cleared": True,
    }  # fmt: skip
    return passes.WorkPassDraft(**{**values, **changes})  # type: ignore[arg-type]  # a test's draft


def held(person_id: UUID) -> list[PassView]:
    return [p for p in credentials.passes_of([person_id]) if p.revoked_at is None]


def verdict(token: bytes, *, at_gate: str, inward: bool, at: datetime) -> tuple[str, str]:
    """What a gate of that compound says: it has its own street's list and no other."""
    listed = credentials.key_list()
    root = credentials.root_public()
    street = next(label[1:] for label in at_gate.split(".") if label.startswith("s"))
    files = credentials.files(street)
    assert listed is not None
    assert files is not None
    keys = accept_key_list(listed[1], root=root, thumbprint=root.thumbprint)
    uri = credentials.uri(street)
    outcome = scan.look(
        scan.Look((base45.to_text(token),), inward=inward, device_time=int(at.timestamp())),
        gate=scan.Gate(frozenset({at_gate.rpartition(".")[2]})),
        held=scan.Held(keys, {uri: accept_list(files.whole, files.until, uri=uri, keys=keys)}),
    )
    return outcome.decision.verdict.value, outcome.decision.reason


def test_from_the_page_to_the_verdict_of_the_gate(luo: UUID, site: str) -> None:
    """A worker is marked, and after the clearance no longer; the home gate knows the personal pass, not this one."""
    client = client_for(Role.COMMUNITY, ROOT)
    address = reverse("gates:work_pass", args=[luo])
    page = client.get(address).content.decode()
    assert f'value="{site}"' in page
    assert (
        f'value="{clock.legal_day(NOW) + timedelta(days=30)}"' in page
    )  # the longest, as a browser reads a date
    typed = {
        "id": str(new_id()), "kind": "W", "compounds": [site], "not_cleared": "on",
        "until_on": str(clock.legal_day(NOW) + timedelta(days=30)),
    }  # fmt: skip
    for _ in range(2):  # sent again, it is the same pass
        answer = client.post(address, typed)
        assert answer.status_code == 302, answer.content.decode()
    (marked,) = held(luo)
    assert answer["Location"] == reverse("gates:print_pass", args=[luo, marked.id])
    assert client.get(answer["Location"])["Content-Type"] == "application/pdf"
    publisher.run_once(clock.now())

    def at_the_site(inward: bool) -> tuple[str, str]:
        (now_held,) = held(luo)
        return verdict(credentials.token(now_held.id), at_gate=site, inward=inward, at=clock.now())

    assert at_the_site(inward=True) == ("CALL", "NOT_CLEARED")
    assert at_the_site(inward=False) == ("ALLOW_REG", "NOT_CLEARED")
    assert "尚未核验" in client.get(reverse("gates:person_passes", args=[luo])).content.decode()

    clearing = reverse("gates:clear_worker", args=[luo, marked.id])
    again = {"id": str(new_id())}
    for _ in range(2):
        assert client.post(clearing, again).status_code == 302
    (cleared,) = held(luo)
    assert (cleared.zones, cleared.valid_until) == (marked.zones, marked.valid_until)
    publisher.run_once(clock.now())
    assert at_the_site(inward=True) == ("ALLOW", "OK")
    old = verdict(credentials.token(marked.id), at_gate=site, inward=False, at=clock.now())
    assert old == ("CALL", "PASS_INVALID")


@pytest.mark.parametrize("kind", ["S", "V", "M", "W"])
def test_each_class_opens_its_gate_and_an_order_of_the_holder_closes_it(
    luo: UUID, site: str, kind: str
) -> None:
    by = officer(Role.COMMUNITY, at=NOW)
    made = passes.give_work_pass(draft(luo, site, kind=kind, not_cleared=False), by=by)
    publisher.run_once(NOW)
    assert verdict(made.token, at_gate=site, inward=True, at=NOW) == ("ALLOW", "OK")
    an_order(luo, at=NOW, anchor_at=NOW - timedelta(hours=3))
    later = NOW + timedelta(seconds=5)
    publisher.run_once(later)
    assert verdict(made.token, at_gate=site, inward=True, at=later) == ("DENY", "ORDER_IN_FORCE")


def test_a_class_has_one_pass_at_a_time_and_another_class_another(luo: UUID, site: str) -> None:
    by = officer(Role.COMMUNITY, at=NOW)
    passes.give_paper_pass(passes.PaperPassDraft(id=new_id(), person_id=luo), by=by)
    for kind in ("W", "W", "V"):
        passes.give_work_pass(draft(luo, site, kind=kind, not_cleared=False), by=by)
    assert sorted(p.kind for p in held(luo)) == ["P", "V", "W"]


def test_who_issues_no_passes_over_the_compound_or_the_home_may_not(luo: UUID, site: str) -> None:
    home = a_community()
    wanted = draft(luo, site)
    for by in (
        officer(Role.COMMUNITY, area=home, at=NOW),
        officer(Role.COMMUNITY, area=site, at=NOW),
        officer(Role.CDC, at=NOW),
    ):
        with pytest.raises((NotAllowed, NotFound)):
            passes.give_work_pass(wanted, by=by)
    assert not held(luo)
    made = passes.give_work_pass(wanted, by=officer(Role.COMMUNITY, at=NOW))
    with pytest.raises((NotAllowed, NotFound)):
        passes.clear_worker(
            passes.ClearanceDraft(id=new_id(), person_id=luo, pass_id=made.pass_id),
            by=officer(Role.COMMUNITY, area=site, at=NOW),
        )


def test_what_a_pass_for_work_cannot_be(luo: UUID, site: str) -> None:
    by = officer(Role.COMMUNITY, at=NOW)
    elsewhere = a_compound(a_community(), "和睦花园")
    for compounds in ((), (site, elsewhere), (a_community("510402002001"),), (f"{site}.b1",)):
        with pytest.raises(NoWorkPlaces):
            passes.give_work_pass(draft(luo, *compounds), by=by)
    for until in (NOW, NOW + timedelta(days=31, seconds=1)):
        with pytest.raises(EndsTooLate):
            passes.give_work_pass(draft(luo, site, valid_until=until), by=by)
    assert not held(luo)


def test_the_same_id_for_another_pass_is_refused(luo: UUID, site: str) -> None:
    by = officer(Role.COMMUNITY, at=NOW)
    wanted = draft(luo, site)
    made = passes.give_work_pass(wanted, by=by)
    for changes in ({"kind": "S", "not_cleared": False}, {"not_cleared": False}):
        with pytest.raises(SameIdOtherContent):
            passes.give_work_pass(draft(luo, site, id=wanted.id, **changes), by=by)
    assert [p.id for p in held(luo)] == [made.pass_id]


def test_only_a_marked_pass_in_force_is_cleared(luo: UUID, site: str) -> None:
    by = officer(Role.COMMUNITY, at=NOW)
    plain = passes.give_work_pass(draft(luo, site, kind="S", not_cleared=False), by=by)
    marked = passes.give_work_pass(draft(luo, site), by=by)
    passes.withdraw_pass(marked.pass_id, person_id=luo, reason="lost", by=by)
    for pass_id in (plain.pass_id, marked.pass_id, new_id()):
        with pytest.raises(NotFound):
            passes.clear_worker(passes.ClearanceDraft(id=new_id(), person_id=luo, pass_id=pass_id), by=by)
    token = tokens.read_pass(plain.token)
    assert (token.claims.kind.value, token.claims.zones) == ("S", (site.rpartition(".")[2],))


def test_a_mark_is_a_workers_only(luo: UUID, site: str) -> None:
    typed = {
        "id": str(new_id()), "kind": "S", "compounds": [site], "not_cleared": "on",
        "until_on": str(clock.legal_day(NOW)),
    }  # fmt: skip
    assert (
        client_for(Role.COMMUNITY, ROOT).post(reverse("gates:work_pass", args=[luo]), typed).status_code
        == 422
    )
    assert not held(luo)
