"""The three witnesses that one machine runs until each party has taken its own home (docs/witness.zh.md).

Each has a folder and a key of its own below `data/witnesses/`. `data/chain.json` says what the log is called
and whom it asks; a party that moves to its own machine is a change of that file and nothing else.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lianfang.kernel.ids import random_bytes
from lianfang_chain.witness.__main__ import create_key

if TYPE_CHECKING:
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

    @property
    def health(self) -> str:
        """Its status page."""
        return f"http://127.0.0.1:{self.port}/"

    def command(self, *, python: str, log_url: str, log_vkey: str) -> list[str]:
        """The command that runs it."""
        return [
            python, "-m", "lianfang_chain.witness", "--folder", str(self.folder), "--log-vkey", log_vkey,
            "--log-url", log_url, "--port", str(self.port), "--title", self.title,
        ]  # fmt: skip


def prepare(data: Path, *, host: str, first_port: int) -> list[Party]:
    """Name the log and make the witnesses' folders and keys, once; returns those that run on this machine."""
    file = data / "chain.json"
    if not file.exists():
        origin = f"{host}/chain/{random_bytes(4).hex()}"
        witnesses = []
        ports = _free_ports(first_port, len(PARTIES))
        for port, (name, title) in zip(ports, PARTIES.items(), strict=True):
            signer = create_key(data / "witnesses" / name, f"{origin}/{name}")
            witnesses.append(
                {
                    "name": name,
                    "title": title,
                    "vkey": str(signer.key),
                    "url": f"http://127.0.0.1:{port}",
                    "folder": f"witnesses/{name}",
                }
            )
        draft = file.with_suffix(".tmp")
        draft.write_text(json.dumps({"origin": origin, "witnesses": witnesses}, ensure_ascii=False, indent=1))
        os.replace(draft, file)
    content = json.loads(file.read_text())
    return [
        Party(w["name"], w["title"], data / w["folder"], int(w["url"].rpartition(":")[2].strip("/")))
        for w in content["witnesses"]
        if w.get("folder")
    ]


def _free_ports(first: int, count: int) -> list[int]:
    """The next free ports of this machine: several installations may share it."""
    found: list[int] = []
    port = first
    while len(found) < count:
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            found.append(port)
        port += 1
    return found
