"""The chain: appends against bare commits, commit to proof, proofs, growth, audit, bytes."""

from __future__ import annotations

import bisect
import contextlib
import functools
import hashlib
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.db import connection, connections, transaction

from lianfang.kernel import clock, ids
from lianfang.kernel.actor import Actor
from lianfang.ledger import actions, keys, publication, queries
from lianfang.ledger.models import CaseKey, Checkpoint, Cosignature, Disclosures, Entry, Tree
from lianfang.ledger.sequencer import Sequencer
from lianfang_chain.checkpoint import Checkpoint as TreeHead
from lianfang_chain.checkpoint import sign_checkpoint
from lianfang_chain.note import Note, Signer, parse_note
from lianfang_chain.policy import Policy
from lianfang_chain.proof import TlogProof, paper_proof_of, verify_paper_proof
from lianfang_chain.submission import AddCheckpoint
from lianfang_chain.tiles import ENTRIES, FULL, TileHashes, TileId, TileWriter, entries_of
from lianfang_chain.tree import Edge, consistency_proof, inclusion_proof, leaf_hash, root_of
from lianfang_chain.witness.__main__ import create_key
from lianfang_chain.witness.judge import Witness
from lianfang_chain.witness.page import status_page
from lianfang_chain.witness.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from uuid import UUID

#: As many as a small server has processes for pages: while one waits for the disk, another counts, and their commits
#: share a flush.
APPENDERS: Final = 4
#: Where sequencer, file server and three witnesses share the cores with them.
CLIENTS: Final = 2
PARTIES: Final = ("residents", "property", "community")
GOAL_APPENDS: Final = 2_000.0
GOAL_PROOF_SECONDS: Final = 3.0
GOAL_GROWTH: Final = 1.5
#: So long is waited for the quorum after the last act; what has none by then counts with it.
PATIENCE_SECONDS: Final = 60.0


def cases(size: str) -> Iterable[dict[str, Any]]:
    """All cases; `district` grows to a million entries, `release` to ten millions (6 GB of memory)."""
    small = size == "small"
    large = {"small": 100_000, "district": 1_000_000, "release": 10_000_000}[size]
    with _another_database():
        yield from _growth_of_the_table(10_000, min(large, 1_000_000))
    yield from _appends(seconds=2.0 if small else 5.0)
    for rate in (50,) if small else (400, int(GOAL_APPENDS)):
        yield _commit_to_proof(rate=rate, seconds=8.0 if small else 30.0)
    yield from _growth(10_000, large)


def _result(
    name: str, ours: float, limit: float | None, unit: str, cpu_ms: float | None = None
) -> dict[str, Any]:
    ratio = round(ours / limit, 3) if limit else None
    return {"name": name, "ours": ours, "limit": limit, "ratio": ratio, "unit": unit, "cpu_ms": cpu_ms}


# -- appends ------------------------------------------------------------------------------------


def _append() -> None:
    _entry_in_table()


def _entry() -> UUID:
    at = clock.now()
    by = Actor(
        user_id=ids.new_id(), pseudonym="officer-7", organ="cdc", organ_kind="health", grants=frozenset(),
        at=at, purpose="order", surface="bench", request_id=ids.new_id(),
    )  # fmt: skip
    return actions.append(
        kind="orders:isolation:issued",
        act_id=ids.random_id(),
        organ="cdc",
        scope="d510402.s510402002.c001",
        basis="传染病防治法第三十九条",
        terms={"days": 14, "rule": "cov-2020-02"},
        secrets={"person": str(ids.new_id()), "door": "3-2-501"},
        hour=True,
        by=by,
    )


def _bare() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO bench_bare (x) VALUES (%s)", ["x" * 300])


def _client(what: str, seconds: float) -> tuple[int, float]:
    """One client process: how many, and the CPU seconds they took it."""
    act: Callable[[], None] = {"append": _append, "bare": _bare}[what]
    act()
    count, cpu, end = 0, time.process_time(), time.monotonic() + seconds
    while time.monotonic() < end:
        act()
        count += 1
    return count, time.process_time() - cpu


def _appends(*, seconds: float) -> Iterable[dict[str, Any]]:
    keys.organ_signer("cdc")
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS bench_bare (id bigserial PRIMARY KEY, x text)")
    connections.close_all()
    rates: dict[str, list[float]] = {"append": [], "bare": []}
    cpu: dict[str, list[float]] = {"append": [], "bare": []}
    with ProcessPoolExecutor(APPENDERS, mp_context=get_context("fork")) as pool:
        for what in ("bare", "append") * 3:
            done = list(pool.map(functools.partial(_client, what), [seconds] * APPENDERS))
            count = sum(n for n, _ in done)
            rates[what].append(count / seconds)
            cpu[what].append(sum(c for _, c in done) / max(count, 1) * 1000)
    ours, bare = statistics.median(rates["append"]), statistics.median(rates["bare"])
    yield _result(
        f"ledger: acts appended, {APPENDERS} clients, own commits", ours, bare, "1/s against bare commits",
        round(statistics.median(cpu["append"]), 3),
    )  # fmt: skip
    yield _result("ledger: acts appended against the goal", ours, GOAL_APPENDS, "1/s")


# -- commit to proof ----------------------------------------------------------------------------


def _commit_to_proof(*, rate: int, seconds: float) -> dict[str, Any]:
    """Append at a steady rate, in own processes, with three real witnesses; from commit to 2 of 3.

    As in earnest, everybody is a process of their own: clients, sequencer, file server and the witnesses.
    """
    publication.folder().mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as running:
        log_port = _free_port()
        files = [sys.executable, "-m", "http.server", str(log_port), "--bind", "127.0.0.1"]
        running.enter_context(_started([*files, "--directory", str(publication.folder())]))
        _wait_for_port(log_port)
        settings.LIANFANG_WITNESSES = _witnesses(running, f"http://127.0.0.1:{log_port}")
        connections.close_all()
        fork, stop = get_context("fork"), get_context("fork").Event()
        heard: Any = fork.SimpleQueue()
        sequencer = fork.Process(target=_sequence, args=(stop, heard))
        sequencer.start()
        try:
            with ProcessPoolExecutor(CLIENTS, mp_context=fork) as pool:
                parts = list(pool.map(_act_steadily, [rate / CLIENTS] * CLIENTS, [seconds] * CLIENTS))
            committed = {entry: at for part in parts for entry, at in part.items()}
            _wait_for_quorum(committed)
        finally:
            stop.set()
            seen: list[tuple[int, float]] = heard.get()
            sequencer.join()
        waits = _waits(committed, seen)
    p95 = sorted(waits)[int(len(waits) * 0.95)]
    done = len(committed) / seconds
    name = f"ledger: commit to 2-of-3 proof, p95, {done:.0f} acts/s"
    return _result(name, round(p95, 2), GOAL_PROOF_SECONDS, "s") | {"ok": p95 <= GOAL_PROOF_SECONDS}


@contextlib.contextmanager
def _started(words: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.communicate()


def _witnesses(running: contextlib.ExitStack, log_url: str) -> list[dict[str, str]]:
    folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="lianfang-bench-witness-")))
    configured = []
    for name in PARTIES:
        signer, port = create_key(folder / name, f"{keys.origin()}/{name}"), _free_port()
        words = [
            sys.executable, "-m", "lianfang_chain.witness", "--folder", str(folder / name), "--port", str(port),
            "--log-vkey", str(keys.log_key()), "--log-url", log_url,
        ]  # fmt: skip
        process = running.enter_context(_started(words))
        assert process.stdout is not None
        process.stdout.readline()  # it says that it listens
        configured.append({"name": name, "vkey": str(signer.key), "url": f"http://127.0.0.1:{port}"})
    return configured


def _sequence(stop: Any, heard: Any) -> None:
    """The worker's loop; tells at the end at which instant a quorum was stored for which size."""
    seen: list[tuple[int, float]] = []
    sequencer = Sequencer()
    while not stop.is_set():
        began = time.monotonic()
        done = sequencer.run_once(clock.now())
        if len(done.cosigned) >= 2:
            seen.append((done.size, time.monotonic()))
        stop.wait(max(0.05, 1.0 - (time.monotonic() - began)))
    sequencer.close()
    connections.close_all()
    heard.put(seen)


def _act_steadily(rate: float, seconds: float) -> dict[Any, float]:
    """One client: entry and the instant at which its commit returned (one clock for all processes)."""
    committed: dict[Any, float] = {}
    began = time.monotonic()
    while (elapsed := time.monotonic() - began) < seconds:
        if len(committed) < elapsed * rate:
            entry_id = _entry_in_table()
            committed[entry_id] = time.monotonic()
        else:
            time.sleep(0.001)
    return committed


def _wait_for_quorum(committed: dict[Any, float]) -> None:
    last, deadline = max(committed), time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and not queries.state_of(last).quorum:
        time.sleep(0.2)
    time.sleep(0.2)  # the round that stored it is noted a moment later


def _waits(committed: dict[Any, float], seen: list[tuple[int, float]]) -> list[float]:
    """For each entry, from its commit to the instant at which a quorum over it was stored."""
    indices: dict[Any, Any] = dict(Entry.objects.filter(pk__in=committed).values_list("pk", "idx"))
    sizes = [size for size, _ in seen]
    waits = []
    for entry_id, at in committed.items():
        index = indices[entry_id]  # None: not even sequenced in all that time
        first = len(seen) if index is None else bisect.bisect_right(sizes, index)
        waits.append(seen[first][1] - at if first < len(seen) else PATIENCE_SECONDS)
    return waits


def _wait_for_port(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on {port}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# -- growth of the table ------------------------------------------------------------------------


@contextlib.contextmanager
def _another_database() -> Iterator[None]:
    """A database and a data folder of its own, so that what follows begins with an empty chain."""
    name, data = connection.settings_dict["NAME"], settings.LIANFANG_DATA
    connections.close_all()
    _in_maintenance(f"CREATE DATABASE bench_growth TEMPLATE {name}")
    with tempfile.TemporaryDirectory(prefix="lianfang-bench-") as folder:
        connection.settings_dict["NAME"], settings.LIANFANG_DATA = "bench_growth", Path(folder)
        keys.forget()
        try:
            yield
        finally:
            connections.close_all()
            connection.settings_dict["NAME"], settings.LIANFANG_DATA = name, data
            keys.forget()
    _in_maintenance("DROP DATABASE bench_growth")


def _in_maintenance(statement: str) -> None:
    with connection._nodb_cursor() as cursor:  # as Django makes test databases
        cursor.execute(statement)


def _growth_of_the_table(small: int, large: int) -> Iterable[dict[str, Any]]:
    """Append, sequence and prove through the functions of the room, on tables that hold so many entries.

    What is there before is loaded, with its index, and published by the sequencer itself, which is not counted.
    """
    signers = [Signer(f"{keys.origin()}/{name}", 4, ids.random_bytes(32)) for name in PARTIES]
    costs: dict[int, dict[str, float]] = {}
    for size in (small, large):
        settings.LIANFANG_WITNESSES = []
        _load(size)
        sequencer = Sequencer()
        sequencer.run_once(clock.now())
        appended, sequenced = [], []
        for _ in range(200):
            began = time.perf_counter()
            _append()
            appended.append(time.perf_counter() - began)
            began = time.perf_counter()
            sequencer.run_once(clock.now())
            sequenced.append(time.perf_counter() - began)
        sequencer.close()
        settings.LIANFANG_WITNESSES = [
            {"name": s.key.name.rpartition("/")[2], "vkey": str(s.key), "url": ""} for s in signers
        ]
        _cosign(signers)
        costs[size] = {
            "an append": statistics.median(appended),
            "a round of the sequencer": statistics.median(sequenced),
            "a proof": statistics.median(_proofs(size)),
        }
    settings.LIANFANG_WITNESSES = []
    for what, cost in costs[large].items():
        before = costs[small][what]
        yield _result(
            f"ledger: {what}, table of {large:,} against {small:,}", cost * 1000, before * 1000, "ms"
        ) | {"reached": cost / before <= GOAL_GROWTH}


def _load(size: int) -> None:
    """Fill the tables up to so many entries that have their index, as one COPY each."""
    tree, _ = Tree.objects.get_or_create(pk=1)
    entry_id = _entry_in_table()
    data, sealed_key, sealed = (
        bytes(model.objects.values_list(field, flat=True).get(pk=entry_id))
        for model, field in ((Entry, "data"), (CaseKey, "sealed"), (Disclosures, "sealed"))
    )
    Sequencer().run_once(clock.now())
    tree.refresh_from_db()
    rows = [(ids.new_id(), data[:-8] + index.to_bytes(8, "big"), index) for index in range(tree.size, size)]
    with transaction.atomic(), connection.cursor() as cursor:
        with cursor.copy(
            "COPY ledger_entry (id, data, leaf_hash, kind, act_id, organ, scope, appended_at, idx) FROM STDIN"
        ) as copy:
            for row, content, index in rows:
                copy.write_row((row, content, leaf_hash(content), "orders:isolation:issued", ids.new_id(), "cdc",
                                "d510402.s510402002.c001", clock.now(), index))  # fmt: skip
        for table, content in (("casekey", sealed_key), ("disclosures", sealed)):
            with cursor.copy(f"COPY ledger_{table} (entry_id, sealed) FROM STDIN") as copy:
                for row, _, _ in rows:
                    copy.write_row((row, content))
    Tree.objects.filter(pk=1).update(size=max(size, tree.size))
    with connection.cursor() as cursor:
        # Else the server does it by itself while we measure.
        cursor.execute("VACUUM (ANALYZE) ledger_entry, ledger_casekey, ledger_disclosures")


def _entry_in_table() -> UUID:
    with transaction.atomic():
        return _entry()


def _cosign(signers: list[Signer]) -> None:
    """All parties have seen the last checkpoint; who they are is not measured here."""
    last = Checkpoint.objects.order_by("-size")[0]
    text = bytes(last.note).decode().rpartition("\n\n")[0] + "\n"
    at = clock.now()
    Cosignature.objects.bulk_create(
        Cosignature(checkpoint=last, witness=s.key.name.rpartition("/")[2],
                    line=s.cosign(text, at=int(at.timestamp())).line, cosigned_at=at)
        for s in signers
    )  # fmt: skip


def _proofs(size: int) -> list[float]:
    """Seconds of the paper proof, with its disclosures, of the acts at the right edge: those loaded have no signature."""
    newest = list(Entry.objects.filter(idx__gte=size).order_by("idx").values_list("pk", flat=True))
    costs = []
    for entry_id in newest:
        began = time.perf_counter()
        queries.proof(entry_id, ("door",))
        costs.append(time.perf_counter() - began)
    return costs


# -- growth, proofs, audit, bytes ---------------------------------------------------------------


def _growth(small: int, large: int) -> Iterable[dict[str, Any]]:
    """The pure log: what an entry costs at two sizes, its proofs, an audit of the whole, and bytes."""
    signers = [Signer(f"bench.example/{name}", 4, ids.random_bytes(32)) for name in PARTIES]
    log = Signer("bench.example", 1, ids.random_bytes(32))
    lines = "".join(f"witness {s.key.name.rpartition('/')[2]} {s.key}\n" for s in signers)
    policy = Policy.parse(f"log {log.key}\n{lines}group three 2 {' '.join(PARTIES)}\nquorum three\n")
    entry = _sample_entry()
    writer = TileWriter()
    files: dict[TileId, bytes] = {}
    costs: dict[int, float] = {}
    proving: dict[int, float] = {}
    for size in (small, large):
        began, start = time.process_time(), writer.size
        while writer.size < size:
            data = entry[:-8] + writer.size.to_bytes(8, "big")
            writer.append(data, leaf_hash(data))
            if writer.size % 256 == 0:
                files.update(writer.take_full())
        files.update(writer.take())
        costs[size] = (time.process_time() - began) / (size - start) * 1000
        proving[size] = _prove(size, files)
    yield _result(
        f"ledger: an entry in memory, {large:,} against {small:,}",
        costs[large],
        costs[small],
        "ms of CPU",
        costs[large],
    ) | _growth_goal(large, costs[large] / costs[small])
    yield _result(
        f"ledger: a proof in memory, {large:,} against {small:,}",
        proving[large],
        proving[small],
        "ms of CPU",
        proving[large],
    ) | _growth_goal(large, proving[large] / proving[small])
    yield from _proof_bytes(entry, large, files, writer.root(), log, signers, policy)
    yield _audit(large, files, writer.root())
    yield from _a_witness(small, large, files, log, signers[0])
    stored = sum(len(data) for data in files.values())
    yield _result(
        "ledger: bytes of tiles and bundles per entry", stored / large, float(len(entry)), "B against B"
    )


def _growth_goal(large: int, ratio: float) -> dict[str, bool]:
    """The goal is for a million entries; beyond, the figure is printed."""
    return {"ok": ratio <= GOAL_GROWTH} if large <= 1_000_000 else {}


def _sample_entry() -> bytes:
    with transaction.atomic():
        return queries.entry_bytes(_entry())


def _prove(size: int, files: dict[TileId, bytes]) -> float:
    """Median CPU milliseconds of an inclusion proof near the right edge, where tiles are mostly warm."""
    costs = []
    for n in range(200):
        began = time.process_time()
        inclusion_proof(size - 1 - n * 7, size, TileHashes(size, files.__getitem__))
        costs.append(time.process_time() - began)
    return statistics.median(costs) * 1000


def _proof_bytes(
    entry: bytes,
    size: int,
    files: dict[TileId, bytes],
    root: bytes,
    log: Signer,
    signers: list[Signer],
    policy: Policy,
) -> Iterable[dict[str, Any]]:
    """A real entry does not stand in the sample tree, so its proof is of the last leaf's path and true length."""
    head = TreeHead("bench.example", size, root)
    note = parse_note(sign_checkpoint(head, log))
    cosigned = Note(note.text, (*note.signatures, *(s.cosign(note.text, at=1_581_600_000) for s in signers)))
    path = inclusion_proof(size // 3, size, TileHashes(size, files.__getitem__))
    paper = paper_proof_of(entry, [], size // 3, path, bytes(cosigned), policy)
    file = bytes(TlogProof(size // 3, tuple(path), bytes(cosigned)))
    yield _result(
        f"ledger: paper proof at {size:,}", float(len(paper)), 2_132 / 1.5, "B against a QR of version 27 L"
    )
    yield _result(f"ledger: .tlog-proof at {size:,}", float(len(file)), 1_750.0, "B")
    small = json.loads((Path(__file__).parents[1] / "vectors/chain/paper.json").read_text(encoding="utf-8"))
    data, trusted = bytes.fromhex(small["good"][0]["proof"]), Policy.parse(small["policy"])
    began = time.process_time()
    for _ in range(200):
        verify_paper_proof(data, trusted)
    cost = (time.process_time() - began) / 200 * 1000
    yield _result("ledger: a paper proof verified, 4 signatures", cost, None, "ms of CPU", cost)


def _audit(size: int, files: dict[TileId, bytes], root: bytes) -> dict[str, Any]:
    """A third party re-hashes every entry of the bundles and compares tiles and root; seconds a million."""
    began, edge = time.process_time(), Edge()
    leaves = TileHashes(size, files.__getitem__).leaves(0, size)
    for first in range(0, size, 256):
        width = min(256, size - first)
        for entry in entries_of(files[TileId(ENTRIES, first // 256, width)], width=width):
            leaf = leaf_hash(entry)
            if leaf != next(leaves):
                raise RuntimeError("an entry is not what its hash says")
            edge.append(leaf)
    if edge.root() != root:
        raise RuntimeError("another root")
    seconds = (time.process_time() - began) / size * 1_000_000
    return _result(
        "ledger: whole log audited, per million entries", seconds, None, "s of CPU", seconds / 1_000
    )


# -- a party's witness -----------------------------------------------------------------------------


def _a_witness(
    small: int, large: int, files: dict[TileId, bytes], log: Signer, signer: Signer
) -> Iterable[dict[str, Any]]:
    """A party joins: the whole log re-hashed and stored, without the network between; then what a view of its page costs."""
    read, at = files.__getitem__, int(clock.now().timestamp())
    cpu, old = 0.0, 0
    pages: dict[int, float] = {}
    with (
        tempfile.TemporaryDirectory(prefix="lianfang-bench-witness-") as folder,
        contextlib.closing(Store(Path(folder), log.key)) as store,
    ):
        witness = Witness(store, signer, read, lambda: at)
        for size in (small, large):
            head = TreeHead(log.key.name, size, root_of(size, TileHashes(size, read)))
            proof = tuple(consistency_proof(old, size, TileHashes(size, read))) if old else ()
            body = bytes(AddCheckpoint(old, proof, sign_checkpoint(head, log)))
            began, old = time.process_time(), size
            reply = witness.add_checkpoint(body)
            cpu += time.process_time() - began
            if reply.status != 200 or store.look(at).count != size:
                raise RuntimeError(f"not all of it is held: {reply.body}")
            pages[size] = _view(witness)
    bare = 0.0
    for tile, data in files.items():
        if tile.level == ENTRIES and tile.width == FULL:
            entries = entries_of(data, width=FULL)
            began = time.process_time()
            for entry in entries:
                hashlib.sha256(b"\x00" + entry).digest()
            bare += time.process_time() - began
    yield _result(
        "ledger: a witness joins: whole log held, per million entries, against bare hashing",
        cpu / large * 1_000_000,
        bare / (large - large % FULL) * 1_000_000,
        "s of CPU",
        cpu / large * 1_000,
    )
    yield _result(
        f"ledger: a view of the witness's page, {large:,} own entries against {small:,}",
        pages[large],
        pages[small],
        "ms of CPU",
        pages[large],
    ) | {"reached": pages[large] / pages[small] <= GOAL_GROWTH}


def _view(witness: Witness) -> float:
    """Median CPU milliseconds of one view."""
    costs = []
    for _ in range(200):
        began = time.process_time()
        status_page(witness, "bench")
        costs.append(time.process_time() - began)
    return statistics.median(costs) * 1000
