"""Identifiers and random bytes: the only door to randomness outside the pure packages."""

from __future__ import annotations

import os
import time
from uuid import UUID


def new_id() -> UUID:
    """A UUID version 7 (RFC 9562 §5.7): ordered by time, so that indexes grow at their right edge."""
    milliseconds = time.time_ns() // 1_000_000
    rand = int.from_bytes(os.urandom(10), "big")
    value = (milliseconds & (2**48 - 1)) << 80
    value |= 0x7 << 76 | (rand >> 68) << 64
    value |= 0b10 << 62 | rand & (2**62 - 1)
    return UUID(int=value)


def random_bytes(n: int) -> bytes:
    """`n` bytes of the operating system's generator."""
    return os.urandom(n)
