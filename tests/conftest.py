"""One embedded PostgreSQL for the whole run; every worker gets its own database in it."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import django
import pytest


def _prepare() -> None:
    """Give the run its own data folder and cluster before Django reads its settings.

    The first process makes them and stops them at its end; the workers of pytest-xdist inherit them.
    """
    # Set here and not in the configuration file: Django must not read its settings before the folder exists.
    os.environ["DJANGO_SETTINGS_MODULE"] = "lianfang.config.settings"
    if "LIANFANG_TEST_DATA" in os.environ:
        return
    from lianfang.config.cluster import Cluster

    folder = Path(tempfile.mkdtemp(prefix="lianfang-test-"))
    folder.chmod(0o755)
    os.environ["LIANFANG_TEST_DATA"] = str(folder)
    os.environ["LIANFANG_DATA"] = str(folder)
    cluster = Cluster(folder, fsync=False)
    owner = os.getpid()

    def clear() -> None:
        if os.getpid() == owner:
            cluster.stop()
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(clear)
    cluster.start()


_prepare()
django.setup()

pytest_plugins = ["tests.browser"]


@pytest.fixture(scope="session", autouse=True)
def _translations() -> None:
    from lianfang.config.translations import compile_all

    compile_all()


@pytest.fixture(autouse=True)
def _no_proxy_to_ourselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Journeys share one running system, tests of a module one driver of the browser: each lot has one worker."""
    for item in items:
        if "journeys" in item.path.parts:
            item.add_marker(pytest.mark.journey)
            item.add_marker(pytest.mark.xdist_group("journeys"))
        elif "playwright" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.journey)
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
        if any(name in vars(item.module) for name in ("size", "SIZE")):  # type: ignore[attr-defined]  # a test function
            # So that `lianfang faults --size` takes every test that has sizes.
            item.add_marker(pytest.mark.fault)


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """The run's cluster is thrown away whole, so no database is dropped from it while a thread may still hold it."""
    return True
