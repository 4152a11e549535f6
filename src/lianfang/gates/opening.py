"""Opening rows that a device sealed. The only place where they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lianfang.credentials import queries as keys
from lianfang_pass.errors import Rejected
from lianfang_pass.passages import open_passage

if TYPE_CHECKING:
    from uuid import UUID

    from lianfang_pass.passages import Passage


def opened(device: UUID, seq: int, sealed: bytes) -> Passage | None:
    """What the row says; None if no key of ours opens it, or it is none."""
    for thumbprint in keys.seal_keys():
        try:
            return open_passage(sealed, keys.private_key(thumbprint), device=device.bytes, seq=seq)
        except Rejected as refusal:
            if refusal.code != "sealed":
                return None
    return None
