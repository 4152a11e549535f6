"""Passes and an actor for tests of passes and gates; all people invented."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from lianfang.credentials import actions, queries
from lianfang.kernel import ids
from lianfang.kernel.actor import Actor
from lianfang_pass.keylist import KeyList, accept_key_list

AT = datetime(2020, 2, 5, 4, 0, tzinfo=UTC)
SHARD = "510402003"
HOME = "m1k"


def by(at: datetime = AT, **changes: Any) -> Actor:
    values: dict[str, Any] = {
        "user_id": ids.new_id(),
        "pseudonym": "g-7f3a",
        "organ": "510402003001",
        "organ_kind": "community",
        "grants": frozenset(),
        "at": at,
        "purpose": "passes",
        "surface": "test",
        "request_id": ids.new_id(),
    }
    return Actor(**{**values, **changes})


def a_draft(**changes: Any) -> actions.PassDraft:
    values: dict[str, Any] = {
        "id": ids.new_id(),
        "holder_id": ids.new_id(),
        "kind": "P",
        "shard": SHARD,
        "door": "5-2-603",
        "member_no": 1,
        "initials": "LXM",
        "birth_year": 1988,
        "zones": (HOME,),
        "valid_from": AT,
        "valid_until": AT + timedelta(days=31),
        "channel": "printed",
    }
    return actions.PassDraft(**{**values, **changes})


def keys_held() -> KeyList:
    """The key list as a device enrolled now would hold it."""
    listed = queries.key_list()
    assert listed is not None
    root = queries.root_public()
    return accept_key_list(listed[1], root=root, thumbprint=root.thumbprint)
