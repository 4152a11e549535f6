"""Passes for somebody's work: given on the desk for compounds, on paper or for the phone, decided at a gate by class
and mark.
"""

from __future__ import annotations

import base64
import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from lianfang.accounts import actions as accounts
from lianfang.accounts.rights import Role
from lianfang.credentials import actions as credentials_actions
from lianfang.credentials import queries as credentials
from lianfang.credentials.errors import PassAlreadyRevoked
from lianfang.gates import passes, phones, publisher, work_passes
from lianfang.gates.errors import EndsTooLate, NoWorkPlaces, PhoneProofBad, UnderOrder
from lianfang.kernel import clock
from lianfang.kernel.errors import NotAllowed, NotFound, SameIdOtherContent
from lianfang.kernel.ids import new_id
from lianfang.kernel.row_security import set_scope
from lianfang.people import queries as people
from lianfang_chain import cbor
from lianfang_pass import base45, scan, tokens
from lianfang_pass.keylist import accept_key_list
from lianfang_pass.keys import PublicKey
from lianfang_pass.statuslist import accept_list
from tests.factories.accounts import client_for, client_of
from tests.factories.orders import ROOT, an_incident, an_order, officer, resident
from tests.factories.people import a_household
from tests.factories.places import a_community, a_compound

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.test import Client

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


def draft(person_id: UUID, *compounds: str, **changes: object) -> work_passes.WorkPassDraft:
    values = {
        "id": new_id(), "person_id": person_id, "kind": "W", "compounds": compounds,
        "valid_until": clock.start_of_legal_day(clock.legal_day(NOW) + timedelta(days=31)), "not_cleared": True,
    }  # fmt: skip
    return work_passes.WorkPassDraft(**{**values, **changes})  # type: ignore[arg-type]  # a test's draft


def held(person_id: UUID) -> list[PassView]:
    return [p for p in credentials.passes_of([person_id]) if p.revoked_at is None]


def verdict(token: bytes, *, at_gate: str, inward: bool, at: datetime) -> tuple[str, str]:
    """What a gate of that compound says of a paper pass."""
    return of_code(base45.to_text(token), at_gate=at_gate, inward=inward, at=at)


def of_code(text: str, *, at_gate: str, inward: bool, at: datetime) -> tuple[str, str]:
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
        scan.Look((text,), inward=inward, device_time=int(at.timestamp())),
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
        "id": str(new_id()), "kind": "W", "carried": "paper", "compounds": [site], "not_cleared": "on",
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
    made = work_passes.give_work_pass(draft(luo, site, kind=kind, not_cleared=False), by=by)
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
        work_passes.give_work_pass(draft(luo, site, kind=kind, not_cleared=False), by=by)
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
            work_passes.give_work_pass(wanted, by=by)
    assert not held(luo)
    made = work_passes.give_work_pass(wanted, by=officer(Role.COMMUNITY, at=NOW))
    with pytest.raises((NotAllowed, NotFound)):
        work_passes.clear_worker(
            work_passes.ClearanceDraft(id=new_id(), person_id=luo, pass_id=made.pass_id),
            by=officer(Role.COMMUNITY, area=site, at=NOW),
        )


def test_what_a_pass_for_work_cannot_be(luo: UUID, site: str) -> None:
    by = officer(Role.COMMUNITY, at=NOW)
    elsewhere = a_compound(a_community(), "和睦花园")
    for compounds in ((), (site, elsewhere), (a_community("510402002001"),), (f"{site}.b1",)):
        with pytest.raises(NoWorkPlaces):
            work_passes.give_work_pass(draft(luo, *compounds), by=by)
    for until in (NOW, NOW + timedelta(days=31, seconds=1)):
        with pytest.raises(EndsTooLate):
            work_passes.give_work_pass(draft(luo, site, valid_until=until), by=by)
    assert not held(luo)


def test_the_same_id_for_another_pass_is_refused(luo: UUID, site: str) -> None:
    by = officer(Role.COMMUNITY, at=NOW)
    wanted = draft(luo, site)
    made = work_passes.give_work_pass(wanted, by=by)
    for changes in ({"kind": "S", "not_cleared": False}, {"not_cleared": False}):
        with pytest.raises(SameIdOtherContent):
            work_passes.give_work_pass(draft(luo, site, id=wanted.id, **changes), by=by)
    assert [p.id for p in held(luo)] == [made.pass_id]


def test_only_a_marked_pass_in_force_is_cleared(luo: UUID, site: str) -> None:
    by = officer(Role.COMMUNITY, at=NOW)
    plain = work_passes.give_work_pass(draft(luo, site, kind="S", not_cleared=False), by=by)
    marked = work_passes.give_work_pass(draft(luo, site), by=by)
    passes.withdraw_pass(marked.pass_id, person_id=luo, reason="lost", by=by)
    for pass_id in (plain.pass_id, marked.pass_id, new_id()):
        with pytest.raises(NotFound):
            work_passes.clear_worker(
                work_passes.ClearanceDraft(id=new_id(), person_id=luo, pass_id=pass_id), by=by
            )
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


# -- on the phone -------------------------------------------------------------------------------------------------


class Phone:
    """A resident's phone: its key, and the passes it carries."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.carried: list[bytes] = []

    @property
    def point(self) -> bytes:
        return PublicKey.of(self.key).point()

    @property
    def cose_key(self) -> bytes:
        return cbor.encode(PublicKey.of(self.key).cose())

    def code(self, token: bytes, at: datetime) -> str:
        return base45.to_text(tokens.sign_code(token, at=int(at.timestamp()), key=self.key))

    def of(self, kind: str) -> bytes:
        (found,) = (t for t in self.carried if tokens.read_pass(t).claims.kind == kind)
        return found


class Page(Phone):
    """The same with the page of its own passes, as the script of the page uses it."""

    def __init__(self, browser: Client) -> None:
        super().__init__()
        self.browser = browser

    def data(self) -> dict[str, Any]:
        """What the page's script is told."""
        shown = self.browser.get(reverse("gates:own_pass")).content.decode()
        found = re.search(r'id="rotating-code"[^>]*>(.*?)</script>', shown, re.DOTALL)
        assert found is not None
        data: dict[str, Any] = json.loads(found.group(1))
        return data

    def enrol(self, code: str) -> None:
        self._ask(self.data()["enrol"], {"code": code, "key": b64(self.cose_key)})

    def renew(self) -> None:
        self._ask(self.data()["renew"], {"proof": self.code(self.carried[0], clock.now())})

    def _ask(self, address: str, sent: dict[str, str]) -> None:
        answer = self.browser.post(address, json.dumps(sent), content_type="application/json")
        assert answer.status_code == 200, answer.content.decode()
        told = answer.json()
        assert told["pass"] == told["passes"][0]  # for a page of before
        self.carried = [base64.urlsafe_b64decode(t + "=" * (-len(t) % 4)) for t in told["passes"]]


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def a_code(person_id: UUID) -> str:
    home = people.person_refs([person_id])[person_id].area
    return accounts.issue_paper_code(person_id, home, by=officer(Role.COMMUNITY, at=clock.now()))


def test_one_phone_shows_the_pass_for_home_and_the_one_for_work_and_the_gates_tell_them_apart(
    luo: UUID, site: str
) -> None:
    """From the desk's page to the verdicts: granted for the phone, fetched by one code, cleared, withdrawn."""
    desk, home = client_for(Role.COMMUNITY, ROOT), people.person_refs([luo])[luo].area.partition(".b")[0]
    typed = {
        "id": str(new_id()), "kind": "W", "carried": "phone", "compounds": [site], "not_cleared": "on",
        "until_on": str(clock.legal_day(NOW) + timedelta(days=30)),
    }  # fmt: skip
    of_person = reverse("gates:person_passes", args=[luo])
    for _ in range(2):  # sent again, it is the same grant
        assert desk.post(reverse("gates:work_pass", args=[luo]), typed)["Location"] == of_person
    assert "尚未领取" in desk.get(of_person).content.decode()

    phone = Page(client_of(luo))
    (work,) = phone.data()["work"]
    assert (work["kind"], work["zones"], work["marked"]) == ("W", [site.rpartition(".")[2]], True)
    assert work["label"] == "工作：北区工地（务工）"
    phone.enrol(a_code(luo))
    assert [tokens.read_pass(t).claims.kind for t in phone.carried] == ["P", "W"]
    assert "在 1 部手机上" in desk.get(of_person).content.decode()
    publisher.run_once(clock.now())

    def at(gate: str, kind: str, *, inward: bool = True) -> tuple[str, str]:
        now = clock.now()
        return of_code(phone.code(phone.of(kind), now), at_gate=gate, inward=inward, at=now)

    assert (at(site, "W"), at(site, "W", inward=False)) == (
        ("CALL", "NOT_CLEARED"),
        ("ALLOW_REG", "NOT_CLEARED"),
    )
    assert at(home, "P") == ("ALLOW", "OK")

    clearing = reverse("gates:clear_on_phone", args=[luo, credentials.work_granted(luo)[0].id])
    again = {"id": str(new_id())}
    for _ in range(2):
        assert desk.post(clearing, again).status_code == 302
    publisher.run_once(clock.now())
    # Until the phone has fetched the other one, and no worse.
    assert at(site, "W", inward=False) == ("ALLOW_REG", "NOT_CLEARED")
    marked = phone.of("W")
    assert phone.data()["work"][0]["marked"] is False
    phone.renew()
    publisher.run_once(clock.now())
    assert (at(site, "W"), at(home, "P")) == (("ALLOW", "OK"), ("ALLOW", "OK"))
    old = of_code(phone.code(marked, clock.now()), at_gate=site, inward=False, at=clock.now())
    assert old == ("CALL", "PASS_INVALID")

    withdrawal = reverse("gates:withdraw_work", args=[luo, credentials.work_granted(luo)[0].id])
    assert desk.post(withdrawal, {"why": ""}).status_code == 302  # a reason is asked for
    assert phone.data()["work"] != []
    for _ in range(2):
        assert desk.post(withdrawal, {"why": "工程结束"}).status_code == 302
    publisher.run_once(clock.now())
    assert (at(site, "W"), at(home, "P")) == (("CALL", "PASS_INVALID"), ("ALLOW", "OK"))
    assert phone.data()["work"] == []
    phone.renew()
    assert [tokens.read_pass(t).claims.kind for t in phone.carried] == ["P"]


def enrolled(luo: UUID, *, at: datetime = NOW) -> Phone:
    """A phone with what is granted now, past the pages."""
    phone = Phone()
    phone.carried = phones.put_on_phone(a_code(luo), phone.cose_key, by=resident(luo, at=at))
    return phone


def renewed(phone: Phone, luo: UUID, *, at: datetime, carried: int = 0) -> list[bytes]:
    return phones.renew_on_phone(phone.code(phone.carried[carried], at), by=resident(luo, at=at))


def test_it_is_renewed_while_the_grant_lasts_and_ends_with_it(luo: UUID, site: str) -> None:
    ends = (NOW + timedelta(days=4, hours=5)).replace(microsecond=0)
    work_passes.grant_work_on_phone(
        draft(luo, site, not_cleared=False, valid_until=ends), by=officer(Role.COMMUNITY, at=NOW)
    )
    phone = enrolled(luo)
    first = tokens.read_pass(phone.of("W")).claims
    assert first.expires_at - first.issued_at == 3 * 86_400
    assert renewed(phone, luo, at=NOW + timedelta(hours=20)) == phone.carried  # enough time is left
    then = NOW + timedelta(days=2)
    phone.carried = renewed(phone, luo, at=then)
    second = tokens.read_pass(phone.of("W")).claims
    assert (second.cti != first.cti, second.expires_at) == (True, int(ends.timestamp()))
    # Nothing is gained by another one that ends at the same time.
    later = NOW + timedelta(days=3, hours=12)
    held = phone.of("W")
    phone.carried = renewed(phone, luo, at=later)
    assert phone.of("W") == held
    phone.carried = renewed(phone, luo, at=ends)
    assert [tokens.read_pass(t).claims.kind for t in phone.carried] == ["P"]


def test_no_order_and_no_lost_phone_is_renewed_and_the_grant_waits_for_the_next_phone(
    luo: UUID, site: str
) -> None:
    by = officer(Role.COMMUNITY, at=NOW)
    work_passes.grant_work_on_phone(draft(luo, site), by=by)
    lost, kept = enrolled(luo), enrolled(luo)
    home_pass = next(p for p in held(luo) if p.kind == "P" and p.cnf == lost.point)
    # The phone renews while the desk's page is open: what is withdrawn is the phone, not the pass that was on the page.
    lost.carried += renewed(lost, luo, at=NOW + timedelta(days=2))
    for _ in range(2):
        passes.withdraw_pass(home_pass.id, person_id=luo, reason="丢失", by=by)
    assert {p.cnf for p in held(luo)} == {kept.point}
    for carried in range(len(lost.carried)):
        with pytest.raises(PhoneProofBad):
            renewed(lost, luo, at=NOW + timedelta(days=2), carried=carried)
    with pytest.raises(PassAlreadyRevoked):
        passes.withdraw_pass(home_pass.id, person_id=luo, reason="又丢了", by=by)
    assert len(enrolled(luo).carried) == 2  # a third phone, in the place of the lost one

    an_order(luo, at=NOW, anchor_at=NOW - timedelta(hours=3))
    with pytest.raises(UnderOrder):
        renewed(kept, luo, at=NOW + timedelta(hours=1))


def test_two_phones_carry_two_passes_each_and_a_third_makes_the_older_give_way_with_both(
    luo: UUID, site: str
) -> None:
    for kind in ("W", "V"):
        work_passes.grant_work_on_phone(
            draft(luo, site, kind=kind, not_cleared=False), by=officer(Role.COMMUNITY, at=NOW)
        )
    three = [enrolled(luo, at=NOW + timedelta(minutes=n)) for n in range(3)]
    keys = [phone.point for phone in three]
    assert sorted((keys.index(p.cnf or b""), p.kind) for p in held(luo)) == [
        (1, "P"), (1, "V"), (1, "W"), (2, "P"), (2, "V"), (2, "W"),
    ]  # fmt: skip


def test_another_grant_of_the_class_withdraws_what_phones_carried_and_no_card(luo: UUID, site: str) -> None:
    by = officer(Role.COMMUNITY, at=NOW)
    card = work_passes.give_work_pass(draft(luo, site, not_cleared=False), by=by)
    wanted = draft(luo, site, not_cleared=False)
    granted = work_passes.grant_work_on_phone(wanted, by=by)
    phone = enrolled(luo)
    other = a_compound(a_community("510402002001"), "南区工地")
    work_passes.grant_work_on_phone(draft(luo, other, not_cleared=False), by=by)
    assert {p.id for p in held(luo) if p.kind == "W"} == {card.pass_id}
    # A repeat that comes late gives the same, and other content under its id is refused.
    assert work_passes.grant_work_on_phone(wanted, by=by).id == granted.id
    assert [g.zones for g in work_passes.in_force(luo, at=NOW)] == [(other.rpartition(".")[2],)]
    with pytest.raises(SameIdOtherContent):
        work_passes.grant_work_on_phone(draft(luo, other, id=wanted.id, not_cleared=False), by=by)
    # The answer with the new pass was lost: asked with the withdrawn one, it is given again.
    fetched = renewed(phone, luo, at=NOW, carried=1)
    assert renewed(phone, luo, at=NOW, carried=1) == fetched
    assert tokens.read_pass(fetched[1]).claims.zones == (other.rpartition(".")[2],)


def test_who_may_not_issue_or_withdraw_grants_and_withdraws_nothing(luo: UUID, site: str) -> None:
    by, elsewhere = officer(Role.COMMUNITY, at=NOW), officer(Role.CDC, at=NOW)
    wanted = draft(luo, site)
    with pytest.raises(NotAllowed):
        work_passes.grant_work_on_phone(wanted, by=elsewhere)
    granted = work_passes.grant_work_on_phone(wanted, by=by)
    clearance = work_passes.ClearanceDraft(id=new_id(), person_id=luo, pass_id=granted.id)
    with pytest.raises(NotAllowed):
        work_passes.clear_worker_on_phone(clearance, by=elsewhere)
    with pytest.raises(NotAllowed):
        work_passes.withdraw_work_on_phone(granted.id, person_id=luo, reason="x", by=elsewhere)
    neighbour = a_household("陈明")[0]
    with pytest.raises(NotFound):
        work_passes.withdraw_work_on_phone(granted.id, person_id=neighbour, reason="x", by=by)
    with pytest.raises(EndsTooLate):
        work_passes.grant_work_on_phone(draft(luo, site, valid_until=NOW), by=by)
    assert [g.id for g in work_passes.in_force(luo, at=NOW)] == [granted.id]


def test_whoever_locks_several_lists_takes_them_in_one_order(luo: UUID, site: str) -> None:
    """A phone has passes in several lists, and the publisher publishes several: in two orders they would wait for each
    other.
    """
    far = a_compound(a_community("510402003001"), "西区工地")
    for minutes, (kind, area) in enumerate((("V", site), ("W", far))):
        by = officer(Role.COMMUNITY, at=NOW + timedelta(minutes=minutes))
        work_passes.grant_work_on_phone(draft(luo, area, kind=kind, not_cleared=False), by=by)
    at = NOW + timedelta(minutes=5)
    with CaptureQueriesContext(connection) as asked:
        phone = enrolled(luo, at=at)
    kinds = [tokens.read_pass(token).claims.kind for token in phone.carried]
    assert kinds == ["P", "W", "V"]
    locked = [
        re.search(r"'(\d{9})'", q["sql"]) for q in asked
        if "credentials_shard" in q["sql"] and q["sql"].endswith("FOR UPDATE")
    ]  # fmt: skip
    streets = list(dict.fromkeys(found.group(1) for found in locked if found is not None))
    assert streets == ["510402001", "510402002", "510402003"]
    publisher.run_once(at)
    work_passes.withdraw_work_on_phone(
        next(g.id for g in work_passes.in_force(luo, at=at) if g.kind == "W"),
        person_id=luo,
        reason="x",
        by=by,
    )
    published = publisher.run_once(at + timedelta(minutes=20))  # one has changed, the others are stale
    assert list(published) == streets
