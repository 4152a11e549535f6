"""A log served over HTTP from files, as any web server would serve the published folder."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.chain.logs import LOG, ORIGIN

from lianfang_chain.checkpoint import Checkpoint, sign_checkpoint
from lianfang_chain.tiles import TileWriter
from lianfang_chain.tree import leaf_hash


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing: a test run is no access log."""


class ServedLog:
    """A growing log in a folder, with the checkpoint of each step."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.writer = folder, TileWriter()
        self.leaves: list[bytes] = []
        self.steps: dict[int, bytes] = {}
        handler = functools.partial(_Quiet, directory=str(folder))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"

    def grow_to(self, size: Any) -> None:
        while self.writer.size < size:
            entry = f"entry {self.writer.size}".encode()
            self.leaves.append(leaf_hash(entry))
            self.writer.append(entry, self.leaves[-1])
        for tile, data in self.writer.take():
            file = self.folder / tile.path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        checkpoint = Checkpoint(ORIGIN, size, self.writer.root())
        self.steps[size] = checkpoint.root
        (self.folder / "checkpoint").write_bytes(sign_checkpoint(checkpoint, LOG))

    def read(self, tile: Any) -> Any:
        return (self.folder / tile.path).read_bytes()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Any]:
    log = ServedLog(tmp_path / "log")
    (tmp_path / "log").mkdir()
    yield log
    log.close()
