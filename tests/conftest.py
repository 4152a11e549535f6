"""One embedded PostgreSQL for the whole run; every worker gets its own database in it."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

import django
import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # it has none

from tests.sizes import SIZE

# Time decides no test: a busy machine is no defect, neither of an example nor of what draws them.
settings.register_profile("lianfang", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("lianfang")


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


#: Journeys share one running system; the tests of these files one browser or one filled district. Each lot has one
#: worker. By path, because the controller knows no marks: xdist writes them into `_nodeid`, which pytest 9 ignores.
TOGETHER: Final = (
    "tests/web/",
    "tests/demo/",
    "tests/access/test_by_keyboard.py",
    "tests/access/test_pages_in_browser.py",
)
#: Journeys with a system or a server of their own: a lot each.
ALONE: Final = ("tests/journeys/test_witnesses.py", "tests/journeys/test_gate_three_days.py")


class _Lots(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        if file.startswith("tests/journeys/") and file not in ALONE:
            return "tests/journeys"
        return file if file.startswith(TOGETHER) else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """The one that keeps lots together; the longest lots begin first."""
    return _Lots(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark journeys and what has sizes; leave what is only for the night to the night, and count it."""
    tonight = [item for item in items if SIZE == "change" and item.get_closest_marker("nightly")]
    if tonight:
        config.hook.pytest_deselected(items=tonight)
        items[:] = [item for item in items if item not in tonight]
    for item in items:
        if "journeys" in item.path.parts or "playwright" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.journey)
        if item.get_closest_marker("nightly") or any(name in vars(item.module) for name in ("size", "SIZE")):  # type: ignore[attr-defined]  # a test function
            # So that `lianfang faults --size` takes every test that has sizes.
            item.add_marker(pytest.mark.fault)


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """The run's cluster is thrown away whole, so no database is dropped from it while a thread may still hold it."""
    return True
