"""What a guard decided otherwise about one's own pass: shown to the person, to nobody else, for 21 days (T07)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from lianfang.gates import jobs, own_overrides
from lianfang.gates.models import Gate, OverrideMark
from lianfang_pass.verdict import Verdict
from tests.factories.accounts import client_of
from tests.factories.people import a_person
from tests.factories.places import a_dwelling

from .test_tickets import HOUR, NOW, World, world

if TYPE_CHECKING:
    from django.test import Client

__all__ = ["world"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_passages")]
CALLED = {"verdict": Verdict.CALL, "reason": "QUOTA_USED", "inward": False, "guard": "K7QXZA"}


def page(client: Client, language: str = "zh") -> str:
    client.cookies["django_language"] = language
    return client.get(reverse("gates:own_pass")).content.decode()


def test_the_person_sees_what_was_decided_otherwise_and_nobody_else_does(world: World) -> None:
    own = client_of(world.person)
    neighbour = client_of(a_person("王大方", area=a_dwelling("5-1-0101")))
    assert "值守员改判" not in page(own)
    world.upload(
        CALLED | {"override": "就医取药"},
        CALLED,  # as the gate said: no override
        {"verdict": Verdict.ALLOW_REG, "reason": "PASS_INVALID", "override": "未放行", "guard": "K7QXZA"},
        {"verdict": Verdict.ALLOW_REG, "reason": "LIFE_EXIT", "override": "火灾"},
        CALLED | {"override": "工作", "cti": b"stranger"},
        CALLED | {"override": "工作", "cti": None, "proof": "none"},
    )
    said = page(own)
    assert said.count("处理：") == 2
    assert "北门 出 · 结论“联系社区”，处理：就医取药 · 值守员 K7QXZA" in said
    assert "结论“登记放行”，处理：登记放行的没有放行" in said
    assert "the gate said “Call the community”" in page(own, "en")
    assert "值守员改判" not in page(neighbour)
    # A road says so in its words.
    Gate.objects.update(kind="road", zones=[])
    assert "北门 回家 · 结论“联系社区”" in page(own)


def test_a_copy_of_the_database_leads_from_no_pass_to_a_row(world: World) -> None:
    world.upload(CALLED | {"override": "就医取药"})
    (row,) = OverrideMark.objects.all()
    assert world.cti.hex() not in bytes(row.mark).hex()
    assert bytes(row.mark) == own_overrides.mark_of(world.cti)
    assert own_overrides.mark_of(b"stranger") != own_overrides.mark_of(world.cti)
    # A mark alone shows nothing: what the row says decides, and this one is somebody else's.
    row.delete()
    world.upload(CALLED | {"override": "工作", "cti": b"stranger"}, first=2)
    OverrideMark.objects.update(mark=own_overrides.mark_of(world.cti))
    assert own_overrides.of_person(world.person, at=NOW) == []


def test_it_is_forgotten_with_the_row(world: World) -> None:
    world.upload(CALLED | {"override": "就医取药"})
    assert len(own_overrides.of_person(world.person, at=NOW)) == 1
    assert own_overrides.of_person(world.person, at=NOW + 22 * 24 * HOUR) == []
    jobs.drop_old(NOW + timedelta(days=22))
    assert not OverrideMark.objects.exists()
