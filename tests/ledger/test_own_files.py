"""Every file that the log and a witness own, cut at every byte and changed: written anew as it was, or refused.

Never another key, never another name, never a traceback, and a sentence that says what to do. What is listed is the
folder after a run, so a kind of file that nobody has thought about turns this red.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest
from django.db import transaction
from django.test import Client
from tests.factories.ledger import AT, an_entry
from tests.sizes import size

from lianfang.config import chain, parties
from lianfang.ledger import board, fsck, keys, publication, sequencer
from lianfang_chain.checkpoint import Checkpoint as TreeHead
from lianfang_chain.checkpoint import open_checkpoint, sign_checkpoint
from lianfang_chain.submission import AddCheckpoint
from lianfang_chain.witness.__main__ import NoKey, create_key, load_key
from lianfang_chain.witness.judge import Witness
from lianfang_chain.witness.store import DamagedFolder, Store

pytestmark = [pytest.mark.fault, pytest.mark.django_db]

#: Cut at every byte up to this length.
SMALL: Final = 128


def damages(whole: bytes, *, quick: bool) -> Iterator[tuple[str, bytes | None]]:
    """Gone, cut off, zeros from there on, and changed by one bit, at every byte or at some; None is no file at all."""
    yield "gone", None
    places = size("torn_places") * (10 if quick else 1)
    every = 1 if quick and len(whole) <= SMALL else max(1, len(whole) // places)
    last = max(0, len(whole) - 1)
    for place in sorted({*range(0, len(whole), every), last} - {len(whole)}):
        yield f"cut at {place}", whole[:place]
        if place % 8 == 0 and whole[place:].strip(b"\x00"):
            yield f"zeros from {place}", whole[:place] + bytes(len(whole) - place)
        yield f"changed at {place}", whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]


def refused_by(kind: type[BaseException], act: Callable[[], Any], *signs: str) -> bool:
    """Whether it was refused, with a sentence that says where and what to do. Any other exception is a fault."""
    try:
        act()
    except kind as refusal:
        said = str(refusal)
    else:
        return False
    assert all(sign in said for sign in signs), said
    return True


class Folder:
    """A data folder with a chain of 300 acts, and a witness in it who has seen a fork."""

    def __init__(self, data: Path) -> None:
        self.data = data
        parties.prepare(data, host="lianfang.example", first_port=28471)
        self.told()
        self.acts = [an_entry() for _ in range(300)]
        sequencer.run_once(AT)
        self.note = publication.published_checkpoint()
        self.head, _ = open_checkpoint(self.note, keys.log_key())
        keys.put_away("cdc")
        an_entry()  # so that there is a key that was put away
        keys.next_organ_signer("cdc")  # and one that is to follow
        keys.succeed_sealing_key()  # and a key that still opens
        sequencer.run_once(AT)
        self.note = publication.published_checkpoint()
        self.head, _ = open_checkpoint(self.note, keys.log_key())
        for party in parties.PARTIES:
            with closing(self.store(party)) as store:
                witness = self.witness(party, store)
                assert witness.add_checkpoint(bytes(AddCheckpoint(0, (), self.note))).status == 200
        fork = sign_checkpoint(TreeHead(keys.origin(), self.head.size, b"f" * 32), keys.log_signer())
        with closing(self.store("property")) as store:
            witness = self.witness("property", store)
            assert witness.add_checkpoint(bytes(AddCheckpoint(self.head.size, (), fork))).status == 422
        board.write(AT)

    def told(self) -> None:
        """What a start reads."""
        from django.conf import settings

        settings.LIANFANG_CHAIN_ORIGIN, _ = chain.chain_settings(self.data)
        keys.forget()

    def store(self, party: str) -> Store:
        return Store(self.data / "witnesses" / party, keys.log_key())

    def witness(self, party: str, store: Store) -> Witness:
        signer = load_key(self.data / "witnesses" / party)
        return Witness(store, signer, publication.read, lambda: int(AT.timestamp()))

    def opened(self, party: str) -> None:
        with closing(self.store(party)) as store:
            self.witness(party, store)


@pytest.fixture
def folder(chain: Path) -> Folder:
    return Folder(chain)


Judge = Callable[[Folder, Path, bytes, "bytes | None"], None]


def _rebuilt(file: Path, whole: bytes) -> None:
    assert file.exists(), "not written anew"
    assert file.read_bytes() == whole, "written anew as something else"


def published(folder: Folder, file: Path, whole: bytes, damaged: bytes | None) -> None:
    """fsck notices it and writes it anew; of one that was cut off, nothing is handed out."""
    path = str(file.relative_to(folder.data / "chain"))
    if (
        path.startswith("tile/")
        and not path.startswith("tile/entries/")
        and len(damaged or b"") != len(whole)
    ):
        assert Client().get(f"/open/chain/{path}").status_code == 404
    report = fsck.check(rebuild=True)
    assert (report.written, report.problems) == (1, []), "not noticed"
    _rebuilt(file, whole)


def organs(folder: Folder, file: Path, whole: bytes, damaged: bytes | None) -> None:
    """The next round writes it anew."""
    sequencer.run_once(AT)
    _rebuilt(file, whole)


def log_key(folder: Folder, file: Path, whole: bytes, damaged: bytes | None) -> None:
    kind = keys.LogKeyLost if damaged is None else keys.KeyUnusable
    assert refused_by(kind, keys.log_signer, str(file), "Changing keys") or _same_line(file, whole)


def log_vkey(folder: Folder, file: Path, whole: bytes, damaged: bytes | None) -> None:
    if damaged is None:
        keys.log_key()
        _rebuilt(file, whole)
    else:
        assert refused_by(keys.KeyUnusable, keys.log_key, str(file), "Changing keys") or _same_line(
            file, whole
        )


def organ_key(folder: Folder, file: Path, whole: bytes, damaged: bytes | None) -> None:
    """One that is gone is followed by another, which the chain announces; one that is torn is refused."""
    before = {k.split("+")[2] for k in _announced()}
    if damaged is None:
        an_entry()
        sequencer.run_once(AT)
        assert {k.split("+")[2] for k in _announced()} - before == {
            str(keys.organ_signer("cdc").key).split("+")[2]
        }
    else:
        assert refused_by(keys.KeyUnusable, an_entry, str(file), "Changing keys") or _same_line(file, whole)


def _announced() -> set[str]:
    from lianfang.ledger.models import OrganKey

    return set(OrganKey.objects.values_list("vkey", flat=True))


def next_organ_key(folder: Folder, file: Path, whole: bytes, damaged: bytes | None) -> None:
    """Nothing was signed with it: one that is gone is another, one that is torn is refused."""
    refused = refused_by(keys.KeyUnusable, lambda: keys.next_organ_signer("cdc"), str(file))
    assert refused or damaged is None or _same_line(file, whole)


def sealing_key(folder: Folder, file: Path, whole: bytes, damaged: bytes | None) -> None:
    assert refused_by(keys.KeyUnusable, keys.sealing_key, str(file), "Changing keys") or _same_line(
        file, whole
    )


def seal_id(folder: Folder, file: Path, whole: bytes, damaged: bytes | None) -> None:
    if damaged is None:
        keys.sealing_key()
        _rebuilt(file, whole)
    else:
        sealing_key(
            folder, file.with_name("disclosures.key"), whole, damaged
        ) if damaged.strip() != whole.strip() else None


def former_sealing_key(folder: Folder, file: Path, whole: bytes, damaged: bytes | None) -> None:
    """A digit that changed is another key that opens nothing; it never seals anything, so nothing is lost by it."""
    if damaged is None or (damaged and not damaged.strip(b"\x00")):
        assert keys.former_sealing_key() is None  # as if it had been destroyed
    elif not re.fullmatch(rb"[0-9a-f]{64}\n?.?", damaged):
        assert refused_by(keys.KeyUnusable, keys.former_sealing_key, str(file))


def names(folder: Folder, file: Path, whole: bytes, damaged: bytes | None) -> None:
    """Nobody founds another chain, and a name that changed does not fit the key."""
    right = json.loads(whole)
    if damaged is None:
        assert refused_by(SystemExit, lambda: _prepare(folder), str(file), "put back")
        return
    if refused_by(SystemExit, lambda: chain.chain_settings(folder.data), str(file), "put back"):
        return
    told = json.loads(file.read_bytes())
    assert [w["vkey"] for w in told["witnesses"]] == [w["vkey"] for w in right["witnesses"]]
    folder.told()
    assert told["origin"] == right["origin"] or refused_by(keys.KeyUnusable, keys.log_key, "Changing keys")


def _prepare(folder: Folder) -> None:
    parties.prepare(folder.data, host="lianfang.example", first_port=28471)


def witness_key(folder: Folder, file: Path, whole: bytes, damaged: bytes | None) -> None:
    refused = refused_by(NoKey, lambda: load_key(file.parent), "witness.key: ")
    assert refused or _same_line(file, whole)
    # Who asks for the key of a first start gets none over it, unless there is none.
    assert (
        damaged is None
        or refused_by(NoKey, lambda: create_key(file.parent, "x/y"), "witness.key: ") == refused
    )


def kept_by_witness(folder: Folder, file: Path, whole: bytes, damaged: bytes | None) -> None:
    """Damage; or an own line under another name is signed anew, as it was."""
    if refused_by(DamagedFolder, lambda: folder.opened(file.parent.name), ": "):
        assert (file.read_bytes() if file.exists() else None) == damaged, "what is damaged was not left alone"
    else:
        _rebuilt(file, whole)


def first_step_only(folder: Folder, file: Path, whole: bytes, damaged: bytes | None) -> None:
    """`held` after the first step: gone, it is as if that step had not been finished (test_witness.py has the later)."""
    if damaged is not None:
        kept_by_witness(folder, file, whole, damaged)


def copy_of_evidence(folder: Folder, file: Path, whole: bytes, damaged: bytes | None) -> None:
    if damaged is None:
        folder.opened(file.parent.name)
        _rebuilt(file, whole)
    else:
        kept_by_witness(folder, file, whole, damaged)


def read_by_nobody(*_: object) -> None:
    """Kept for people (docs/chain.md, "Changing keys")."""


def nothing_in_it(folder: Folder, file: Path, whole: bytes, damaged: bytes | None) -> None:
    assert whole == b""
    folder.opened(file.parent.name)
    _rebuilt(file, whole)


def alarms(folder: Folder, file: Path, whole: bytes, damaged: bytes | None) -> None:
    """Pages show what they can, and the next round writes it anew."""
    list(board.shown())
    board.write(AT, failed=True)
    board.write(AT)
    _rebuilt(file, whole)


def _same_line(file: Path, whole: bytes) -> bool:
    """The line feed at the end is no part of a key."""
    return file.exists() and file.read_bytes().strip() == whole.strip()


#: What is to happen to each kind of file. What is not here has no stated behaviour.
STATED: Final[list[tuple[str, Judge]]] = [
    (r"chain/checkpoint|chain/tile/(entries|\d)/.*", published),
    (r"chain/organs", organs),
    (r"keys/log\.key", log_key),
    (r"keys/log\.vkey", log_vkey),
    (r"keys/organs/cdc\.key", organ_key),
    (r"keys/organs/cdc\.next", next_organ_key),
    (r"keys/disclosures\.key", sealing_key),
    (r"keys/disclosures\.id", seal_id),
    (r"keys/disclosures\.old", former_sealing_key),
    (r"chain\.json", names),
    (r"witnesses/\w+/witness\.key", witness_key),
    (r"witnesses/\w+/held", first_step_only),
    (r"witnesses/\w+/(hashes|entries|fork-evidence\.txt)", kept_by_witness),
    (r"witnesses/\w+/fork-[12]\.note", copy_of_evidence),
    (r"witnesses/\w+/lock", nothing_in_it),
    (r"keys/organs/cdc\.old", read_by_nobody),
    (r"run/chain-alarms\.json", alarms),
]
#: Of the three witnesses the one who saw the fork has every kind of file.
OTHERS: Final = ("witnesses/residents/", "witnesses/community/")


def test_every_file_of_log_and_witness_is_written_anew_as_it_was_or_refused(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Who signed the entries is not the question here, and takes most of the time.
    monkeypatch.setattr(fsck, "_check_entry", lambda *_: None)

    left = [str(f.relative_to(folder.data)) for f in sorted(folder.data.rglob("*")) if f.is_file()]
    unstated = [name for name in left if not any(re.fullmatch(kind, name) for kind, _ in STATED)]
    assert not unstated
    seen = {kind for kind, _ in STATED for name in left if re.fullmatch(kind, name)}
    assert seen == {kind for kind, _ in STATED}, "a kind that is not in the folder is not tested"
    assert {"chain/tile/0/000", "chain/tile/1/000.p/1", "chain/tile/entries/000"} <= set(left)
    wrong, tried = [], 0
    for name in left:
        judge = next(judge for kind, judge in STATED if re.fullmatch(kind, name))
        if name.startswith(OTHERS) or judge is read_by_nobody:
            continue
        file = folder.data / name
        kept = {f: f.read_bytes() for f in folder.data.rglob("*") if f.is_file()}
        written = {f: f.stat().st_mtime_ns for f in kept}
        # Whether a tile is right is a matter of the whole table, so each look at one takes a while.
        for what, damaged in damages(kept[file], quick=judge is not published):
            file.unlink()
            if damaged is not None:
                file.write_bytes(damaged)
            keys.forget()
            tried += 1
            try:
                with transaction.atomic():
                    judge(folder, file, kept[file], damaged)
                    transaction.set_rollback(True)
            except Exception as fault:
                wrong.append(f"{name} {what}: {type(fault).__name__} {fault}"[:300])
            there = {f: f.stat().st_mtime_ns for f in folder.data.rglob("*") if f.is_file()}
            for other in there.keys() - kept.keys():
                other.unlink()
            for other, content in kept.items():
                if there.get(other) != written[other]:
                    other.write_bytes(content)
                    written[other] = other.stat().st_mtime_ns
            folder.told()
    assert not wrong, "\n".join(wrong[:40])
    assert tried > 500
