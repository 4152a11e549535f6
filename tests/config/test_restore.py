"""A real backup, brought back older than the chain: it refuses to write until reconciled, and erased stays erased."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from django.db import transaction
from tests.factories.accounts import an_office
from tests.factories.ledger import AT, an_actor, an_entry
from tests.factories.people import DISTRICT

from lianfang.accounts.rights import Role
from lianfang.config import tending
from lianfang.config.cluster import Cluster
from lianfang.ledger import actions, sequencer


@pytest.mark.fault
@pytest.mark.django_db(transaction=True)
def test_a_restored_older_database_is_reconciled_by_command_and_what_was_erased_stays_erased(
    folder: Path,
) -> None:
    data, back = folder / "data", folder / "back"
    login = an_office(Role.SYSTEM_ADMIN, DISTRICT).user.login
    with transaction.atomic():
        erased = an_entry(secrets={"person": "marker-of-the-erased"})
        partly = an_entry(secrets={"person": "marker-partly", "door": "marker-door"})
        an_entry(secrets={"person": "marker-of-another"})
    sequencer.run_once(AT)
    (data / "alarms").mkdir(exist_ok=True)
    (data / "alarms" / "of-a-former-day.txt").write_text("evidence")
    old_keys, new_keys = folder / "old.keys", folder / "new.keys"
    assert tending.backup(data, folder / "old.backup", case_keys=old_keys) == 0
    with transaction.atomic():
        actions.erase(erased, reason="term", basis="x", by=an_actor())
        actions.erase(partly, positions=[0, 1, 2, 3], reason="term", basis="x", by=an_actor())
        an_entry()
    sequencer.run_once(AT)
    assert tending.backup(data, folder / "new.backup", case_keys=new_keys) == 0

    assert tending.restore(back, folder / "old.backup", case_keys=new_keys) == 0
    assert (back / "alarms" / "of-a-former-day.txt").read_text() == "evidence"
    shutil.copytree(data / "chain", back / "chain")  # the published files outlive the database
    cluster = Cluster(back)
    cluster.start()
    try:
        old_key = dict(line.split() for line in old_keys.read_text().splitlines())[str(erased)]
        facts = json.dumps({"erased": str(erased), "old_key": old_key, "login": login})
        clean = {
            k: v
            for k, v in os.environ.items()
            if k not in ("LIANFANG_DATA", "DJANGO_SETTINGS_MODULE", "DATABASE_URL")
        }
        words = [sys.executable, "-m", "tests.config.restored", str(back), facts]
        done = subprocess.run(words, env=clean, capture_output=True, text=True, check=False)
    finally:
        cluster.stop()
    assert "FOUND" in done.stdout, done.stdout + done.stderr
    found = json.loads(done.stdout.rpartition("FOUND")[2])
    assert "published checkpoint" in found["suspended"]
    assert found["refused"] == [True, False]
    assert "marker-of-another" in found["opened"]
    assert not [v for v in found["opened"] if v in ("marker-of-the-erased", "marker-partly", "marker-door")]
    # The rows are in the old backup, and only the key that is gone would open them.
    assert "marker-of-the-erased" in found["with_the_old_key"]
    assert (found["reconciled"], found["after"], found["refused_after"]) == (0, "", False)
    assert "orders:isolation:issued" in done.stdout  # the acts to enter again are told
    assert found["problems"] == []
    assert oct(new_keys.stat().st_mode & 0o777) == "0o600"
    # Nor does it stand anywhere in what was brought back: tables, changes, the server's log, files.
    searched = [f for root in (back, cluster.home) for f in root.rglob("*") if f.is_file()]
    assert any(f.name == "postgres.log" for f in searched)
    assert any("base" in f.parts for f in searched)
    contents = [f.read_bytes() for f in searched]
    assert any(login.encode() in content for content in contents)  # what is there would be found
    for marker in (b"marker-of-the-erased", b"marker-partly", b"marker-door"):
        assert not [n for n, content in enumerate(contents) if marker in content], marker


@pytest.mark.parametrize("filtered", [True, False], ids=["3.11.4 and later", "as in 3.11.2"])
@pytest.mark.parametrize("evil", ["keys/../../outside", "keys/link"])
def test_a_prepared_archive_writes_nothing_outside_the_folder(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    evil: str,
    filtered: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if not filtered:
        monkeypatch.delattr(tarfile, "data_filter", raising=False)
    file = tmp_path / "prepared.backup"
    with tarfile.open(file, "w:gz") as archive:
        member = tarfile.TarInfo(evil)
        if evil.endswith("link"):
            member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        else:
            member.size = 4
        archive.addfile(member, io.BytesIO(b"evil"))
        archive.addfile(tarfile.TarInfo("database.dump"), io.BytesIO())
    assert tending.restore(tmp_path / "back", file) == 1
    assert "not restored" in capsys.readouterr().out
    assert not (tmp_path / "outside").exists()
    assert not list((tmp_path / "back").rglob("*"))


def test_a_backup_that_fails_leaves_no_file_and_one_that_is_there_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing(program: str, *_: str, **__: object) -> None:
        raise subprocess.CalledProcessError(1, [f"/somewhere/{program}"])

    monkeypatch.setattr(tending, "_postgres", failing)
    file = tmp_path / "a.backup"
    assert tending.backup(tmp_path, file) == 1
    assert not file.exists()
    assert "no backup was written: pg_dump gave up" in capsys.readouterr().out
    file.write_bytes(b"of yesterday")
    assert tending.backup(tmp_path, file) == 2
    assert file.read_bytes() == b"of yesterday"
    assert "choose another name" in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"no archive at all", b""])
def test_what_is_no_backup_is_not_restored(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.backup"
    file.write_bytes(content)
    assert tending.restore(tmp_path / "new", file) == 1
    assert "not restored" in capsys.readouterr().out
    with tarfile.open(file, "w:gz"):
        pass  # an archive, and nothing in it
    assert tending.restore(tmp_path / "other", file) == 1
    assert "is no backup of lianfang" in capsys.readouterr().out
