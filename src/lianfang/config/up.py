"""`lianfang up`, `demo` and `down`: from an empty folder to a running system, with every step told."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psycopg

from .cluster import Cluster, ClusterFailed
from .supervise import LONGEST_PAUSE, Process, open_port, run, say, stop_all, wait_until_ready

if TYPE_CHECKING:
    import argparse

    from .parties import Party

_FIRST_WITNESS_PORT: Final = 8471
_READY_SECONDS: Final = 60
#: Pages whose supervisor was killed take at most so long to end.
_PORT_SECONDS: Final = 7.0
#: The oldest PostgreSQL that an installation may bring.
_OLDEST_POSTGRESQL: Final = 15


class CannotStart(SystemExit):
    """Something outside stands in the way; the message says what, and what to do."""


def command(arguments: argparse.Namespace) -> int:
    """Carry out `up`, `demo` or `down`."""
    data = Path(os.environ.get("LIANFANG_DATA", "data")).absolute()
    os.environ["LIANFANG_DATA"] = str(data)
    if arguments.command == "down":
        return _down(data)
    if arguments.detach:
        return _detach(data)
    return _up(data, arguments)


def _up(data: Path, arguments: argparse.Namespace) -> int:
    began = time.monotonic()
    demo = arguments.command == "demo"
    data.mkdir(mode=0o755, parents=True, exist_ok=True)
    if (holder := running(data)) is not None:
        say(f"already running (process {holder}); stop it with `lianfang down`")
        return 1
    if demo and not (data / "demo").exists():
        if (data / "keys").exists():
            say(
                f"{data} holds an earnest installation; the demonstration wants a folder of its own: --data FOLDER"
            )
            return 2
        (data / "demo").write_text("filling\n")
    host, port, scheme = _address(arguments)
    _require_port(port, everywhere=scheme == "https")
    tls = _certificate(arguments, data, host) if scheme == "https" else None
    _secret_key(data)
    say("pages …")
    _build_pages()

    embedded = None
    if not os.environ.get("DATABASE_URL"):
        say("database …")
        embedded = Cluster(data)
        try:
            embedded.start()
        except ClusterFailed as failure:
            raise CannotStart(str(failure)) from failure
    (data / "run").mkdir(exist_ok=True)
    (data / "run" / "supervisor.pid").write_text(str(os.getpid()))
    try:
        return _serve(arguments, data, embedded, host=host, port=port, scheme=scheme, tls=tls, began=began)
    finally:
        if embedded is not None:
            embedded.stop()
        # Last of all: whoever waits for the end goes on to use the database by itself.
        (data / "run" / "supervisor.pid").unlink(missing_ok=True)


def _serve(
    arguments: argparse.Namespace,
    data: Path,
    embedded: Cluster | None,
    *,
    host: str,
    port: int,
    scheme: str,
    tls: tuple[Path, Path] | None,
    began: float,
) -> int:
    address = f"{scheme}://{host}:{port}"
    _prepare_environment(host=host, tls=tls is not None, address=address)
    from . import parties

    here = parties.prepare(data, host=host, first_port=_FIRST_WITNESS_PORT)

    import django

    django.setup()
    _migrate(data)
    demo = arguments.command == "demo"
    if demo and (data / "demo").read_text() == "filling\n":
        from .demo import fill

        fill(scale=arguments.scale, say=say)
        (data / "demo").write_text("filled\n")
    witnesses = _witnesses(data, here, address, tls)
    processes = [_web(data, host=host, port=port, tls=tls, address=address), _worker(data), *witnesses]
    try:
        for process in processes:
            process.start()
        late = wait_until_ready(processes, seconds=_READY_SECONDS)
        if late:
            say(f"did not answer within {_READY_SECONDS} s: {', '.join(late)}; logs are in {data / 'logs'}")
            return 1
        _tell(data, address, demo=demo, seconds=time.monotonic() - began)
        run(processes, _Database(embedded).watch if embedded else lambda: None)
    finally:
        stop_all(processes)
    say("stopped")
    return 0


def _require_port(port: int, *, everywhere: bool) -> None:
    """Wait while a killed start's pages still end, then insist.

    :raises CannotStart: the port is taken, or not ours to open
    """
    deadline = time.monotonic() + _PORT_SECONDS
    while True:
        try:
            open_port("0.0.0.0" if everywhere else "127.0.0.1", port)  # noqa: S104 - as `_web` does
            return
        except PermissionError as error:
            raise CannotStart(
                f"port {port} is not ours to open ({error.strerror}); choose one above 1023 with --port"
            ) from error
        except OSError as error:
            if time.monotonic() > deadline:
                raise CannotStart(
                    f"port {port} is taken by another program; end it, or choose another port with --port"
                ) from error
        time.sleep(0.2)


def _build_pages() -> None:
    from .islands import BuildFailed, ensure_built
    from .translations import compile_all

    try:
        ensure_built(say=say)
    except BuildFailed as failure:
        raise CannotStart(
            f"The pages could not be built; start again once this is mended:\n{failure}"
        ) from failure
    compile_all()


@dataclass
class _Database:
    """Starts the embedded database again when it has ended; a full disk may take its time to be cleared."""

    cluster: Cluster
    pause: float = 1.0
    due: float = 0.0

    def watch(self) -> None:
        if time.monotonic() < self.due or not self.cluster.ended():
            return
        say("the database ended; it starts again")
        try:
            self.cluster.start()
            self.pause = 1.0
        except (ClusterFailed, OSError, psycopg.Error) as error:
            say(f"{error}\nnext try in {self.pause:.0f} s")
            self.due = time.monotonic() + self.pause
            self.pause = min(self.pause * 2, LONGEST_PAUSE)


def _detach(data: Path) -> int:
    """Start a supervisor in a session of its own and return when it says that everything answers."""
    log = data / "logs" / "supervisor.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    words = [w for w in sys.argv[1:] if w != "--detach"]
    with log.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "lianfang.config.cli", *words],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    shown = 0
    while True:
        text = log.read_text(errors="replace")
        sys.stdout.write(text[shown:])
        sys.stdout.flush()
        shown = len(text)
        if _STARTED in text:
            return 0
        if child.poll() is not None:
            return child.returncode or 1
        time.sleep(0.2)


def _down(data: Path) -> int:
    holder = running(data)
    if holder is None:
        say("not running")
        Cluster(data).stop()
        return 0
    os.kill(holder, signal.SIGTERM)
    while running(data) is not None:
        time.sleep(0.1)
    say("stopped")
    return 0


def running(data: Path) -> int | None:
    with contextlib.suppress(FileNotFoundError, ValueError, ProcessLookupError):
        pid = int((data / "run" / "supervisor.pid").read_text())
        os.kill(pid, 0)
        if b"lianfang" in Path(f"/proc/{pid}/cmdline").read_bytes():
            return pid
    return None


def _secret_key(data: Path) -> None:
    file = data / "keys" / "web" / "secret.key"
    if not file.exists():
        (data / "keys").mkdir(mode=0o700, exist_ok=True)
        file.parent.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as target:
            target.write(secrets.token_hex(32))


def _address(arguments: argparse.Namespace) -> tuple[str, int, str]:
    if arguments.host or arguments.cert:
        return arguments.host or "localhost", arguments.port or 8443, "https"
    return "localhost", arguments.port or 8000, "http"


def _certificate(arguments: argparse.Namespace, data: Path, host: str) -> tuple[Path, Path]:
    if arguments.cert:
        for file in (arguments.cert, arguments.key):
            if not file.is_file():
                raise CannotStart(f"there is no file {file}")
        return arguments.cert, arguments.key
    from lianfang.kernel import clock

    from .tls import certificate_for

    return certificate_for(host, data / "keys" / "tls", at=clock.now())


def _prepare_environment(*, host: str, tls: bool, address: str) -> None:
    os.environ["LIANFANG_HOSTS"] = ",".join(dict.fromkeys([host, "localhost", "127.0.0.1"]))
    os.environ["LIANFANG_TLS"] = "1" if tls else "0"
    os.environ["LIANFANG_ADDRESS"] = address


def _migrate(data: Path) -> None:
    """Bring the schema up to date; a stamp of the migrations spares the second start 1.7 s.

    :raises CannotStart: the database does not answer, is too old, or gives this role too few rights
    """
    from django.core.management import call_command
    from django.db import OperationalError, ProgrammingError, connection

    from lianfang.accounts.checks import refuse_strong_role

    try:
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version_num")
            version = int(cursor.fetchone()[0]) // 10_000
    except OperationalError as error:
        raise CannotStart(f"The database does not answer; look at DATABASE_URL:\n{error}") from error
    if version < _OLDEST_POSTGRESQL:
        raise CannotStart(f"PostgreSQL {version} is too old: {_OLDEST_POSTGRESQL} or newer is needed")
    source = Path(__file__).parents[1]
    digest = hashlib.sha256(os.environ.get("DATABASE_URL", "embedded").encode())
    for file in sorted(source.glob("*/migrations/*.py")):
        digest.update(file.name.encode() + file.read_bytes())
    stamp = data / "run" / "migrated"
    if not stamp.exists() or stamp.read_text() != digest.hexdigest():
        say("schema …")
        try:
            call_command("migrate", verbosity=0, interactive=False)
        except ProgrammingError as error:
            if not isinstance(error.__cause__, psycopg.errors.InsufficientPrivilege):
                raise
            raise CannotStart(
                f"The role of DATABASE_URL may not make the schema; let it own the database:\n{error}"
            ) from error
        stamp.parent.mkdir(exist_ok=True)
        stamp.write_text(digest.hexdigest())
    refuse_strong_role()


def _web(data: Path, *, host: str, port: int, tls: tuple[Path, Path] | None, address: str) -> Process:
    words = [
        sys.executable, "-m", "uvicorn", "lianfang.config.asgi:application",
        "--host", "0.0.0.0" if tls else "127.0.0.1",  # noqa: S104 - a named host is meant to be reached
        "--port", str(port), "--workers", os.environ.get("LIANFANG_WORKERS", "1"),
        "--no-access-log", "--timeout-graceful-shutdown", "5",
    ]  # fmt: skip
    if tls:
        words += ["--ssl-certfile", str(tls[0]), "--ssl-keyfile", str(tls[1])]
    return Process(
        "web", words, {"LIANFANG_POOL": "12"}, data / "logs" / "web.log", health=f"{_local(address)}/login/"
    )


def _local(address: str) -> str:
    """The same server by the loopback address: the name may not resolve on this machine."""
    scheme, _, rest = address.partition("://")
    return f"{scheme}://127.0.0.1:{rest.rpartition(':')[2]}"


def _worker(data: Path) -> Process:
    return Process(
        "worker", [sys.executable, "-m", "lianfang.config.worker"], {}, data / "logs" / "worker.log"
    )


def _witnesses(
    data: Path, parties: list[Party], address: str, tls: tuple[Path, Path] | None
) -> list[Process]:
    """The witnesses that run on this machine, each with an own folder and key."""
    from lianfang.ledger import keys

    vkey = str(keys.log_key())
    processes = []
    for party in parties:
        words = party.command(python=sys.executable, log_url=f"{_local(address)}/open/chain", log_vkey=vkey)
        if tls:
            words += ["--ca", str(data / "keys" / "tls" / "authority.crt")]
        log = data / "logs" / f"witness-{party.name}.log"
        processes.append(Process(f"witness {party.name}", words, {}, log, party.health))
    return processes


#: The last line a start prints; whoever started it in the background may go then.
_STARTED: Final = "Ctrl-C or `lianfang down` stops."


def _tell(data: Path, address: str, *, demo: bool, seconds: float) -> None:
    say(f"\nEverything answers after {seconds:.1f} s.\n")
    rows = [
        ("residents 居民", "/"), ("staff 工作台", "/desk/"), ("gate 卡口", "/gate/"),
        ("notices, chain, verifier 公开", "/open/"),
    ]  # fmt: skip
    for words, path in rows:
        say(f"  {words:32} {address}{path}")
    if demo:
        from .demo import logins

        say(
            "\n  Logins of the demonstration (the second factor: `lianfang code LOGIN`, or "
            + address
            + "/open/demo/)"
        )
        for login, password, words in logins():
            say(f"    {login:14} {password:22} {words}")
    else:
        from lianfang.accounts import actions

        if (token := actions.first_run_token(data)) is not None:
            say(f"\n  First run: {address}/first-run/?token={token}")
    say(f"\n  {_STARTED}")
