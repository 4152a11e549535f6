"""The build of web/: from a clean folder, once per state of the sources, by one process at a time."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from lianfang.config import islands

if TYPE_CHECKING:
    from pathlib import Path


def node(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(islands.node_executable()), *arguments],
        cwd=islands.WEB,
        capture_output=True,
        text=True,
        check=False,
    )


def test_packages_install_from_a_clean_folder(tmp_path: Path) -> None:
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(islands.WEB / name, tmp_path / name)
    islands.npm("ci", "--no-progress", folder=tmp_path)
    assert (tmp_path / "node_modules" / "vite").is_dir()


def test_the_lock_names_no_place_to_download_from() -> None:
    lock = json.loads((islands.WEB / "package-lock.json").read_text())
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]
    # Rollup and cbor-x lose their platform packages from the lock; workbox brings rollup along.
    names = " ".join(lock["packages"])
    assert not re.search(r"node_modules/(rollup|cbor-x|workbox|vite-plugin-pwa)\b", names)


def test_types_are_strict() -> None:
    done = node("node_modules/typescript/bin/tsc", "--noEmit")
    assert done.returncode == 0, done.stdout


@pytest.mark.fault  # at night with more changed files (web/tests/mutations.test.ts)
@pytest.mark.timeout(1200)
def test_the_tests_of_the_browsers_side() -> None:
    done = node("node_modules/vitest/vitest.mjs", "run")
    assert done.returncode == 0, done.stdout[-6000:]


@pytest.fixture
def small_web(tmp_path: Path) -> Path:
    """Sources whose build is one copied file, so that the machinery is what is tested."""
    web = tmp_path / "web"
    (web / "node_modules").mkdir(parents=True)
    (web / "package-lock.json").write_text("{}")
    (web / "source.txt").write_text("one")
    (web / "build.mjs").write_text(
        "import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';\n"
        "const out = process.argv[2];\n"
        "mkdirSync(out, { recursive: true });\n"
        "const text = readFileSync('source.txt', 'utf8');\n"
        "if (text === 'broken') { console.error('it is broken'); process.exit(3); }\n"
        "writeFileSync(`${out}/built.txt`, text);\n"
    )
    lock = hashlib.sha256(b"{}").hexdigest()
    (web / "node_modules" / ".lianfang-lock").write_text(lock)
    return web


def test_it_is_built_once_per_state_of_the_sources(small_web: Path, tmp_path: Path) -> None:
    dist = tmp_path / "static" / "dist"
    said: list[str] = []
    islands.ensure_built(say=said.append, web=small_web, dist=dist)
    assert (dist / "built.txt").read_text() == "one"
    assert said
    said.clear()
    islands.ensure_built(say=said.append, web=small_web, dist=dist)
    assert said == []
    (small_web / "source.txt").write_text("two")
    assert not islands.is_current(web=small_web, dist=dist)
    islands.ensure_built(say=said.append, web=small_web, dist=dist)
    assert (dist / "built.txt").read_text() == "two"


def test_a_failed_build_leaves_the_old_one_and_says_why(small_web: Path, tmp_path: Path) -> None:
    dist = tmp_path / "static" / "dist"
    islands.ensure_built(say=lambda _: None, web=small_web, dist=dist)
    (small_web / "source.txt").write_text("broken")
    with pytest.raises(islands.BuildFailed, match="it is broken"):
        islands.ensure_built(say=lambda _: None, web=small_web, dist=dist)
    assert (dist / "built.txt").read_text() == "one"
    assert [path.name for path in dist.parent.iterdir()] == ["dist"]


def test_two_at_once_build_once(small_web: Path, tmp_path: Path) -> None:
    dist = tmp_path / "static" / "dist"
    said: list[str] = []

    def build() -> None:
        islands.ensure_built(say=said.append, web=small_web, dist=dist)

    threads = [threading.Thread(target=build) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum("are built" in line for line in said) == 1


def test_the_applications_load_nothing_from_elsewhere() -> None:
    islands.ensure_built(say=lambda line: print(line, file=sys.stderr))
    for app in ("gate", "pass", "verifier"):
        folder = islands.DIST / app
        # Two of them look through the camera; the phone's own code is shown, not read.
        assert (folder / "zxing_reader.wasm").exists() == (app != "pass")
        page = (folder / "index.html").read_text()
        assert "http" not in page
        assert not re.search(r"<script(?![^>]*src=)|style=|onclick", page)
        worker = (folder / "worker.js").read_text()
        for path in folder.rglob("*"):
            name = path.relative_to(folder).as_posix()
            if path.is_file() and name not in ("worker.js", "version.json"):
                assert name in worker, f"{app}: {name} is not kept offline"
