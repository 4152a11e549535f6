"""Opening rows that a device sealed. The only place where they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from django.db import connection

from lianfang.credentials import queries as keys
from lianfang_pass.errors import Rejected
from lianfang_pass.passages import open_passage

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from uuid import UUID

    from lianfang_pass.passages import Passage

Row = TypeVar("Row")


def opened(opening: Callable[..., Row], device: bytes, seq: int, sealed: bytes) -> Row | None:
    """What the row says; None if no key of ours opens it, or it is none.

    :param opening: `open_passage` or `open_signal`
    """
    for thumbprint in keys.seal_keys():
        try:
            return opening(sealed, keys.private_key(thumbprint), device=device, seq=seq)
        except Rejected as refusal:
            if refusal.code != "sealed":
                return None
    return None


def passage_of(device: UUID, seq: int, received_at: datetime) -> Passage | None:
    """One stored row, opened; None if it is gone, too."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sealed FROM gates_passage WHERE received_at = %s AND device = %s AND seq = %s",
            [received_at, device, seq],
        )
        found = cursor.fetchone()
    return opened(open_passage, device.bytes, seq, bytes(found[0])) if found else None
