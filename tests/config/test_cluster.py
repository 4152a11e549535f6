"""The embedded PostgreSQL: reused when running, back after a kill, never exempt from row security."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from lianfang.config.cluster import Cluster, _open_to_all

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    for parent in (folder, *folder.parents):
        if parent == Path("/tmp"):
            break
        parent.chmod(0o755)
    found = Cluster(folder, fsync=False)
    yield found
    found.stop()


def _postmaster(cluster: Cluster) -> int:
    return int((cluster.home / "data" / "postmaster.pid").read_text().splitlines()[0])


@pytest.mark.fault
def test_a_running_cluster_is_reused_and_a_killed_one_comes_back_with_what_was_committed(
    cluster: Cluster,
) -> None:
    cluster.start()
    with psycopg.connect(cluster.dsn()) as connection:
        connection.execute("CREATE TABLE kept (n int)")
        connection.execute("INSERT INTO kept VALUES (1)")
        connection.commit()
    first = _postmaster(cluster)
    cluster.start()
    assert _postmaster(cluster) == first

    with psycopg.connect(cluster.dsn(role="lianfang_admin", database="postgres"), autocommit=True) as admin:
        admin.execute("CHECKPOINT")  # the test cluster runs without fsync; what a crash keeps is written now
    os.kill(first, signal.SIGKILL)
    time.sleep(0.1)
    cluster.start()
    assert _postmaster(cluster) != first
    with psycopg.connect(cluster.dsn()) as connection:
        assert connection.execute("SELECT n FROM kept").fetchall() == [(1,)]


def test_the_applications_role_is_neither_superuser_nor_exempt(cluster: Cluster) -> None:
    cluster.start()
    with psycopg.connect(cluster.dsn()) as connection:
        row = connection.execute(
            "SELECT rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
    assert row == (False, False, False)


def test_an_interrupted_initdb_is_begun_again(cluster: Cluster) -> None:
    half = cluster.home / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    cluster.start()
    assert cluster.running()


def test_a_folder_below_a_private_one_is_not_open_to_all(tmp_path: Path) -> None:
    private = tmp_path / "private"
    (private / "data").mkdir(parents=True)
    private.chmod(0o700)
    assert not _open_to_all(private / "data")
