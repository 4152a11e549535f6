"""Compiles every room's English sentences (`locale/en/LC_MESSAGES/django.po`); Chinese is the source."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

SOURCE = Path(__file__).resolve().parents[1]


def compile_all() -> int:
    """Compile what is newer than its compiled form; returns how many files were written."""
    written = 0
    for po in SOURCE.glob("*/locale/*/LC_MESSAGES/*.po"):
        mo = po.with_suffix(".mo")
        if mo.exists() and mo.stat().st_mtime >= po.stat().st_mtime:
            continue
        with po.open("rb") as source:
            catalogue = read_po(source, abort_invalid=True)
        # Two processes may compile at once: each writes its own draft, the last whole one stands.
        temporary = mo.with_suffix(f".{os.getpid()}.tmp")
        with temporary.open("wb") as target:
            write_mo(target, catalogue)
        temporary.replace(mo)
        written += 1
    return written


if __name__ == "__main__":
    sys.stdout.write(f"{compile_all()} files\n")
