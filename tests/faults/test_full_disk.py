"""A full disk below the database's tables, and below files that are sent: a clear answer, nothing lost, works again.

A small disk of its own is mounted; that takes root. The tables that an order writes move onto it.
"""

from __future__ import annotations

import gc
import logging
import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from tests.factories.accounts import COMMUNITY, client_for
from tests.factories.orders import ROOT, S1_NOW, a_concern, an_incident
from tests.factories.people import a_community, a_person
from tests.factories.rosters import a_roster, as_csv

from lianfang.accounts.rights import Role
from lianfang.config.cluster import ADMIN, Cluster
from lianfang.kernel import clock
from lianfang.kernel.ids import random_id
from lianfang.kernel.row_security import scope
from lianfang.ledger.models import Entry
from lianfang.orders.models import IsolationOrder
from lianfang.people.models import ImportRun

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]

#: Each alone may be the one that finds no room.
TABLES = ("orders_isolationorder", "ledger_entry", "messaging_owedmessage", "people_readrecord")


@dataclass(frozen=True)
class SmallDisk:
    """Four megabytes."""

    folder: Path

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"

    def fill(self) -> None:
        """Leave not a byte."""
        with self._ballast.open("ab", buffering=0) as out:
            for size in (65_536, 1):
                with suppress(OSError):
                    while True:
                        out.write(b"x" * size)

    def free(self) -> None:
        """Give the room back."""
        self._ballast.unlink(missing_ok=True)


@pytest.fixture
def small_disk() -> Iterator[SmallDisk]:
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk takes root")
    folder = Path(tempfile.mkdtemp(prefix="lianfang-disk-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m,mode=0755", "tmpfs", str(folder)], check=True)
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
        folder.rmdir()


@pytest.fixture
def table_on_it(small_disk: SmallDisk, request: pytest.FixtureRequest) -> Iterator[str]:
    """The table of the test, moved onto the small disk with its indexes."""
    table: str = request.param
    shutil.chown(small_disk.folder, pwd.getpwnam("nobody").pw_uid)
    space = small_disk.folder / "space"
    space.mkdir(mode=0o700)
    shutil.chown(space, pwd.getpwnam("nobody").pw_uid)
    cluster, name = Cluster(Path(settings.LIANFANG_DATA)), str(connection.settings_dict["NAME"])
    small = f"small_{name}"  # tablespaces belong to the cluster, which the workers share

    def moved(to: str) -> None:
        with psycopg.connect(cluster.dsn(role=ADMIN, database=name), autocommit=True) as admin:
            if to != "pg_default":
                admin.execute(f"CREATE TABLESPACE {to} LOCATION '{space}'")
            # Rows that are there leave no room in their pages while it stands there.
            admin.execute(
                f"ALTER TABLE {table} RESET (fillfactor)"
                if to == "pg_default"
                else f"ALTER TABLE {table} SET (fillfactor = 10)"
            )
            admin.execute(f"ALTER TABLE {table} SET TABLESPACE {to}")
            if to == "pg_default":
                admin.execute(f"DROP TABLESPACE {small}")

    moved(small)
    try:
        yield table
    finally:
        small_disk.free()
        connection.close()
        moved("pg_default")


@pytest.mark.parametrize("table_on_it", TABLES, indirect=True)
def test_an_order_on_a_full_disk_is_not_made_and_is_made_when_there_is_room(
    small_disk: SmallDisk, table_on_it: str
) -> None:
    an_incident()
    with scope(areas=[ROOT]):
        person = a_person("测试", numbered=False)
    with scope(areas=[ROOT]):
        concern = a_concern(person)
    with clock.fixed(S1_NOW):
        client = client_for(Role.CDC)
        client.raise_request_exception = False
        url = f"/desk/orders/concern/{concern}/sign/"
        sent = {"id": str(random_id()), "confirm": "on"}
        with connection.cursor() as cursor:
            # No page of the table has room left: the next row needs a new one.
            cursor.execute(f"VACUUM FULL {table_on_it}")
        small_disk.fill()
        answers = [client.post(url, sent) for _ in range(2)]
        failed = [a.status_code for a in answers]
        assert set(failed) == {500}, failed
        assert "没有保存" in answers[0].content.decode()
        with scope(areas=[ROOT]):
            assert not IsolationOrder.objects.exists()
        assert not Entry.objects.filter(kind__startswith="orders:").exists()

        small_disk.free()
        assert client.post(url, sent).status_code == 302
        assert client.post(url, sent).status_code == 302
        with scope(areas=[ROOT]):
            assert str(IsolationOrder.objects.get().pk) == sent["id"]
        assert Entry.objects.filter(kind__startswith="orders:").count() == 1


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # Django leaves it to be collected
def test_a_file_that_finds_no_room_is_not_taken(
    small_disk: SmallDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files above 2.5 MB are held on disk while they arrive."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    a_community()
    # A log record would keep the traceback, and with it the file, until long after this test.
    monkeypatch.setattr(logging.getLogger("django.request"), "disabled", True)
    monkeypatch.setattr(settings, "FILE_UPLOAD_TEMP_DIR", str(small_disk.folder))
    content = as_csv([*a_roster(3), *([[" " * 2_000]] * 1_500)])
    client = client_for(Role.COMMUNITY, COMMUNITY)
    client.raise_request_exception = False
    key = str(random_id())

    def send() -> int:
        sent = {"id": key, "community": COMMUNITY, "file": SimpleUploadedFile("名册.csv", content)}
        return client.post("/desk/import/", sent).status_code

    small_disk.fill()
    assert send() == 500
    assert not ImportRun.objects.exists()
    small_disk.free()
    assert send() == 302
    assert send() == 302
    assert ImportRun.objects.count() == 1
    # What Django left open is collected here, so that its complaint meets no other test.
    gc.collect()
