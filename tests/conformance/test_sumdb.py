"""A Go program on Debian's golang.org/x/mod/sumdb reads and checks our log where everybody reads it: in our pages."""

import base64
import os
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from tests.chain.logs import LOG, ORIGIN, WITNESS
from tests.conformance.conftest import Pages
from tests.factories.ledger import AT, an_entry

from lianfang.ledger import keys, publication, sequencer
from lianfang.ledger.models import Checkpoint
from lianfang_chain.note import COSIGNATURE, Signer
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


def run(
    program: Any, pages: Any, *, old: Any = 0, root: Any = bytes(32), own: Any = "", vkey: Any = None
) -> Any:
    """What it says of the log that the pages serve; entries it reads as a witness does."""
    words = [
        program,
        pages.address,
        vkey or str(LOG.key),
        pages.token,
        str(old),
        base64.b64encode(root).decode(),
    ]
    return subprocess.run(words, input=own, capture_output=True, text=True, check=False)


def own_proofs(size: Any, read: Any) -> Any:
    """Our own inclusion proofs, for their checker."""
    tiles = TileHashes(size, read)
    blocks = []
    for index in sorted({0, size // 3, size - 1}) if size else []:
        path = inclusion_proof(index, size, tiles)
        blocks.append("\n".join([str(index), *(base64.b64encode(h).decode() for h in path)]))
    return "\n\n".join(blocks)


def test_every_size_is_read_and_checked(program: Any, published: Any, pages: Any) -> None:
    old = 0
    for size in SIZES:
        published.grow_to(size)
        done = run(
            program, pages, old=old, root=published.steps.get(old), own=own_proofs(size, published.read)
        )
        assert (done.returncode, done.stdout) == (0, f"{size} entries\n"), done.stderr
        old = size


def test_a_log_of_acts_is_read_and_checked_at_the_sizes_that_appends_reach(
    program: Any, pages: Any, settings: Any, tmp_path: Any
) -> None:
    """From the act's row on: appended, sequenced, signed and published by the code that does so in service."""
    settings.LIANFANG_DATA = tmp_path
    settings.LIANFANG_WITNESSES = [{"name": "residents", "vkey": str(WITNESS.key)}]
    keys.organ_signer("cdc")  # its announcement is entry 0, so that the first size is 1
    vkey, roots = str(keys.log_key()), {0: bytes(32)}
    for old, size in pairwise((0, 1, 255, 256, 257)):
        with transaction.atomic():
            for _ in range(size - max(old, 1)):
                an_entry()
        assert sequencer.run_once(AT).size == size
        roots[size] = bytes(Checkpoint.objects.get(size=size).root)
        own = own_proofs(size, publication.read)
        done = run(program, pages, old=old, root=roots[old], own=own, vkey=vkey)
        assert (done.returncode, done.stdout) == (0, f"{size} entries\n"), done.stderr


def test_the_pages_give_entries_to_nobody_without_a_token(program: Any, published: Any, pages: Any) -> None:
    published.grow_to(3)
    for stranger in (Signer(WITNESS.key.name, COSIGNATURE, b"x" * 32), LOG):
        done = run(program, Pages(pages.server, stranger, ORIGIN))
        assert (done.returncode, done.stdout, "tile/entries/000.p/3: 403" in done.stderr) == (1, "", True)


def test_it_notices_what_is_wrong(program: Any, published: Any, pages: Any) -> None:
    """So that the tests above mean something: each of these is found by their code."""
    published.grow_to(0)
    published.grow_to(255)
    published.grow_to(600)
    root = published.steps[255]
    assert run(program, pages, old=255, root=root).returncode == 0
    good = own_proofs(600, published.read)
    line = good.split("\n")[1]
    forged = good.replace(line, base64.b64encode(b"x" * 32).decode())
    assert "own inclusion" in run(program, pages, own=forged).stderr
    assert "consistency" in run(program, pages, old=255, root=b"x" * 32).stderr
    stranger = str(LOG.key).replace("+", "x+", 1)
    assert run(program, pages, vkey=stranger).returncode == 1
    for path in ("tile/0/001", "tile/entries/001", "tile/1/000.p/2", "checkpoint"):
        file = published.folder / path
        whole = file.read_bytes()
        file.write_bytes(whole[:50] + bytes([whole[50] ^ 1]) + whole[51:])
        assert run(program, pages).returncode == 1, path
        file.write_bytes(whole)
    assert run(program, pages).returncode == 0
