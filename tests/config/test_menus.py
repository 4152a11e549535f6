"""What rooms offer reaches the frame."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

import pytest
from django.conf import settings

WAITING = [
    room
    for room in settings.ROOMS
    if find_spec("lianfang." + room) and find_spec(f"lianfang.{room}.queries")
    and hasattr(import_module(f"lianfang.{room}.queries"), "todo")
]  # fmt: skip


@pytest.mark.parametrize("room", WAITING)
def test_what_waits_in_a_room_is_on_todays_list(room: str) -> None:
    assert callable(getattr(import_module(f"lianfang.{room}.menu"), "todo", None))
