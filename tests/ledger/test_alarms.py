"""An alarm of the chain stands above every desk page of those who answer for it, and delays nothing."""

import os
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.factories.accounts import client_for, client_of
from tests.factories.ledger import AT, an_entry
from tests.factories.people import a_household

from lianfang.accounts.rights import Role
from lianfang.kernel import clock
from lianfang.ledger import board, held_evidence, keys, sequencer
from lianfang.ledger.models import Tree
from lianfang.ledger.queries import Alarm
from lianfang_chain.checkpoint import Checkpoint as TreeHead
from lianfang_chain.checkpoint import sign_checkpoint
from lianfang_chain.evidence import ForkEvidence

pytestmark = pytest.mark.django_db
WORDS = {
    "fork": "信息链警报：记录对不上",
    "suspended": "信息链暂停：只受理解除",
    "no_quorum": "见证方签名不足；解除照常生效",
    "not_sequenced": "后台程序没有入链",
    "damaged": "公开的文件损坏",
}


def page(role: Role) -> Any:
    with clock.fixed(AT):
        answer = client_for(role).get("/desk/")
    assert answer.status_code == 200
    return answer.content.decode()


def a_forks_evidence() -> str:
    """The log signed two roots for one size."""
    notes = [
        sign_checkpoint(TreeHead(keys.origin(), 9, root * 32), keys.log_signer()) for root in (b"a", b"b")
    ]
    return str(ForkEvidence(notes[0], notes[1], b"b" * 32, ()))


def everybodys(address: str) -> str:
    return Client().get(address, follow=True).content.decode()


def test_each_alarm_is_seen_by_command_and_parties_and_a_fork_by_everybody(parties: Any) -> None:
    assert not any(words in page(Role.CMD_LEAD) for words in WORDS.values())  # before the first round
    for party in parties:
        party.stop()
    an_entry()
    sequencer.run_once(AT)
    board.write(AT + timedelta(seconds=60))
    assert WORDS["no_quorum"] not in page(Role.CMD_LEAD)
    board.write(AT + timedelta(seconds=61))
    for role in (Role.CMD_LEAD, Role.CMD_DUTY, Role.PROPERTY, Role.COMMUNITY, Role.SYSTEM_ADMIN):
        assert WORDS["no_quorum"] in page(role), role
    assert WORDS["no_quorum"] not in page(Role.GRID)
    an_entry(kind="orders:order:lifted")  # frees, come what may

    Tree.objects.update(suspended="a witness holds more", suspended_at=AT)
    board.write(AT)
    assert WORDS["suspended"] in page(Role.PROPERTY)
    an_entry(kind="orders:order:lifted")
    assert WORDS["suspended"] not in page(Role.GRID)
    assert WORDS["suspended"] not in everybodys("/open/rules/")
    held_evidence.keep_fork("property", a_forks_evidence(), AT)
    board.write(AT)
    assert WORDS["fork"] in page(Role.PROPERTY)
    # A fork is everybody's business: every desk, every phone, every public page.
    assert WORDS["fork"] in page(Role.GRID)
    for address in ("/", "/login/", "/open/rules/"):
        assert WORDS["fork"] in everybodys(address), address


def test_when_the_worker_is_silent_for_a_minute_that_is_an_alarm(chain: Any) -> None:
    board.write(AT)
    assert board.shown() == []
    file = chain / "run" / "chain-alarms.json"
    os.utime(file, (time.time() - 61,) * 2)
    assert [alarm.code for alarm in board.shown()] == ["not_sequenced"]
    assert WORDS["not_sequenced"] in page(Role.CMD_DUTY)
    board.write(AT, [Alarm("damaged", AT, {})])
    assert WORDS["damaged"] in page(Role.CMD_DUTY)
    assert WORDS["damaged"] not in page(Role.GRID)


def test_the_bar_asks_the_database_nothing(chain: Any) -> None:
    board.write(AT)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        board.shown()
    assert len(asked) == 0


def test_a_resident_reads_on_the_own_pages_what_the_other_parties_read_on_theirs(parties: Any) -> None:
    """The residents are one of the three parties, and have no desk."""
    for party in parties:
        party.stop()
    an_entry()
    sequencer.run_once(AT)
    board.write(AT + timedelta(seconds=61))
    with clock.fixed(AT):
        resident, stranger = client_of(a_household("罗小娟")[0]), Client()
        for address in ("/", "/me/order/"):
            said = resident.get(address).content.decode()
            assert WORDS["no_quorum"] in said, address
            assert "不必做什么" in said
        assert WORDS["no_quorum"] not in resident.get("/open/rules/").content.decode()
        assert WORDS["no_quorum"] not in stranger.get("/").content.decode()
    board.write(AT + timedelta(seconds=60))
    with clock.fixed(AT):
        assert WORDS["no_quorum"] not in resident.get("/").content.decode()
