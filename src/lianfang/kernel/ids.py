"""Identifiers and random bytes: the only door to randomness outside the pure packages."""

from __future__ import annotations

import os
import time
from uuid import UUID


def new_id() -> UUID:
    """A UUID version 7 (RFC 9562 §5.7): ordered by time, so that indexes grow at their right edge.

    Two of one process are in the order in which they were made: the twelve bits after the milliseconds are the
    fraction of the millisecond (§6.2, method 3), the other 62 are random.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    value = (milliseconds & (2**48 - 1)) << 80
    value |= 0x7 << 76 | (rest * 4096 // 1_000_000) << 64
    value |= 0b10 << 62 | int.from_bytes(os.urandom(8), "big") >> 2
    return UUID(int=value)


def random_id() -> UUID:
    """A UUID version 4: it tells nothing, not even when it was made. For ids that the public reads of an act on a person,
    and for addresses that nobody is to guess."""
    return UUID(bytes=os.urandom(16), version=4)


def id_in(text: str) -> UUID | None:
    """The identifier that a text from outside spells; None when it spells none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def random_bytes(n: int) -> bytes:
    """`n` bytes of the operating system's generator."""
    return os.urandom(n)
