"""Passes of residents: on paper, on a phone that proves its key, and never against an order."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client

from lianfang.accounts import actions as accounts
from lianfang.accounts.rights import Role
from lianfang.credentials import queries as credentials
from lianfang.gates import passes, phones
from lianfang.gates.errors import CodeNotValid, NotAKey, PhoneProofBad, UnderOrder
from lianfang.kernel.errors import NotAllowed, NotFound
from lianfang.kernel.ids import new_id
from lianfang.kernel.row_security import set_scope
from lianfang.people import queries as people
from lianfang_chain import cbor
from lianfang_pass import base45, tokens
from lianfang_pass.keys import PublicKey
from tests.factories.orders import ROOT, S1_NOW, an_incident, an_order, officer, resident
from tests.factories.people import a_household

if TYPE_CHECKING:
    from uuid import UUID

    from lianfang.kernel.actor import Actor

KEY = ec.derive_private_key(0xC0FFEE, ec.SECP256R1())
OTHER_KEY = ec.derive_private_key(0xBEEF, ec.SECP256R1())


def cose_key(key: ec.EllipticCurvePrivateKey = KEY) -> bytes:
    return cbor.encode(PublicKey.of(key).cose())


@pytest.fixture
def luo(db: None) -> UUID:
    an_incident()
    set_scope(areas=[ROOT])
    return a_household()[0]


def later(by: Actor, **after: float) -> Actor:
    return replace(by, at=by.at + timedelta(**after))


def a_code(person_id: UUID) -> str:
    home = people.person_refs([person_id])[person_id].area
    return accounts.issue_paper_code(person_id, home, by=officer(Role.COMMUNITY))


def draft(person_id: UUID, **changes: object) -> passes.PaperPassDraft:
    return passes.PaperPassDraft(**{"id": new_id(), "person_id": person_id, **changes})  # type: ignore[arg-type]


def test_a_paper_pass_is_signed_for_the_door_and_replaces_the_earlier_one(luo: UUID) -> None:
    by = officer(Role.COMMUNITY)
    first = passes.give_paper_pass(draft(luo), by=by)
    read = tokens.read_pass(first.token)
    facts = people.pass_facts([luo])[luo]
    assert (read.claims.identity.door, read.claims.identity.birth_year) == (facts.door, facts.birth_year)
    assert read.claims.on_paper

    second = passes.give_paper_pass(draft(luo), by=by)
    by_id = {p.id: p for p in credentials.passes_of([luo])}
    assert by_id[first.pass_id].revoked_at == S1_NOW
    assert by_id[second.pass_id].revoked_at is None


def test_the_same_draft_twice_is_one_pass(luo: UUID) -> None:
    by, wanted = officer(Role.COMMUNITY), draft(luo)
    assert passes.give_paper_pass(wanted, by=by) == passes.give_paper_pass(wanted, by=by)
    assert len(credentials.passes_of([luo])) == 1


def test_a_repeat_that_comes_late_gives_the_same_and_withdraws_nothing(luo: UUID) -> None:
    by, wanted = officer(Role.COMMUNITY), draft(luo)
    first = passes.give_paper_pass(wanted, by=by)
    assert passes.give_paper_pass(wanted, by=later(by, minutes=5)) == first
    second = passes.give_paper_pass(draft(luo), by=later(by, minutes=10))
    assert passes.give_paper_pass(wanted, by=later(by, minutes=15)) == first
    assert {p.id for p in credentials.passes_of([luo]) if p.revoked_at is None} == {second.pass_id}


def test_only_who_issues_passes_there_may(luo: UUID) -> None:
    wanted = draft(luo)
    with pytest.raises(NotAllowed):
        passes.give_paper_pass(wanted, by=officer(Role.CDC))
    assert not credentials.passes_of([luo])
    passes.give_paper_pass(wanted, by=officer(Role.COMMUNITY))


def test_no_household_pass_while_a_member_is_under_an_order(luo: UUID) -> None:
    an_order(luo)
    by = officer(Role.COMMUNITY, at=S1_NOW + timedelta(minutes=5))
    with pytest.raises(UnderOrder):
        passes.give_paper_pass(draft(luo, for_household=True), by=by)
    # A personal one may be printed: it is suspended by the order, and lives when the order ends.
    passes.give_paper_pass(draft(luo), by=by)


def test_a_phone_pass_is_bound_to_the_phones_key(luo: UUID) -> None:
    who = resident(luo)
    (token,) = phones.put_on_phone(a_code(luo), cose_key(), by=who)
    claims = tokens.read_pass(token).claims
    assert claims.holder_key == PublicKey.of(KEY)
    assert claims.expires_at - claims.issued_at == 3 * 86_400


def test_a_code_serves_its_person_once(luo: UUID) -> None:
    who, neighbour = resident(luo), resident(a_household("陈明")[0])
    with pytest.raises(CodeNotValid):
        phones.put_on_phone(a_code(luo), cose_key(), by=neighbour)
    with pytest.raises(CodeNotValid):
        phones.put_on_phone("AAAA-BBBB", cose_key(), by=who)
    with pytest.raises(NotAKey):
        phones.put_on_phone(a_code(luo), b"\xa0", by=who)
    code = a_code(luo)
    phones.put_on_phone(code, cose_key(), by=who)
    with pytest.raises(CodeNotValid):
        phones.put_on_phone(code, cose_key(OTHER_KEY), by=who)


def test_with_two_phones_bound_the_older_gives_way(luo: UUID) -> None:
    """A web view that was wiped has lost its key; its owner is not locked out until that pass runs out."""
    who = resident(luo)
    given = [
        phones.put_on_phone(
            a_code(luo), cose_key(ec.generate_private_key(ec.SECP256R1())), by=later(who, minutes=n)
        )[0]
        for n in range(4)
    ]
    live = {p.cti for p in credentials.passes_of([luo]) if p.revoked_at is None}
    assert live == {tokens.read_pass(token).claims.cti for token in given[2:]}


def test_no_phone_pass_under_an_order(luo: UUID) -> None:
    who = resident(luo)
    an_order(luo)
    with pytest.raises(UnderOrder):
        phones.put_on_phone(a_code(luo), cose_key(), by=later(who, minutes=5))


def renewal(token: bytes, *, at: int, key: ec.EllipticCurvePrivateKey = KEY) -> str:
    return base45.to_text(tokens.sign_code(token, at=at, key=key))


def test_the_phone_renews_by_proving_its_key_and_gets_another_index(luo: UUID) -> None:
    who = resident(luo)
    (first,) = phones.put_on_phone(a_code(luo), cose_key(), by=who)
    then = later(who, days=2)
    (second,) = phones.renew_on_phone(renewal(first, at=int(then.at.timestamp())), by=then)
    old, new = tokens.read_pass(first).claims, tokens.read_pass(second).claims
    assert new.cti != old.cti
    assert new.holder_key == old.holder_key


def test_it_renews_without_login_and_without_any_cookie(luo: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    """A login ends after hours; nobody stands in a queue for a slip so that the phone goes on."""
    who = resident(luo)
    (first,) = phones.put_on_phone(a_code(luo), cose_key(), by=who)
    then = who.at + timedelta(days=2)
    monkeypatch.setattr("lianfang.kernel.clock.now", lambda: then)
    browser = Client(enforce_csrf_checks=True)

    def ask(proof: str) -> Any:
        return browser.post("/me/pass/renew/", {"proof": proof}, content_type="application/json")

    set_scope(areas=[])
    assert ask(renewal(first, at=int(then.timestamp()), key=OTHER_KEY)).status_code == 422
    answer = ask(renewal(first, at=int(then.timestamp())))
    assert answer.status_code == 200
    (second,) = answer.json()["passes"]
    renewed = tokens.read_pass(base64.urlsafe_b64decode(second + "==")).claims
    assert renewed.expires_at > tokens.read_pass(first).claims.expires_at
    assert renewed.holder_key == tokens.read_pass(first).claims.holder_key
    # The proof opens one person's rows and nothing stays open behind it.
    assert people.person_refs([luo]) == {}


def test_a_phone_that_did_not_get_the_answer_gets_the_same_pass_again(luo: UUID) -> None:
    who = resident(luo)
    (first,) = phones.put_on_phone(a_code(luo), cose_key(), by=who)
    phones.put_on_phone(a_code(luo), cose_key(OTHER_KEY), by=who)
    then = later(who, days=2)
    proof = renewal(first, at=int(then.at.timestamp()))
    (second,) = phones.renew_on_phone(proof, by=then)
    assert phones.renew_on_phone(proof, by=later(then, seconds=20)) == [second]
    # Once that one was withdrawn, nothing stands in its place: the other phone's is not handed out.
    new = next(p for p in credentials.passes_of([luo]) if p.cti == tokens.read_pass(second).claims.cti)
    passes.withdraw_pass(new.id, person_id=luo, reason="lost", by=officer(Role.COMMUNITY))
    with pytest.raises(PhoneProofBad):
        phones.renew_on_phone(proof, by=later(then, seconds=25))
    # Nor does a pass that was withdrawn as lost lead to another one.
    with pytest.raises(PhoneProofBad):
        phones.renew_on_phone(renewal(second, at=int(then.at.timestamp())), by=then)


def test_a_proof_of_another_key_another_time_or_nonsense_renews_nothing(luo: UUID) -> None:
    who = resident(luo)
    (token,) = phones.put_on_phone(a_code(luo), cose_key(), by=who)
    now = int(S1_NOW.timestamp())
    for proof in (
        renewal(token, at=now, key=OTHER_KEY),
        renewal(token, at=now - 600),
        base45.to_text(token),
        "LF1:??",
    ):
        with pytest.raises(PhoneProofBad):
            phones.renew_on_phone(proof, by=who)
    phones.renew_on_phone(renewal(token, at=now), by=who)


def test_a_lost_pass_is_withdrawn_only_through_its_holder(luo: UUID) -> None:
    by = officer(Role.COMMUNITY)
    issued = passes.give_paper_pass(draft(luo), by=by)
    neighbour = a_household()[0]
    with pytest.raises(NotFound):
        passes.withdraw_pass(issued.pass_id, person_id=neighbour, reason="lost", by=by)
    passes.withdraw_pass(issued.pass_id, person_id=luo, reason="lost", by=by)
    assert credentials.passes_of([luo])[0].revoked_at == S1_NOW
