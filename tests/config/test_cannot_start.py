"""What stands in the way of a start is one sentence that says what to do; nothing is left running."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from lianfang.config import islands, up
from lianfang.config.cluster import Cluster, ClusterFailed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


@pytest.fixture
def free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(data: Path, *words: str, **environment: str) -> tuple[int, str]:
    inherited = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "DJANGO_SETTINGS_MODULE")}
    done = subprocess.run(
        [sys.executable, "-m", "lianfang.config.cli", *words, "--data", str(data)],
        env=inherited | environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    assert not Cluster(data).running()
    return done.returncode, done.stdout + done.stderr


def test_a_port_that_is_taken(tmp_path: Path, taken: int) -> None:
    """Else the answers of whoever holds it would pass for our own."""
    code, said = start(tmp_path / "data", "up", "--port", str(taken))
    assert code == 1
    assert f"port {taken} is taken by another program" in said
    assert "--port" in said


def test_a_certificate_that_is_not_there(tmp_path: Path, free: int) -> None:
    data, there = tmp_path / "data", tmp_path / "there"
    there.touch()
    code, said = start(data, "up", "--port", str(free), "--cert", str(there), "--key", str(tmp_path / "gone"))
    assert code == 1
    assert f"there is no file {tmp_path / 'gone'}" in said
    code, said = start(data, "up", "--port", str(free), "--cert", str(there))
    assert code == 2
    assert "--cert and --key belong together" in said


@pytest.mark.parametrize("scale", ["0", "5", "nan", "many"])
def test_a_scale_that_the_demonstration_does_not_have(tmp_path: Path, scale: str) -> None:
    code, said = start(tmp_path / "data", "demo", "--scale", scale)
    assert code == 2
    assert "--scale" in said
    assert not (tmp_path / "data").exists()


def test_a_database_that_does_not_answer(tmp_path: Path, free: int) -> None:
    nobody = f"postgresql://x:y@127.0.0.1:{free}/z"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    code, said = start(tmp_path / "data", "up", "--port", port, DATABASE_URL=nobody)
    assert code == 1
    assert "The database does not answer; look at DATABASE_URL" in said


def test_pages_that_cannot_be_built(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(**_: object) -> None:
        raise islands.BuildFailed("no packages")

    monkeypatch.setattr(islands, "ensure_built", failing)
    with pytest.raises(up.CannotStart, match="no packages"):
        up._build_pages()


def test_what_fails_after_the_database_started_stops_it_again(
    tmp_path: Path, free: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lianfang.config.cli import _parser

    calls: list[str] = []
    monkeypatch.setattr(Cluster, "start", lambda _: calls.append("start"))
    monkeypatch.setattr(Cluster, "stop", lambda _: calls.append("stop"))
    monkeypatch.setattr(up, "_build_pages", lambda: None)

    def failing(*_: object, **__: object) -> int:
        raise ClusterFailed("later")

    monkeypatch.setattr(up, "_serve", failing)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with pytest.raises(ClusterFailed, match="later"):
        up._up(tmp_path, _parser().parse_args(["up", "--port", str(free)]))
    assert calls == ["start", "stop"]
    assert up.running(tmp_path) is None
