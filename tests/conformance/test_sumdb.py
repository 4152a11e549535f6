"""A Go program on Debian's golang.org/x/mod/sumdb reads and checks our log."""

import base64
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.chain.logs import LOG

from lianfang_chain.tiles import TileHashes
from lianfang_chain.tree import inclusion_proof

pytestmark = pytest.mark.conformance
SIZES = (0, 1, 255, 256, 257, 65_535, 65_536, 65_537, 70_000)
# Debian's golang-golang-x-mod-dev puts the source here; the build takes nothing from any network.
ENVIRONMENT = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": "", "GOPROXY": "off"}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("go")
    target = folder / "sumdb"
    source = Path(__file__).parent / "sumdb" / "main.go"
    subprocess.run(
        ["go", "build", "-o", str(target), str(source)],
        check=True,
        env={**os.environ, **ENVIRONMENT, "GOCACHE": str(folder / "cache")},
    )
    return target


def run(program: Any, log: Any, size: Any, *, old: Any = 0, own: Any = "", vkey: Any = None) -> Any:
    words = [
        program,
        log.address,
        vkey or str(LOG.key),
        "",
        str(old),
        base64.b64encode(log.steps[old]).decode(),
    ]
    return subprocess.run(words, input=own, capture_output=True, text=True, check=False)


def own_proofs(log: Any, size: Any) -> Any:
    """Our own inclusion proofs, for their checker."""
    tiles = TileHashes(size, log.read)
    blocks = []
    for index in sorted({0, size // 3, size - 1}) if size else []:
        path = inclusion_proof(index, size, tiles)
        blocks.append("\n".join([str(index), *(base64.b64encode(h).decode() for h in path)]))
    return "\n\n".join(blocks)


def test_every_size_is_read_and_checked(program: Any, served: Any) -> None:
    old = 0
    for size in SIZES:
        served.grow_to(size)
        done = run(program, served, size, old=old, own=own_proofs(served, size))
        assert (done.returncode, done.stdout) == (0, f"{size} entries\n"), done.stderr
        old = size


def test_it_notices_what_is_wrong(program: Any, served: Any) -> None:
    """So that the test above means something: each of these is found by their code."""
    served.grow_to(0)
    served.grow_to(255)
    served.grow_to(600)
    assert run(program, served, 600, old=255).returncode == 0
    good = own_proofs(served, 600)
    line = good.split("\n")[1]
    assert (
        "own inclusion"
        in run(program, served, 600, own=good.replace(line, base64.b64encode(b"x" * 32).decode())).stderr
    )
    served.steps[255] = b"x" * 32
    assert "consistency" in run(program, served, 600, old=255).stderr
    stranger = str(LOG.key).replace("+", "x+", 1)
    assert run(program, served, 600, vkey=stranger).returncode == 1
    for path in ("tile/0/001", "tile/entries/001", "tile/1/000.p/2", "checkpoint"):
        file = served.folder / path
        whole = file.read_bytes()
        file.write_bytes(whole[:50] + bytes([whole[50] ^ 1]) + whole[51:])
        assert run(program, served, 600).returncode == 1, path
        file.write_bytes(whole)
    assert run(program, served, 600).returncode == 0
