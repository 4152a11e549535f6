"""The proof that goes with a paper: read off the print, checked by our verifiers and by others'."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from PIL import Image, ImageFilter
from pypdf import PdfReader

from lianfang.accounts.rights import Role
from lianfang.kernel import clock
from lianfang.kernel.ids import random_id
from lianfang.kernel.row_security import scope
from lianfang.ledger import queries as ledger
from lianfang.ledger import sequencer
from lianfang.messaging import typeset
from lianfang.messaging.papers import Lang
from lianfang.messaging.press import Press
from lianfang.orders import actions, proofs
from lianfang.orders.models import ReleaseNotice
from lianfang.orders.prints import Offices
from lianfang_chain.organs import Organs
from lianfang_chain.policy import Policy
from lianfang_chain.proof import TlogProof, from_qr_text, verify_paper_proof
from lianfang_chain.verify import PROVED, say
from tests.factories.accounts import client_for, client_of
from tests.factories.orders import ROOT, S1_END, S1_NOW, a_draft, officer
from tests.ledger.conftest import chain, parties  # noqa: F401 - fixtures
from tests.pictures import qr_codes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from lianfang.orders.models import IsolationOrder

pytestmark = pytest.mark.django_db
COMMUNITY = f"{ROOT}.s510402001.c510402001003"
PRESS = Press("https://lianfang.example", Lang.ZH, True)


@pytest.fixture(autouse=True)
def at_s1() -> Iterator[None]:
    with clock.fixed(S1_NOW):
        yield


@pytest.fixture
def order(parties: Any, luo: UUID) -> IsolationOrder:  # noqa: F811 - the fixture
    return actions.issue_isolation(a_draft(luo), by=officer(Role.CDC))


def printed(order: IsolationOrder, *, ppi: int, blur: float = 0.0, lang: Lang = Lang.ZH) -> list[str]:
    press = Press(PRESS.base_url, lang, True)
    papers = proofs.proof_papers(proofs.acts_of(order.pk), press, Offices())
    read = set()
    for page in typeset.pictures(papers, at=S1_NOW, ppi=ppi):
        picture = Image.open(BytesIO(page)).convert("L").filter(ImageFilter.GaussianBlur(blur))
        read |= {found.text for found in qr_codes(picture)}
    return sorted((text for text in read if text.startswith("LFC1:")), key=len)


def test_before_a_quorum_the_paper_says_recorded_and_carries_no_code(order: IsolationOrder) -> None:
    (paper,) = proofs.proof_papers(proofs.acts_of(order.pk), PRESS, Offices())
    assert (paper.public, paper.own, paper.entry, paper.parties) == (None, None, None, 3)
    assert printed(order, ppi=150) == []


def test_every_list_shows_how_far_an_act_has_come(order: IsolationOrder, luo: UUID) -> None:
    appeal = actions.appeal(
        actions.AppealDraft(id=random_id(), order_id=order.pk, text="没有接触过"), by=officer(Role.COMMUNITY)
    )
    shown = {
        "/desk/orders/": (Role.CDC, order.entry_id),
        f"/desk/orders/person/{luo}/": (Role.CDC, order.entry_id),
        "/desk/orders/serving/": (Role.COMMUNITY, order.entry_id),
        "/desk/orders/appeals/": (Role.CMD_LEAD, appeal.entry_id),
    }
    for stage in ("recorded", "witnessed"):
        for address, (role, entry) in shown.items():
            page = client_for(role).get(address).content.decode()
            assert f'<a class="lf-chain is-{stage}" href="/open/chain/entry/{entry}/' in page, address
        sequencer.run_once(S1_NOW)


@pytest.mark.parametrize(("ppi", "blur", "lang"), [(300, 1.5, Lang.ZH), (144, 0.5, Lang.BOTH)])
def test_both_codes_are_read_off_the_paper_and_proved(
    order: IsolationOrder, ppi: int, blur: float, lang: Lang
) -> None:
    sequencer.run_once(S1_NOW)
    public, own = printed(order, ppi=ppi, blur=blur, lang=lang)
    policy = Policy.parse(ledger.policy_text())
    organs = Organs.open(ledger.organs_list(), policy)
    for text in (public, own):
        code, words = say(text.encode(), policy, organs=organs)
        assert code == PROVED, words
        assert f"signed by {order.organ}," in words
    assert verify_paper_proof(from_qr_text(public), policy).disclosed == ()
    shown = {d.field: d.value for d in verify_paper_proof(from_qr_text(own), policy).disclosed}
    assert shown.keys() == {"order_no", "reason", "starts_at", "ends_at"}
    assert shown["order_no"] == order.order_no


def test_a_million_entries_still_fit_the_code(order: IsolationOrder) -> None:
    """What a million entries add is the path: 20 hashes instead of the few of this small tree."""
    sequencer.run_once(S1_NOW)
    few = len(TlogProof.parse(ledger.tlog_proof(order.entry_id)).path)
    more_hashes = (20 - few) * 32 * 3 // 2  # base45 writes two bytes in three characters
    lengths = [len(text) for text in printed(order, ppi=300)]
    assert max(lengths) + more_hashes <= proofs.MOST_CHARACTERS, lengths


def test_what_is_too_long_for_paper_is_handed_out_as_a_file(
    order: IsolationOrder, luo: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    sequencer.run_once(S1_NOW)
    public, own = printed(order, ppi=300)
    monkeypatch.setattr(proofs, "MOST_CHARACTERS", len(own) - 1)
    assert printed(order, ppi=300) == [public]
    (act,) = proofs.acts_of(order.pk)
    answer = client_of(luo).get(f"/me/order/{order.pk}/proof/{act.entry_id}.txt")
    assert say(answer.content, Policy.parse(ledger.policy_text()))[0] == PROVED
    assert answer.content.decode() == own


def test_the_release_notice_carries_the_proofs_of_what_ended_the_order(order: IsolationOrder) -> None:
    doctor, street = officer(Role.CDC, at=S1_END), officer(Role.STREET, at=S1_END)
    actions.check_release(random_id(), order.pk, kind="health", by=officer(Role.MEDIC, at=S1_END))
    actions.check_release(random_id(), order.pk, kind="street", by=street)
    actions.issue_release_notice(random_id(), order.pk, by=doctor)
    sequencer.run_once(S1_END)
    texts = printed(order, ppi=300)
    assert len(texts) == 4
    kinds = [ledger.proved(from_qr_text(text)).entry.act.kind for text in texts]  # type: ignore[union-attr]  # a paper proof has one
    assert kinds.count("orders:release:noticed") == 2
    with clock.fixed(S1_END):
        answer = client_for(Role.COMMUNITY, COMMUNITY).get(f"/desk/orders/{order.pk}/print/release/")
    pages = PdfReader(BytesIO(answer.content)).pages
    assert len(pages) == 2
    # The paper itself says where the notice stands, not the order.
    with scope(areas=[ROOT]):
        place = ledger.state_of(ReleaseNotice.objects.get(order=order.pk).entry_id).index
    assert f"第{place}条" in "".join(pages[0].extract_text().split())


def past_the_triggers(statement: str, *values: UUID | str) -> None:
    """What somebody does who owns the database."""
    table = statement.split()[1 if statement.startswith("UPDATE") else 2]
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(statement, values)
        assert cursor.rowcount == 1
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def test_a_row_without_its_entry_an_entry_without_its_row_and_an_altered_row_are_found(
    order: IsolationOrder,
) -> None:
    """L-5, whatever was done to the tables past every act and every trigger."""
    appeal = actions.appeal(
        actions.AppealDraft(id=random_id(), order_id=order.pk, text="没有接触过"), by=officer(Role.COMMUNITY)
    )
    actions.lift_isolation(
        actions.LiftDraft(id=random_id(), order_id=order.pk, reason="依据有误"), by=officer(Role.CDC)
    )
    assert proofs.chain_faults() == []
    past_the_triggers(
        "UPDATE orders_isolationorder SET ends_at = ends_at + interval '1 day' WHERE id = %s", order.pk
    )
    assert proofs.chain_faults() == [f"order {order.order_no}: ends_at is not what was signed"]
    past_the_triggers(
        "UPDATE orders_isolationorder SET ends_at = ends_at - interval '1 day' WHERE id = %s", order.pk
    )
    assert proofs.chain_faults() == []
    past_the_triggers(
        "UPDATE orders_isolationorder SET measure = 'home_monitoring', rule_version = 'x' WHERE id = %s",
        order.pk,
    )
    assert proofs.chain_faults() == [f"order {order.order_no}: measure, rule is not what was signed"]
    past_the_triggers(
        "UPDATE orders_isolationorder SET measure = 'home_isolation', rule_version = %s WHERE id = %s",
        order.rule_version,
        order.pk,
    )
    assert proofs.chain_faults() == []
    past_the_triggers("UPDATE orders_appeal SET id = %s WHERE id = %s", other := random_id(), appeal.pk)
    assert proofs.chain_faults() == [f"orders:appeal:raised {other}: the chain does not hold it"]
    past_the_triggers("DELETE FROM orders_appeal WHERE id = %s", other)
    assert proofs.chain_faults() == [
        f"entry {appeal.entry_id} (orders:appeal:raised): there is no row of {appeal.pk}"
    ]


def test_nobody_else_gets_a_persons_proof(order: IsolationOrder, household: list[UUID]) -> None:
    sequencer.run_once(S1_NOW)
    husband = client_of(household[1])
    (act,) = proofs.acts_of(order.pk)
    for url in (f"/me/order/{order.pk}/proof/", f"/me/order/{order.pk}/proof/{act.entry_id}.txt"):
        assert husband.get(url).status_code == 404
    own = client_of(household[0])
    assert own.get(f"/me/order/{order.pk}/proof/").content.startswith(b"%PDF")
    assert own.get(f"/me/order/{order.pk}/proof/{random_id()}.txt").status_code == 404
