"""核对证据包，只用 Python 标准库 / checks the evidence with the standard library alone:  python3 check.py  (in this folder).

Inclusion of each entry, consistency of the checkpoints, and the sample from its beginning: every entry of the log between
two checkpoints, those of them that the request asks for, those that the seed draws. Signatures are checked by other
programs; at its end it says so. Exit code 0: all of it holds; 3: something is left to a person (--); 1: something is BAD.
This file goes into the bundle as it is.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

KIND = "orders:isolation:issued"
ASKED = "audit:sample:asked"
BEIJING = timezone(timedelta(hours=8))
NOT_CHECKED = """
没有核对 / Not checked here:
  签名 signatures: python3 lianfang-verify.pyz --policy policy.txt FILE   (checkpoints/last.txt …, proofs/*.txt)
  决定是否合法、现在是否仍有效 whether a decision was lawful, or is still in force"""
OF_THE_SEED = """\
  种子之前有没有别的检查点已有足够见证 whether an earlier checkpoint after the request had a quorum: ask the three parties"""

Line = tuple[str, str]  # "ok ", "BAD", or "-- " where a person must look; and the words


def h(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


class Tree:
    """A growing Merkle tree (RFC 9162): the roots of the complete subtrees of which it consists, the largest first."""

    def __init__(self, size: int, subtrees: list[bytes]) -> None:
        self.size, self.subtrees = size, subtrees
        self.sound = len(subtrees) == bin(size).count("1")

    def append(self, leaf: bytes) -> None:
        size = self.size
        while size & 1:
            leaf, size = h(b"\1", self.subtrees.pop(), leaf), size >> 1
        self.subtrees.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        if not self.subtrees:
            return h()
        *rest, root = self.subtrees
        for left in reversed(rest):
            root = h(b"\1", left, root)
        return root


class Heads:
    """The checkpoints that were read: of one size of one log there is one root."""

    def __init__(self) -> None:
        self.roots: dict[tuple[str, int], bytes] = {}

    def of(self, note: str) -> tuple[str, int, bytes, bool]:
        """Origin, size, root, and whether all notes of that size so far have that root."""
        origin, number, encoded = note.split("\n")[:3]
        size, root = int(number), base64.b64decode(encoded)
        return origin, size, root, self.roots.setdefault((origin, size), root) == root


def seen_at(note: str) -> list[int]:
    """The instants that the witnesses put into their lines, POSIX seconds."""
    raw = [base64.b64decode(line.split()[-1]) for line in note.split("\n\n")[-1].splitlines()]
    return [int.from_bytes(r[4:12], "big") for r in raw if len(r) == 76]


def consistent(old: int, new: int, old_root: bytes, new_root: bytes, path: list[bytes]) -> bool:
    """RFC 9162 2.1.4.2: the older tree is the beginning of the newer one."""
    if old == new:
        return not path and old_root == new_root
    if old == 0:
        return not path and old_root == h()
    if old & (old - 1) == 0:
        path = [old_root, *path]
    if not path or old > new:
        return False
    node, last = old - 1, new - 1
    while node % 2:
        node, last = node // 2, last // 2
    a = b = path[0]
    for p in path[1:]:
        if last == 0:
            return False
        if node % 2 or node == last:
            a, b = h(b"\1", p, a), h(b"\1", p, b)
            while node and node % 2 == 0:
                node, last = node // 2, last // 2
        else:
            b = h(b"\1", b, p)
        node, last = node // 2, last // 2
    return last == 0 and (a, b) == (old_root, new_root)


def included(leaf: bytes, index: int, size: int, root: bytes, path: list[bytes]) -> bool:
    """RFC 9162 2.1.3.2."""
    node, last = index, size - 1
    for p in path:
        if node % 2 or node == last:
            leaf = h(b"\1", p, leaf)
            while node and node % 2 == 0:
                node, last = node // 2, last // 2
        else:
            leaf = h(b"\1", leaf, p)
        node, last = node // 2, last // 2
    return last == 0 and leaf == root


def item(data: bytes, at: int = 0) -> tuple[Any, int]:
    """One item of CBOR (RFC 8949) and where it ends: what entries are made of, and nothing else."""
    kind, n, at = data[at] >> 5, data[at] & 31, at + 1
    if 24 <= n < 28:
        width = 1 << n - 24
        n, at = int.from_bytes(data[at : at + width], "big"), at + width
    if kind == 0:
        return n, at
    if kind == 1:
        return -1 - n, at
    if kind in (2, 3):
        return (data[at : at + n] if kind == 2 else data[at : at + n].decode()), at + n
    if kind in (4, 5):
        found = []
        for _ in range(n * (kind - 3)):
            value, at = item(data, at)
            found.append(value)
        return (found if kind == 4 else dict(zip(found[::2], found[1::2], strict=True))), at
    return item(data, at) if kind == 6 else (None, at)


def act_of(entry: bytes) -> dict[int, Any]:
    """What an entry says, by the numbers of its map (COSE_Sign1: the third part is what was signed).

    2 kind, 4 instant in POSIX seconds, 6 class of the place and the place, 8 terms, 10 the leaf that it names as its prior.
    """
    act: dict[int, Any] = item(item(entry)[0][2])[0]
    return act


def said(good: bool, words: str) -> Line:
    return ("ok " if good else "BAD"), words


def text(*path: str) -> str:
    return Path(*path).read_text(encoding="utf-8")


def hashes(lines: Iterable[str]) -> list[bytes]:
    return [base64.b64decode(line) for line in lines]


def consistency(heads: Heads) -> Iterator[Line]:
    between = Path("checkpoints/consistency.txt")
    if not (Path("checkpoints/first.txt").exists() and Path("checkpoints/last.txt").exists()):
        return
    o1, old, old_root, one = heads.of(text("checkpoints/first.txt"))
    o2, new, new_root, other = heads.of(text("checkpoints/last.txt"))
    if o1 != o2:
        yield "-- ", "两条账，没有一致性证明 two chains: no consistency proof leads from one to the other"
        return
    head, note = text(str(between)).split("\n\n", 1) if between.exists() else ("", "")
    lines = head.split("\n")
    good = one and other and lines[0] == f"old {old}" and heads.of(note)[:3] == (o2, new, new_root)
    good = good and consistent(old, new, old_root, new_root, hashes(lines[1:]))
    yield said(good, f"consistency of {old} and {new} 前后一致")


def inclusion(heads: Heads) -> Iterator[Line]:
    for file in sorted(Path("proofs").glob("*.tlog-proof")):
        head, note = text(str(file)).split("\n\n", 1)
        lines = head.split("\n")
        index = int(lines[1].split()[1])
        _, size, root, same = heads.of(note)
        leaf = h(b"\0", Path("entries", f"{index}.cbor").read_bytes())
        good = same and included(leaf, index, size, root, hashes(lines[2:]))
        yield said(good, f"{file.name} in the tree of {size} 已入账")


def bundle(data: bytes) -> Iterator[bytes]:
    """The entries, each behind its length in two bytes (C2SP tlog-tiles)."""
    at = 0
    while at < len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        yield data[at + 2 : end]
        at = end


def sample(heads: Heads) -> Iterator[Line]:
    """The whole draw again: every entry between two trees, what the request asks for among them, what the seed draws."""
    if not Path("sample.json").exists():
        return
    s = json.loads(text("sample.json"))
    start, asked_at = s["from_size"], s["request_index"]
    log, size, seed, same = heads.of(text("checkpoints/seed.txt"))
    good = same and (log, size, seed.hex()) == (s["log"], s["seed_size"], s["seed"])
    yield said(good, f"种子是 {size} 条时的根 the seed is the root of {size}")

    tree = Tree(start, hashes(text("log", "subtrees.txt").split()))
    good = tree.sound and start <= asked_at < size
    if start:
        first = text("checkpoints/first.txt")
        good = good and heads.of(first) == (log, start, tree.root(), True)
    orders, requests = {}, {}
    for index, entry in enumerate(bundle(Path("log/entries.bin").read_bytes()), start):
        tree.append(leaf := h(b"\0", entry))
        if ASKED.encode() in entry and (act := act_of(entry))[2] == ASKED:
            requests[index] = act
        elif KIND.encode() in entry and (act := act_of(entry))[2] == KIND and index < asked_at:
            orders[leaf] = index, act
    good = good and (tree.size, tree.root()) == (size, seed)
    yield said(good, f"从 {start} 到 {size} 一条不缺 the log from {start} to {size} with every entry")

    request = requests.pop(asked_at, {})
    terms = request.get(8, {})
    good = terms.get("count") == s["count"]
    asked = f"{terms.get('count')}, {terms.get('from')} — {terms.get('until')}"
    yield said(good, f"第 {asked_at} 条是抽样请求 entry {asked_at} is the request: {asked}")
    if not good:
        return
    for other, act in requests.items():
        if act[10] == request[10]:
            yield "BAD", f"同一授权另有抽样请求：第 {other} 条 entry {other} asks again under the same grant"
    since, until = (datetime.fromisoformat(terms[day]).replace(tzinfo=BEIJING) for day in ("from", "until"))
    until += timedelta(days=1)
    if start:
        good = 0 < max(seen_at(first), default=0) <= since.timestamp()
        yield said(good, f"期间开始前 {start} 条已被见证 {start} were witnessed before the period began")
    area, place = s["area"], request[6][1]
    yield said(within(area, place), f"范围 area: {area}")
    if area != place:
        yield (
            "-- ",
            f"请求写的是 {place}，请与授权核对 the request names {place}: compare the area with your grant",
        )

    population = {
        leaf: index
        for leaf, (index, act) in orders.items()
        if since.timestamp() <= act[4] < until.timestamp() and within(act[6][1], area)
    }
    with Path("population.csv").open(encoding="utf-8") as table:
        listed = {bytes.fromhex(row["leaf"]): row["index"] for row in csv.DictReader(table)}
    for leaf in population.keys() - listed.keys():
        yield "BAD", f"总体缺第 {population[leaf]} 条 entry {population[leaf]} is missing from population.csv"
    for leaf in listed.keys() - population.keys():
        yield "BAD", f"总体多出第 {listed[leaf]} 条 entry {listed[leaf]} of population.csv is not one of them"
    if population.keys() == listed.keys():
        yield "ok ", f"总体 {len(population)} 例 the population as the log has it: {len(population)}"
    drawn = sorted(population, key=lambda leaf: h(b"lianfang-sample/v1\n", seed, leaf))[: terms["count"]]
    good = sorted(leaf.hex() for leaf in drawn) == sorted(s["drawn"])
    places = ", ".join(str(population[leaf]) for leaf in drawn)
    yield said(good, f"sample of {len(drawn)} from {len(population)} 应抽中第 {places} 条 draws {places}")


def within(place: str, area: str) -> bool:
    return f"{place}.".startswith(f"{area}.")


def main() -> int:
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # a terminal of another encoding
    heads, marks = Heads(), set()
    for check in (consistency, inclusion, sample):
        for mark, words in check(heads):
            print(mark, words)
            marks.add(mark)
    print(NOT_CHECKED)
    if Path("sample.json").exists():
        print(OF_THE_SEED)
    return 1 if "BAD" in marks else 3 if "-- " in marks else 0


if __name__ == "__main__":
    sys.exit(main())
