"""Opening rows that a device sealed. The only place where they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from lianfang.credentials import queries as keys
from lianfang_pass.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Callable

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
