"""Key files of the log and of the organs, and the key that seals what is disclosed later.

Files lie in the data folder, mode 0600, and are made on first use by a link that fails if somebody else was
faster, so two processes never work with two keys.
"""

from __future__ import annotations

import contextlib
import os
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from django.conf import settings

from lianfang.kernel import ids
from lianfang_chain.entry import organ_key_name
from lianfang_chain.note import ED25519, Signer, VerifierKey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Beside `log.key`.
LOG_VKEY: Final = "log.vkey"
_ORGAN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class LogKeyLost(Exception):
    """A log has one key for life, so no other is made in its place: the chain is to be begun anew."""

    def __init__(self, file: Path) -> None:
        super().__init__(f'{file} is gone: put it back, or see docs/chain.md, "Changing keys"')


def folder() -> Path:
    return _path(settings.LIANFANG_DATA)


@lru_cache(maxsize=512)  # each act asks, and a Path is slow to make and to hash
def _path(data: Path, *names: str) -> Path:
    return Path(data, "keys", *names)


def origin() -> str:
    """The log's name: the first line of each checkpoint."""
    return str(settings.LIANFANG_CHAIN_ORIGIN)


def log_signer() -> Signer:
    """The key of the log; only the sequencer signs with it.

    :raises LogKeyLost: its file is gone and its public half is there
    """
    return _signer(_path(settings.LIANFANG_DATA, "log.key"), origin())


def log_key() -> VerifierKey:
    """The public half, kept in a file of its own: pages and papers verify with it even when the other is lost."""
    return _verifier(_path(settings.LIANFANG_DATA, LOG_VKEY), origin())


def organ_signer(organ: str) -> Signer:
    """The key with which an organ signs its acts.

    :raises ValueError: not the code of an organ
    """
    return _signer(organ_key_file(organ), organ_key_name(origin(), organ))


def organ_key_file(organ: str) -> Path:
    """Where it lies.

    :raises ValueError: not the code of an organ
    """
    if not _ORGAN.fullmatch(organ):
        raise ValueError(f"not the code of an organ: {organ!r}")
    return _path(settings.LIANFANG_DATA, "organs", f"{organ}.key")


def put_away(organ: str) -> None:
    """End the organ's key here: its next act makes another, and the next round announces it. Nothing is deleted.

    :raises FileNotFoundError: it has none
    """
    file = organ_key_file(organ)
    os.rename(file, free_name(file.with_suffix(".old")))
    forget()


def next_organ_signer(organ: str) -> Signer:
    """The key that is to follow the organ's present one; made if it is not there yet.

    :raises FileNotFoundError: the organ has none that it could follow
    """
    file = organ_key_file(organ)
    if not file.exists():
        raise FileNotFoundError(file)
    return _signer(file.with_suffix(".next"), organ_key_name(origin(), organ))


def succeed(organ: str) -> None:
    """The next key takes the place of the present one, which is put away."""
    put_away(organ)
    file = organ_key_file(organ)
    os.rename(file.with_suffix(".next"), file)
    forget()


def free_name(file: Path) -> Path:
    """The name itself, or one beside it that nothing has yet: an old key is never written over."""
    numbers = (file.with_name(f"{file.name}{n or ''}") for n in range(1_000))
    return next(name for name in numbers if not name.exists())


def organs_with_keys() -> Iterator[str]:
    """Codes of the organs for which a key was made."""
    for file in sorted((folder() / "organs").glob("*.key")):
        yield file.stem


def sealing_key() -> bytes:
    """Seals the case keys. Without this file nothing in the table of disclosures can be read."""
    return _bytes(_path(settings.LIANFANG_DATA, "disclosures.key"))


def forget() -> None:
    """Read the files again: one of them was changed. Other processes are to be started anew."""
    _signer.cache_clear()
    _verifier.cache_clear()
    _bytes.cache_clear()


@lru_cache(maxsize=512)
def _signer(file: Path, name: str) -> Signer:
    def new() -> str:
        if file == _path(settings.LIANFANG_DATA, "log.key") and file.with_name(LOG_VKEY).exists():
            raise LogKeyLost(file)
        return Signer(name, ED25519, ids.random_bytes(32)).private_text()

    return Signer.parse(_made(file, new))


@lru_cache(maxsize=8)
def _verifier(file: Path, _origin: str) -> VerifierKey:
    return VerifierKey.parse(_made(file, lambda: str(log_signer().key)))


@lru_cache(maxsize=8)
def _bytes(file: Path) -> bytes:
    return bytes.fromhex(_made(file, lambda: ids.random_bytes(32).hex()))


def _made(file: Path, make: Callable[[], str]) -> str:
    """The content of the file, which is made if it is not there yet; durable when this returns."""
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = file.with_name(f".{file.name}.{ids.new_id()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as target:
            target.write(make() + "\n")
            target.flush()
            os.fsync(target.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, file)
        draft.unlink()
        descriptor = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    return file.read_text().strip()
