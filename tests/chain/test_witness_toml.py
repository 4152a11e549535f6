"""What the district hands out, as the committee's computer takes it: `witness.toml`, and the package alone."""

import contextlib
import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from argparse import Namespace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cryptography
import pytest
from tests.chain.logs import LOG, ORIGIN, WITNESS
from tests.chain.test_vectors import load
from tests.factories.ledger import AT

from lianfang.config import chain_tending, cli
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


def test_the_package_of_the_chain_is_that_part_of_the_whole() -> None:
    """Two files say it, since the committee gets the chain without the system: one version, one need, the same programs."""
    whole, chain = (
        tomllib.loads((ROOT / folder / "pyproject.toml").read_text())["project"]
        for folder in (".", "src/lianfang_chain")
    )
    assert chain["dependencies"] == [d for d in whole["dependencies"] if d.startswith("cryptography")]
    assert chain["scripts"] == {k: v for k, v in whole["scripts"].items() if v.startswith("lianfang_chain.")}
    for word in ("version", "requires-python", "license"):
        assert chain[word] == whole[word]


@GUIDES
def test_what_a_guide_asks_of_the_command_is_understood_there(guide: str) -> None:
    text = " ".join((ROOT / "docs" / guide).read_text().split("\n"))
    commands = re.findall(r"`lianfang (chain [a-z-]+ --[^`]+)`", text)
    assert {tuple(command.split()[:2]) for command in commands} == {("chain", "invite"), ("chain", "new-key")}
    for command in commands:
        given = cli._parser().parse_args(shlex.split(command))
        assert given.user
        assert given.act == "invite" or (given.vkey and given.fingerprint and given.url)


@GUIDES
def test_the_guides_install_the_package(guide: str) -> None:
    version = tomllib.loads((ROOT / "src/lianfang_chain/pyproject.toml").read_text())["project"]["version"]
    text = (ROOT / "docs" / guide).read_text()
    assert f"    ~/lianfang/bin/pip install lianfang_chain-{version}-py3-none-any.whl\n" in text


@GUIDES
def test_each_line_that_a_guide_puts_into_the_file_is_known(
    guide: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And a line that is not known is refused by its word, where it was passed over in silence."""
    text = (ROOT / "docs" / guide).read_text()
    lines = re.findall(r"(?m)^    ([a-z-]+ = .+)$", text) + re.findall(r"`([a-z-]+ = [^`]+)`", text)
    words = {line.partition(" ")[0]: line for line in lines}
    assert {"folder", "host", "ca", "place", "policy"} <= words.keys()
    config = tmp_path / "witness.toml"
    config.write_text("\n".join(words.values()))
    assert _options(["--config", str(config)]).policy == Path("policy.txt")
    config.write_text("\n".join(words.values()).replace("policy =", "polcy ="))
    with pytest.raises(SystemExit):
        _options(["--config", str(config)])
    assert "polcy" in capsys.readouterr().err


#: Run beside the package, `cryptography` and what that needs: every module, a proof verified, a checkpoint cosigned.
ALONE = """
import importlib, pkgutil, sys
from pathlib import Path
site, work = Path(sys.argv[1]), Path(sys.argv[2])
sys.path.append(str(site))
import lianfang_chain
for module in pkgutil.walk_packages(lianfang_chain.__path__, "lianfang_chain."):
    importlib.import_module(module.name)
from lianfang_chain import checkpoint, note, submission, tiles, tree, verify
from lianfang_chain.witness import judge, store
log = note.Signer("log.example/chain", note.ED25519, b"l" * 32)
own = note.Signer("log.example/chain/w", note.COSIGNATURE, b"w" * 32)
writer = tiles.TileWriter()
writer.append(b"an entry", tree.leaf_hash(b"an entry"))
files = dict(writer.take())
signed = checkpoint.sign_checkpoint(checkpoint.Checkpoint(log.key.name, 1, writer.root()), log)
witness = judge.Witness(store.Store(work / "witness", log.key), own, files.__getitem__, lambda: 1_600_000_000)
assert witness.add_checkpoint(bytes(submission.AddCheckpoint(0, (), signed))).status == 200
assert verify.main(["--policy", str(work / "policy.txt"), str(work / "proof")]) == 0
print(*sorted({name.partition(".")[0] for name, m in sys.modules.items() if str(site) in (getattr(m, "__file__", "") or "")}))
"""


def test_the_package_needs_cryptography_and_nothing_else(tmp_path: Path) -> None:
    """Witness and `lianfang-verify`: no Django, no SQL, nothing of the system is there to be imported."""
    site, paper = tmp_path / "site", load("paper.json")
    shutil.copytree(ROOT / "src/lianfang_chain", site / "lianfang_chain")
    installed = Path(cryptography.__file__).parents[1]
    for found in (
        *installed.glob("cryptography"),
        *installed.glob("cffi"),
        *installed.glob("_cffi_backend*"),
    ):
        (site / found.name).symlink_to(found)
    (tmp_path / "policy.txt").write_text(paper["policy"], encoding="utf-8")
    (tmp_path / "proof").write_text(next(case["qr"] for case in paper["good"] if case["quorum"]))
    words = [sys.executable, "-I", "-S", "-X", "utf8", "-c", ALONE, str(site), str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "PROVED" in done.stdout
    assert set(done.stdout.splitlines()[-1].split()) - {"_cffi_backend", "cffi"} == {
        "cryptography",
        "lianfang_chain",
    }


@pytest.mark.parametrize("program", ["lianfang_chain.verify", "lianfang_chain.witness.__main__"])
def test_each_program_loads_cryptography_and_nothing_else(program: str) -> None:
    """Also where all the rest is installed, and nothing would be missed."""
    look = f"""
import sys
before = set(sys.modules)
import {program}
new = {{sys.modules[name] for name in set(sys.modules) - before}}
print(*sorted({{m.__name__.partition(".")[0] for m in new if "site-packages" in (getattr(m, "__file__", "") or "")}}))
print(*sorted({{name for name in sys.modules if name.partition(".")[0] in ("lianfang", "lianfang_pass", "sqlite3")}}))
"""
    said = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True).stdout
    packages, others = said.splitlines()
    assert set(packages.split()) - {"_cffi_backend", "cffi"} == {"cryptography"}
    assert others == ""


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
