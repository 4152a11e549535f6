"""kill -9 of every process of a running installation, and no room for the database's log, while people write.

Whoever gets no answer asks again with the same request, as browsers, scripts and devices do. In the end every act
that was acknowledged is there once, its place in the chain is witnessed, and all processes run again.
"""

from __future__ import annotations

import asyncio
import base64
import http.client
import os
import random  # noqa: TID251 - a seeded generator only
import re
import signal
import ssl
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode, urlsplit

import psycopg
import pytest
from tests.faults import submitting
from tests.faults.ready import typed
from tests.gates import asgi
from tests.journeys.conftest import HOST, System, _children, installed
from tests.sizes import size

from lianfang.config.cluster import ADMIN, Cluster
from lianfang.config.demo.offices import PASSWORD
from lianfang.kernel import clock, ids
from lianfang_chain import cbor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.fault

#: Who is killed, by words of its command line.
VICTIMS: Final = ("uvicorn", "lianfang.config.worker", "lianfang_chain.witness")
DATABASE: Final = "postgres"
_PATIENCE: Final = 90.0
#: One signature orders twenty people at most; afterwards the reports go on alone.
_ORDERS: Final = 15
#: Those of the community of whom nothing is known yet.
_PEOPLE: Final = """
SELECT p.id FROM people_person p, accounts_office o JOIN accounts_user u ON u.id = o.user_id
WHERE u.login = 'community' AND p.area <@ o.area
  AND NOT EXISTS (SELECT FROM concerns_personofconcern c WHERE c.person_id = p.id)
ORDER BY p.id
"""
_COUNTS: Final = """
SELECT (SELECT count(*) FROM concerns_arrivalreport), (SELECT count(*) FROM orders_isolationorder),
       (SELECT count(*) FROM gates_passage), (SELECT count(DISTINCT (device, seq)) FROM gates_passage)
"""
_UNWITNESSED: Final = """
SELECT count(*) FROM ledger_entry WHERE idx IS NULL OR idx >= (
  SELECT coalesce(max(checkpoint_id), 0)
  FROM (SELECT checkpoint_id FROM ledger_cosignature GROUP BY 1 HAVING count(*) >= 2) AS quorum)
"""


def over_tls(
    system: System, method: str, path: str, *, headers: dict[str, str], body: bytes = b""
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """One request to the installation, whose name this machine does not know.

    :raises OSError, HTTPException: no whole answer came
    """
    trusting = ssl._create_unverified_context()
    connection = http.client.HTTPSConnection("127.0.0.1", system.port, timeout=20, context=trusting)
    try:
        connection.request(method, path, body or None, {**headers, "Host": f"{HOST}:{system.port}"})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


@dataclass
class Officer:
    """A browser without a window."""

    system: System
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(self, path: str, sent: dict[str, Any] | None = None) -> tuple[int, str]:
        """Status and page, the last of a chain of redirects.

        :raises OSError: no whole answer came
        """
        for _ in range(5):
            headers = {
                "Referer": self.system.address + "/",
                "Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items()),
                "Content-Type": "application/x-www-form-urlencoded",
            }
            body = b"" if sent is None else urlencode(sent, doseq=True).encode()
            status, said, page = over_tls(
                self.system, "GET" if sent is None else "POST", path, headers=headers, body=body
            )
            for cookie in said.get_all("Set-Cookie") or ():
                name, _, value = cookie.partition(";")[0].partition("=")
                self.cookies[name] = value
            if status not in (301, 302, 303):
                break
            path, sent = urlsplit(str(said["Location"])).path, None
        return status, page.decode(errors="replace")

    def log_in(self, login: str) -> None:
        self.fill("/login/", {"login": login, "password": PASSWORD})
        status, page = self.fill("/login/second-factor/", {"code": self.system.code(login)})
        assert status == 200, submitting.refusal_on(page)
        assert "动态验证码" not in page

    def fill(self, path: str, words: dict[str, str]) -> tuple[int, str]:
        """Open the page, fill its form, and send it until somebody answers."""
        page = insisting(lambda: self.ask(path))[1]
        sent = next(submitting.filled(page, path=path, typed=words, files={}))
        return insisting(lambda: self.ask(path, sent))


def insisting(ask: Callable[[], tuple[int, str]]) -> tuple[int, str]:
    """Ask again while nothing answers, or a server says that it cannot."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        with suppress(OSError, http.client.HTTPException):
            status, page = ask()
            if status < 500:
                return status, page
        assert time.monotonic() < deadline, "nobody answers"
        time.sleep(0.1)


@dataclass
class Writer:
    """Does one thing after the other in a thread of its own, until told to stop; counts what was acknowledged."""

    act: Callable[[int], None]
    done: int = 0
    trouble: BaseException | None = None
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            while not self.stop.is_set():
                self.act(self.done)
                self.done += 1
        except BaseException as error:
            self.trouble = error

    def finish(self) -> int:
        """How many were acknowledged."""
        self.stop.set()
        self.thread.join(2 * _PATIENCE)
        if self.trouble:
            raise self.trouble
        return self.done


def came_home(system: System) -> dict[str, str]:
    """What is typed about an arrival of this morning."""
    now = system.now()
    left, arrived = (f"{now - timedelta(hours=h):%Y-%m-%dT%H:%M}" for h in (9, 5))
    words = typed() | {"left_at": left, "arrived_at": arrived, "came_from": "42"}
    del words["symptoms"], words["temp_c"]
    return words


def the_gate(system: System, officer: Officer, monkeypatch: pytest.MonkeyPatch) -> Writer:
    """A device that uploads one passage after the other over the network, each until it has the receipt."""

    async def over_the_network(
        method: str, path: str, *, query: str = "", headers: dict[str, str] | None = None, body: bytes = b"",
        trouble: asgi.Trouble | None = None,
    ) -> asgi.Answer:  # fmt: skip
        target = path + (f"?{query}" if query else "")
        status, said, content = await asyncio.to_thread(
            over_tls, system, method, target, headers=headers or {}, body=body
        )
        return asgi.Answer(status, dict(said), content)

    monkeypatch.setattr(asgi, "request", over_the_network)
    page = officer.ask("/desk/gates/")[1]
    gate = next(iter(re.findall(r"/desk/gates/([0-9a-f-]{36})/", page)))
    status, shown = officer.fill(f"/desk/gates/{gate}/enrol/", {})
    assert status == 200
    fragment = re.findall(r"#enrol=([\w-]+)", shown)[0]
    code: Any = cbor.decode(base64.urlsafe_b64decode(fragment + "=" * (-len(fragment) % 4)))
    device = asgi.FakeDevice(ids.random_bytes(32))

    def upload(n: int) -> None:
        with clock.fixed(system.now()):
            # Written once, and sent until the receipt is there.
            batch = device.batch(n + 1, [device.row(n + 1, at=int(system.now().timestamp()))])

        async def story() -> None:
            answer = await device.upload(batch)
            if answer.status >= 500:
                raise OSError(answer.status)
            assert answer.status == 201
            assert device.receipt(answer).covers(batch)

        def ask() -> tuple[int, str]:
            with clock.fixed(system.now()):
                asyncio.run(story())
            return 200, ""

        insisting(ask)

    with clock.fixed(system.now()):
        assert asyncio.run(device.enrol(code[2], code[3])).status == 201
    return Writer(upload)


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    with installed() as found:
        yield found


@dataclass
class Observed:
    """What officers and a gate write, and what of it is in the database."""

    system: System
    monkeypatch: pytest.MonkeyPatch

    def __post_init__(self) -> None:
        self.worker, self.doctor = Officer(self.system), Officer(self.system)
        self.worker.log_in("community")
        self.doctor.log_in("cdc")
        self.people = [pk for (pk,) in self.rows(_PEOPLE)]
        self.before = self.rows(_COUNTS)[0]
        self.writers = [
            Writer(self._report_and_order),
            the_gate(self.system, self.worker, self.monkeypatch),
        ]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the database itself, as its superuser; while it is down, again."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                with psycopg.connect(Cluster(self.system.data).dsn(role=ADMIN)) as database:
                    return database.execute(query).fetchall()
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def _report_and_order(self, n: int) -> None:
        person = self.people[n]
        status, page = self.worker.fill(f"/desk/orders/report/{person}/arrival/", came_home(self.system))
        assert status == 200, submitting.refusal_on(page)
        if n >= _ORDERS:
            return
        (concern,) = self.rows(f"SELECT id FROM concerns_personofconcern WHERE person_id = '{person}'")[-1]
        status, page = self.doctor.fill(f"/desk/orders/concern/{concern}/sign/", {"reason": "测试理由"})
        assert status == 200, submitting.refusal_on(page)

    def troubles(self) -> list[BaseException]:
        return [w.trouble for w in self.writers if w.trouble]

    def judge(self) -> None:
        """All that was acknowledged is there, once; and soon two parties have signed it."""
        acts, passages = [w.finish() for w in self.writers]
        assert acts
        assert passages
        after = self.rows(_COUNTS)[0]
        gained = [b - a for a, b in zip(self.before, after, strict=True)]
        assert gained == [acts, min(acts, _ORDERS), passages, passages], (self.before, after)
        deadline = time.monotonic() + _PATIENCE
        while (late := self.rows(_UNWITNESSED)[0][0]) and time.monotonic() < deadline:
            time.sleep(0.5)
        assert not late
        running = [words for _, words in _children(self.system._supervisor)]
        for victim in VICTIMS:
            assert any(victim in words for words in running), victim


def server_of(system: System) -> int:
    """The process of the database."""
    return int((Cluster(system.data).home / "data" / "postmaster.pid").read_text().splitlines()[0])


@pytest.mark.timeout(3_600)  # by command it kills hundreds of times
def test_nothing_acknowledged_is_lost_or_double(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    observed = Observed(system, monkeypatch)
    generator = random.Random(11)
    kills = 0
    for n in range(size("process_kills")):
        time.sleep(generator.uniform(0.5, 3.0))
        victim = (*VICTIMS, DATABASE)[n % 4]
        if victim == DATABASE:
            with suppress(FileNotFoundError, ProcessLookupError):  # it is just starting
                os.kill(server_of(system), signal.SIGKILL)
                kills += 1
        elif found := [pid for pid, words in _children(system._supervisor) if victim in words]:
            os.kill(generator.choice(found), signal.SIGKILL)
            kills += 1
        assert not observed.troubles()
    observed.judge()
    assert kills > size("process_kills") // 2
    assert (system.data.parent / "data.log").read_text().count("it starts again") > kills // 2


@pytest.fixture
def small_log(system: System) -> Iterator[Path]:
    """The database's log of changes on a disk of its own, of 160 megabytes."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk takes root")
    system.stop()
    changes = Cluster(system.data).home / "data" / "pg_wal"
    whole = changes.with_name("pg_wal_before")
    changes.rename(whole)
    owner = whole.stat()
    changes.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m,mode=0700", "tmpfs", str(changes)], check=True)
    os.chown(changes, owner.st_uid, owner.st_gid)
    try:
        subprocess.run(["cp", "-a", f"{whole}/.", str(changes)], check=True)
        system.start()
        yield changes
    finally:
        system.stop()
        subprocess.run(["umount", "-l", str(changes)], check=True)


@pytest.mark.nightly  # the installation is stopped and started twice
def test_a_full_disk_below_the_log_of_changes_ends_with_nothing_lost(
    system: System, small_log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL gives up when its log finds no room, and comes back by itself when there is some."""
    observed = Observed(system, monkeypatch)
    first, ballast = server_of(system), small_log / "ballast"
    subprocess.run(["dd", "if=/dev/zero", f"of={ballast}", "bs=64k"], stderr=subprocess.DEVNULL, check=False)
    deadline = time.monotonic() + _PATIENCE
    dsn = Cluster(system.data).dsn(role=ADMIN)
    while not Cluster(system.data).ended() and time.monotonic() < deadline:
        # Others who write: each of these begins a new piece of 16 MB of the log.
        with suppress(psycopg.Error), psycopg.connect(dsn, autocommit=True) as other:
            other.execute("SELECT pg_logical_emit_message(false, 'lf', 'x'), pg_switch_wal()")
        time.sleep(0.02)
    log = (system.data.parent / "data.log").read_text()
    assert Cluster(system.data).ended() or "the database ended" in log
    reached = [w.done for w in observed.writers]
    time.sleep(3)
    assert [w.done for w in observed.writers] == reached, "acknowledged without a log"
    ballast.unlink()
    deadline = time.monotonic() + _PATIENCE
    while [w.done for w in observed.writers] == reached and time.monotonic() < deadline:
        assert not observed.troubles()
        time.sleep(0.2)
    observed.judge()
    assert server_of(system) != first
