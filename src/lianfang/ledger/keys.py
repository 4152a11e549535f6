"""Key files of the log and of the organs, and the key that seals what is disclosed later.

Files lie in the data folder, mode 0600, and are made on first use by a link that fails if somebody else was
faster, so two processes never work with two keys.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from django.conf import settings

from lianfang.kernel import ids
from lianfang.kernel.errors import Refused
from lianfang_chain.entry import organ_key_name
from lianfang_chain.note import ED25519, MalformedNote, Signer, VerifierKey
from lianfang_chain.witness.store import sync_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Beside `log.key`.
LOG_VKEY: Final = "log.vkey"
#: Beside `disclosures.key`: by which it is known again. Without it a lost key would silently be another one, and a
#: torn file a shorter key.
SEAL_ID: Final = "disclosures.id"
_SEAL: Final = re.compile(rb"[0-9a-f]{64}")
_ORGAN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class KeyUnusable(Refused):
    """A key file is not what was written, or it is gone. No other key is made in its place."""

    code = "ledger:key_unusable"

    def __init__(self, file: Path, why: str) -> None:
        super().__init__()
        self._what = f'{file} {why}: put back the copy of a backup, or see docs/chain.md, "Changing keys"'

    def __str__(self) -> str:  # for who runs the system; a page shows the sentence
        return self._what


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
    :raises KeyUnusable: it is not what was written, or not the one of `log.vkey`
    """
    signer = _signer(_path(settings.LIANFANG_DATA, "log.key"), origin())
    if signer.key != log_key():
        raise KeyUnusable(_path(settings.LIANFANG_DATA, LOG_VKEY), "is not the public half of log.key")
    return signer


def log_key() -> VerifierKey:
    """The public half, kept in a file of its own: pages and papers verify with it even when the other is lost.

    :raises KeyUnusable: it is not what was written, or of another log than this one
    """
    return _verifier(_path(settings.LIANFANG_DATA, LOG_VKEY), origin())


def organ_signer(organ: str) -> Signer:
    """The key with which an organ signs its acts.

    :raises ValueError: not the code of an organ
    :raises KeyUnusable: it is not what was written
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
    sync_folder(file.parent)
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
    """The next key takes the place of the present one, which is put away. At no instant is there none: an act would
    make a third."""
    file = organ_key_file(organ)
    os.link(file, free_name(file.with_suffix(".old")))
    file.with_suffix(".next").replace(file)
    sync_folder(file.parent)
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
    """Seals the case keys. Without this file nothing in the table of disclosures can be read.

    :raises KeyUnusable: it is gone, or not the one of `disclosures.id`
    """
    return _sealing(_path(settings.LIANFANG_DATA, "disclosures.key"))


def former_sealing_key() -> bytes | None:
    """The key before, while what it sealed is sealed anew.

    :raises KeyUnusable: it is not what was written
    """
    file = _former()
    if not file.exists():
        return None
    content = file.read_bytes()
    # Zeros are one that was being destroyed; an empty file is one that was torn.
    return None if content and not content.strip(b"\x00") else _key_of(file, content)


def succeed_sealing_key() -> None:
    """Another key seals from now on, and the one before still opens. Cut off at any point it may be done again."""
    sealing_key()
    file, former = _path(settings.LIANFANG_DATA, "disclosures.key"), _former()
    following = file.with_suffix(".next")
    if former.exists() and not following.exists():
        return  # done before; what it sealed is not all sealed anew yet
    _made(following, lambda: ids.random_bytes(32).hex())
    if not former.exists():
        os.link(file, former)  # at no instant is there none
    # Gone before the key is another; made again from whichever key is there.
    file.with_name(SEAL_ID).unlink(missing_ok=True)
    sync_folder(file.parent)
    following.replace(file)
    sync_folder(file.parent)
    forget()


def destroy_former_sealing_key() -> None:
    """Nothing is sealed under it any more. Its bytes are written over, as far as a disk does that where they lie."""
    file = _former()
    with file.open("r+b") as target:
        target.write(bytes(file.stat().st_size))
        target.flush()
        os.fsync(target.fileno())
    file.unlink()
    sync_folder(file.parent)


def _former() -> Path:
    return _path(settings.LIANFANG_DATA, "disclosures.old")


def forget() -> None:
    """Read the files again: one of them was changed. Other processes are to be started anew."""
    _signer.cache_clear()
    _verifier.cache_clear()
    _sealing.cache_clear()


@lru_cache(maxsize=512)
def _signer(file: Path, name: str) -> Signer:
    def new() -> str:
        is_log = file == _path(settings.LIANFANG_DATA, "log.key")
        if is_log and file.with_name(LOG_VKEY).exists() and not file.exists():  # as in `_sealing`
            raise LogKeyLost(file)
        return Signer(name, ED25519, ids.random_bytes(32)).private_text()

    try:
        signer = Signer.parse(_made(file, new))
    except (MalformedNote, UnicodeDecodeError) as error:
        raise KeyUnusable(file, "is not what was written") from error
    # An organ's key is kept when a chain that ended is begun anew under another name; the log's is not.
    if file.name == "log.key" and signer.key.name != name:
        raise KeyUnusable(file, f"is the key of {signer.key.name}, not of {name}")
    return signer


@lru_cache(maxsize=8)
def _verifier(file: Path, origin: str) -> VerifierKey:
    try:
        key = VerifierKey.parse(_made(file, lambda: str(_signer(file.with_name("log.key"), origin).key)))
    except (MalformedNote, UnicodeDecodeError) as error:
        raise KeyUnusable(file, "is not what was written") from error
    if key.name != origin:
        raise KeyUnusable(file, f"is the key of {key.name}, not of {origin}")
    return key


@lru_cache(maxsize=8)
def _sealing(file: Path) -> bytes:
    known = file.with_name(SEAL_ID)

    def new() -> str:
        # In this order: who made the id had made the key before, perhaps since we looked for it.
        if known.exists() and not file.exists():
            raise KeyUnusable(file, "is gone")
        return ids.random_bytes(32).hex()

    try:
        key = _key_of(file, _made(file, new).encode())
        right = _made(known, lambda: _seal_id(key)) == _seal_id(key)
    except UnicodeDecodeError as error:
        raise KeyUnusable(file, "is not what was written") from error
    if not right:
        raise KeyUnusable(file, f"is not the key of {SEAL_ID}")
    return key


def _seal_id(key: bytes) -> str:
    return hashlib.sha256(b"lianfang-seal/v1\n" + key).hexdigest()[:16]


def _key_of(file: Path, content: bytes) -> bytes:
    if not _SEAL.fullmatch(content.strip()):
        raise KeyUnusable(file, "is not what was written")
    return bytes.fromhex(content.decode())


def _made(file: Path, make: Callable[[], str]) -> str:
    """The content of the file, which is made if it is not there yet; durable when this returns."""
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = file.with_name(f".{file.name}.{ids.new_id()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w") as target:
                target.write(make() + "\n")
                target.flush()
                os.fsync(target.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(draft, file)
        finally:
            draft.unlink()
        sync_folder(file.parent)
    return file.read_text().strip()
