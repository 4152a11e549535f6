"""A resident takes away that somebody looked, and software that knows only the trust file says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.factories.accounts import client_of
from tests.factories.ledger import AT
from tests.factories.people import DISTRICT, a_dwelling, a_person, an_actor

from lianfang.accounts.queries import system_actor
from lianfang.accounts.rights import Role
from lianfang.kernel import clock
from lianfang.kernel.row_security import scope
from lianfang.ledger import queries, sequencer
from lianfang.ledger.models import Entry
from lianfang.people import actions as people
from lianfang.people import reader
from lianfang.people.models import ReadRecord
from lianfang.people.policy import PersonField
from lianfang.places.queries import at_level
from lianfang_chain.policy import Policy
from lianfang_chain.reading_proof import ReadingProof
from lianfang_chain.tree import NotProved
from lianfang_chain.verify import NOT_PROVED, PROVED, say

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def looked() -> Any:
    """Somebody at whom a community's officer looked, with a reason."""
    home = a_dwelling()
    with scope(areas=[DISTRICT]):
        person = a_person("罗小娟", area=home)
        for hours in (0, 0.2):
            by = an_actor(Role.COMMUNITY, at_level(home, "community") or "", at=AT + hours * HOUR)
            reader.read([person], (PersonField.PHONE,), by=by)
        yield person


def test_who_looked_is_proved_to_the_person_under_the_digest_of_its_hour(parties: Any, looked: Any) -> None:
    me = client_of(looked)
    newest = ReadRecord.objects.order_by("-pk").first()
    assert newest is not None
    url = f"/me/reads/{newest.pk}/proof.txt"
    assert url in me.get("/me/reads/").content.decode()
    assert "还没有汇总入链" in me.get(url, follow=True).content.decode()
    people.batch_reads(by=system_actor("test", AT + HOUR, ()))
    assert "见证方尚未签名" in me.get(url, follow=True).content.decode()
    sequencer.run_once(AT + HOUR)
    with clock.fixed(AT + HOUR):
        text = me.get(url).content.decode()

    policy = Policy.parse(queries.policy_text())
    code, words = say(text.encode(), policy)
    assert code == PROVED
    assert newest.pseudonym in words
    assert "phone" in words
    reading, proved = ReadingProof.parse(text).verify(policy)
    assert (reading.number, reading.organ) == (newest.pk, newest.organ)
    assert proved.quorum
    # Another line, another place, another hour's root: each is refused.
    held = ReadingProof.parse(text)
    for wrong in (
        replace(held, leaf=held.leaf[:-1] + bytes([held.leaf[-1] ^ 1])),
        replace(held, position=1 - held.position),
        replace(held, path=(bytes(32),)),
        replace(held, paper=queries.proof(Entry.objects.filter(kind="ledger:key:announced")[0].pk)),
    ):
        assert say(str(wrong).encode(), policy)[0] == NOT_PROVED
        with pytest.raises(NotProved):
            wrong.verify(policy)
    assert say(text.replace("\n\n", "\n\n\n").encode(), policy)[0] == NOT_PROVED
    stranger = client_of(a_person("王伟", area=a_dwelling("5-2-0604")))
    assert stranger.get(url).status_code == 404
