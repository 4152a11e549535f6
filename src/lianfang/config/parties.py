"""The three witnesses that one machine runs until each party has taken its own home (docs/witness.zh.md).

Each has a folder and a key of its own below `data/witnesses/`. `data/chain.json` says what the log is called
and whom it asks; a party that moves to its own machine is a change of that file and nothing else.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lianfang.kernel.ids import random_bytes
from lianfang.ledger.policy import places_named
from lianfang_chain.witness.__main__ import create_key

from .chain import PUT_BACK, written
from .supervise import open_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PARTIES: Final = {
    "residents": "居民委员会见证 Residents",
    "property": "物业见证 Property",
    "community": "社区见证 Community",
}


@dataclass(frozen=True, slots=True)
class Party:
    """One witness on this machine."""

    name: str
    title: str
    folder: Path
    port: int
    places: tuple[str, ...] = ()

    @property
    def health(self) -> str:
        """Its status page."""
        return f"http://127.0.0.1:{self.port}/"

    def command(self, *, python: str, log_url: str, log_vkey: str) -> list[str]:
        """The command that runs it."""
        return [
            python, "-m", "lianfang_chain.witness", "--folder", str(self.folder), "--log-vkey", log_vkey,
            "--log-url", log_url, "--port", str(self.port), "--title", self.title,
            *(word for place in self.places for word in ("--place", place)),
        ]  # fmt: skip


def prepare(data: Path, *, host: str, first_port: int) -> list[Party]:
    """Name the log and make the witnesses' folders and keys, once; returns those that run on this machine.

    :raises SystemExit: what is there is not what was written, with a sentence that says what to do

    A witness whose port another program has taken meanwhile moves to the next free one; only this machine asks there.
    """
    file = data / "chain.json"
    content = written(data) or _founded(data, host)
    here = [witness for witness in content["witnesses"] if witness.get("folder")]
    ports = _free_ports(first_port)
    for witness in here:
        if not (witness.get("url") and _is_free(_port(witness))):
            taken = [_port(other) for other in here if other.get("url")]
            witness["url"] = f"http://127.0.0.1:{next(port for port in ports if port not in taken)}"
    text = json.dumps(content, ensure_ascii=False, indent=1)
    if not file.exists() or file.read_text() != text:
        draft = file.with_suffix(".tmp")
        draft.write_text(text)
        os.replace(draft, file)
    return [Party(w["name"], w["title"], data / w["folder"], _port(w), places_named(w)) for w in here]


def _founded(data: Path, host: str) -> dict[str, Any]:
    """A name for the log that no other installation has, and a key for each witness.

    :raises SystemExit: there is the key of a log, so its name was lost: another name would be another chain
    """
    if (data / "keys" / "log.vkey").exists():
        raise SystemExit(f"{data / 'chain.json'} is gone: {PUT_BACK}")
    origin = f"{host}/chain/{random_bytes(4).hex()}"
    witnesses = []
    for name, title in PARTIES.items():
        signer = create_key(data / "witnesses" / name, f"{origin}/{name}")
        witnesses.append(
            {"name": name, "title": title, "vkey": str(signer.key), "folder": f"witnesses/{name}"}
        )
    return {"origin": origin, "witnesses": witnesses}


def _port(witness: dict[str, str]) -> int:
    return int(witness["url"].rpartition(":")[2].strip("/"))


def _free_ports(first: int) -> Iterator[int]:
    """The free ports of this machine in order: several installations may share it."""
    return (port for port in range(first, 65536) if _is_free(port))


def _is_free(port: int) -> bool:
    try:
        open_port("127.0.0.1", port)
    except OSError:
        return False
    return True
