"""What the district hands out, as the committee's computer takes it: `witness.toml`, and the package alone."""

import contextlib
import json
import subprocess
import sys
import tomllib
from argparse import Namespace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.chain.logs import LOG, ORIGIN, WITNESS
from tests.factories.ledger import AT

from lianfang.config import chain_tending
from lianfang.ledger import keys
from lianfang_chain.witness import __main__ as program
from lianfang_chain.witness.__main__ import _options, create_key, load_key, main, serve

ROOT = Path(__file__).parents[2]
GUIDES = pytest.mark.parametrize("guide", ["witness.zh.md", "witness.en.md"])


@pytest.fixture
def handed_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    here = {"name": "residents", "title": "居民", "vkey": str(WITNESS.key), "folder": "w", "url": ""}
    (tmp_path / "chain.json").write_text(json.dumps({"origin": ORIGIN, "witnesses": [here]}))
    monkeypatch.setattr(keys, "log_key", lambda: LOG.key)
    actor: Any = SimpleNamespace(at=AT)
    assert chain_tending._invite(tmp_path, Namespace(party="nobody"), actor) == 2
    assert chain_tending._invite(tmp_path, Namespace(party="residents"), actor) == 0
    said = capsys.readouterr().out
    return said[said.index("folder = ") :]


def test_by_the_file_handed_out_the_districts_server_can_reach_the_witness(
    handed_out: str, tmp_path: Path
) -> None:
    config = tmp_path / "witness.toml"
    config.write_text(handed_out)
    options = _options(["--config", str(config)])
    assert (options.host, options.port) == ("0.0.0.0", 8471)
    options.folder, options.port = tmp_path / "committee", 0
    create_key(options.folder, options.name)
    with serve(options) as server, contextlib.closing(server.witness.store):
        assert server.socket.getsockname()[0] == "0.0.0.0"
        assert (server.witness.store.log, server.title) == (LOG.key, "居民")


@GUIDES
def test_the_guides_show_the_same_file(handed_out: str, guide: str) -> None:
    text = (ROOT / "docs" / guide).read_text()
    for line in handed_out.strip().splitlines():
        assert f"    {line.partition('=')[0]}= " in text
    assert '    host = "0.0.0.0"' in text


@GUIDES
def test_the_guides_install_the_package_and_all_that_the_witness_needs(guide: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = next(d for d in project["dependencies"] if d.startswith("cryptography"))
    text = (ROOT / "docs" / guide).read_text()
    for command in (
        f'pip install "{needed}"',
        f"pip install --no-deps lianfang-{project['version']}-py3-none-any.whl",
        "lianfang-witness --help",
    ):
        assert f"    ~/lianfang/bin/{command}\n" in text


def test_the_witness_needs_cryptography_and_nothing_else() -> None:
    look = """
import sys
before = set(sys.modules)
import lianfang_chain.witness.__main__
new = {sys.modules[name] for name in set(sys.modules) - before}
print(*sorted({m.__name__.partition(".")[0] for m in new if "site-packages" in (getattr(m, "__file__", "") or "")}))
"""
    said = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True).stdout
    assert set(said.split()) - {"_cffi_backend", "cffi"} == {"cryptography"}


def test_the_first_start_makes_the_key_and_no_later_one_does(
    handed_out: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One command: an empty folder gets its key, one in which anything lies never gets another."""
    config, folder = tmp_path / "witness.toml", tmp_path / "witness"
    config.write_text(handed_out.replace('folder = "witness"', f'folder = "{folder}"'))

    def started(options: Namespace) -> Any:
        assert load_key(options.folder).key.name == options.name == f"{ORIGIN}/residents-2"
        raise BlockingIOError  # as far as this test goes

    monkeypatch.setattr(program, "serve", started)
    assert main(["--config", str(config)]) == 1
    said = capsys.readouterr().out
    key = load_key(folder)
    assert str(key.key) in said
    assert key.private_text() in said
    assert main(["--config", str(config)]) == 1
    assert "PRIVATE+KEY" not in capsys.readouterr().out
    assert load_key(folder).key == key.key
    monkeypatch.undo()
    (folder / "held").write_bytes(b"")
    (folder / "witness.key").unlink()
    assert main(["--config", str(config)]) == 2
    assert not (folder / "witness.key").exists()


def test_the_key_of_another_party_is_not_taken(handed_out: str, tmp_path: Path) -> None:
    config, folder = tmp_path / "witness.toml", tmp_path / "witness"
    config.write_text(handed_out.replace('folder = "witness"', f'folder = "{folder}"'))
    create_key(folder, f"{ORIGIN}/property")
    with pytest.raises(SystemExit, match="is of"):
        main(["--config", str(config)])
