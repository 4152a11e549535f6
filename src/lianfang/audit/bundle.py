"""The evidence of a grant as one file, for people who trust neither us nor our software."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from typing import TYPE_CHECKING, Final

from lianfang.kernel.clock import LEGAL_ZONE, start_of_legal_day
from lianfang.ledger import queries as ledger
from lianfang_chain.entry import Entry
from lianfang_chain.proof import to_qr_text
from lianfang_chain.verify import one_file

from . import queries
from .policy import ONE_DAY

if TYPE_CHECKING:
    from datetime import datetime

    from lianfang.ledger.queries import Head

    from .models import Grant

README: Final = """\
防疫信息链审计证据包  ·  Evidence from the information chain
==========================================================

entries/N.cbor      一条记录，逐字节与账内相同 / an entry, byte for byte as it stands in the chain
entries/N.json      给人看的内容 / the same for people; nothing is signed over it
proofs/N.tlog-proof 它在账内的证明（C2SP tlog-proof）/ its inclusion proof
proofs/N.txt        同一证明的二维码文字，自带记录 / the same as the text of a paper's code, entry inside
checkpoints/        起、止两日的检查点（signed note）和二者的一致性证明 / of the two dates, and their consistency.
                    只审一份决定时：最早含有该决定的检查点和最新的检查点 / of one order: the first one that holds it, and the newest
policy.txt strict-policy.txt organs.txt   信任谁 / whom to trust. 请从第三方另行取得并比对 Compare with the parties' own!
earlier-policies/N.txt  见证方换钥之前的信任文件，用于不超过 N 条的检查点 / the trust file for checkpoints of at most N entries
former/             期间结束的旧账：为何结束、最后的检查点、当时的信任文件 / a chain that ended meanwhile: why, its last
                    checkpoint, whom to trust for it. 两条账之间没有一致性证明 No consistency proof leads from one to the other.
population.csv sample.json                抽样（若有）/ the sample, if one was drawn

1. 用本项目的程序 / with our program (Python and `cryptography`, nothing else of ours)
   python3 lianfang-verify.pyz --policy strict-policy.txt --organs organs.txt proofs/N.txt
   python3 lianfang-verify.pyz --policy strict-policy.txt --organs organs.txt --entry entries/N.cbor proofs/N.tlog-proof

2. 不用本项目的程序 / with software that is not ours
   签名 signatures: any signed-note verifier, e.g. golang.org/x/mod/sumdb/note: note.Open(checkpoint, note.VerifierList(k)),
     k 为 policy.txt 中 log 一行的 vkey / the vkey of the `log` line; Debian: golang-golang-x-mod-dev.
   入账 inclusion: golang.org/x/mod/sumdb/tlog: tlog.CheckRecord(proof, size, root, N, tlog.RecordHash(entry)).
   一致 consistency: tlog.CheckTree(proof, newSize, newRoot, oldSize, oldRoot); consistency.txt is an add-checkpoint request of
     C2SP tlog-witness: first line `old SIZE`, then the hashes, an empty line, the newer checkpoint.
   只用标准库 only the standard library: check.py (hashlib; inclusion, that the two checkpoints are consistent, one root for
     each size, and the sample; no signatures).

3. 抽样怎样重做 / how to repeat the sample
   score = SHA-256("lianfang-sample/v1\\n" + seed + leaf); 取最小的 count 个 / the `count` smallest of population.csv.
   seed 是抽样请求入账之后第一个有足够见证的检查点的根；总体是请求之前、期限和范围之内的隔离决定。
   The seed is the root of the first witnessed checkpoint after the request entered the chain; the population is every
   isolation order of the period and area whose index is below the request's.

没有证明 Not proved: 决定合法 that a decision was lawful; 现在仍有效 that it is still in force.
"""
CHECK: Final = '''\
"""Checks inclusion, consistency and the sample with the standard library alone: python3 check.py  (in this folder)."""
import base64, csv, hashlib, json, pathlib, sys

def h(*parts): return hashlib.sha256(b"".join(parts)).digest()

def head_of(note):
    """Origin, size, root, and whether every note here of that size has that root."""
    origin, size, root = note.split("\\n")[:3]
    root = base64.b64decode(root)
    return origin, int(size), root, roots.setdefault((origin, size), root) == root

def consistent(old, new, old_root, new_root, path):
    """RFC 9162 2.1.4.2: the older tree is the beginning of the newer one."""
    if old == new: return not path and old_root == new_root
    if old == 0: return not path and old_root == h()
    if old & (old - 1) == 0: path = [old_root, *path]
    if not path or old > new: return False
    node, last = old - 1, new - 1
    while node % 2: node, last = node // 2, last // 2
    a = b = path[0]
    for p in path[1:]:
        if last == 0: return False
        if node % 2 or node == last:
            a, b = h(b"\\1", p, a), h(b"\\1", p, b)
            while node and node % 2 == 0: node, last = node // 2, last // 2
        else: b = h(b"\\1", b, p)
        node, last = node // 2, last // 2
    return last == 0 and (a, b) == (old_root, new_root)

bad, roots = 0, {}
first, final, between = (pathlib.Path("checkpoints", n + ".txt") for n in ("first", "last", "consistency"))
if first.exists() and final.exists():
    (o1, old, old_root, _), (o2, new, new_root, _) = head_of(first.read_text()), head_of(final.read_text())
    if o1 != o2: print("--  two chains: no consistency proof leads from one to the other")
    else:
        head, note = between.read_text().split("\\n\\n", 1) if between.exists() else ("", "")
        lines = head.split("\\n")
        good = lines[0] == f"old {old}" and head_of(note)[:3] == (o2, new, new_root) and consistent(
            old, new, old_root, new_root, [base64.b64decode(x) for x in lines[1:]])
        bad += not good
        print("ok " if good else "BAD", "consistency of", old, "and", new)
for file in sorted(pathlib.Path("proofs").glob("*.tlog-proof")):
    head, note = file.read_text().split("\\n\\n", 1)
    lines = head.split("\\n")
    index, path = int(lines[1].split()[1]), [base64.b64decode(x) for x in lines[2:]]
    _, size, root, same = head_of(note)
    node, last = index, size - 1
    r = h(b"\\0", pathlib.Path("entries", f"{index}.cbor").read_bytes())
    for p in path:
        if node % 2 or node == last:
            r = h(b"\\1", p, r)
            while node and node % 2 == 0: node, last = node // 2, last // 2
        else: r = h(b"\\1", r, p)
        node, last = node // 2, last // 2
    good = last == 0 and r == root and same
    bad += not good
    print("ok " if good else "BAD", file.name, "in the tree of", size)
if pathlib.Path("sample.json").exists():
    s = json.load(open("sample.json"))
    leaves = [bytes.fromhex(row["leaf"]) for row in csv.DictReader(open("population.csv"))]
    seed = bytes.fromhex(s["seed"])
    drawn = sorted(leaves, key=lambda x: h(b"lianfang-sample/v1\\n", seed, x))[:s["count"]]
    good = sorted(x.hex() for x in drawn) == sorted(s["drawn"])
    bad += not good
    print("ok " if good else "BAD", "sample of", len(drawn), "from", len(leaves))
sys.exit(bool(bad))
'''


def bundle(grant: Grant, *, at: datetime) -> bytes:
    """Everything a grant is about that a quorum has seen, with what checks it. The same bytes for the same state."""
    files: dict[str, bytes] = {
        "README.txt": README.encode(),
        "check.py": CHECK.encode(),
        "lianfang-verify.pyz": one_file(),
        "policy.txt": ledger.policy_text().encode(),
        "strict-policy.txt": ledger.strict_policy_text().encode(),
        "organs.txt": ledger.organs_list(),
        **{f"earlier-policies/{size}.txt": t.encode() for size, t in ledger.earlier_policies().items()},
    }
    drawn = queries.draw_of(grant)
    rows = {r.id: r for r in queries.entries_of(grant)}
    about = [grant.entry_id, *([drawn.sample.entry_id] if drawn else [])]
    rows |= {r.id: r for r in ledger.rows_of(about)}
    papers, proofs = ledger.proofs(list(rows)), ledger.tlog_proofs(list(rows))
    for pk, row in rows.items():
        if pk in papers:
            files[f"entries/{row.index}.cbor"] = row.data
            files[f"entries/{row.index}.json"] = _json(Entry.parse(row.data).view())
            files[f"proofs/{row.index}.txt"] = to_qr_text(papers[pk]).encode()
            files[f"proofs/{row.index}.tlog-proof"] = proofs[pk]
    files |= _checkpoints(grant)
    if drawn and drawn.seed:
        files["sample.json"] = _json(
            {
                "log": drawn.log,
                "request_index": drawn.request_index,
                "seed": drawn.seed.hex(),
                "seed_size": drawn.seed_size,
                "count": drawn.sample.count,
                "drawn": sorted(r.leaf.hex() for r in drawn.drawn),
            }
        )
        table = io.StringIO()
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(["index", "leaf"])
        writer.writerows([r.index, r.leaf.hex()] for r in drawn.population)
        files["population.csv"] = table.getvalue().encode()
    return _zipped(files, at)


def _checkpoints(grant: Grant) -> dict[str, bytes]:
    first, last = grant.from_on, grant.until_on
    older = ledger.checkpoint_before(start_of_legal_day(first)) if first else _first_with(grant)
    newer = (
        ledger.checkpoint_before(start_of_legal_day(last + ONE_DAY)) if last else ledger.newest_witnessed()
    )
    files = {}
    if older:
        files["checkpoints/first.txt"] = older.note
    if newer:
        files["checkpoints/last.txt"] = newer.note
    if older and newer and older.origin == newer.origin:
        files["checkpoints/consistency.txt"] = ledger.consistency_of(older, newer)
    for name in {head.origin for head in (older, newer) if head}:
        short, _ = ledger.ended_as(name) or ("", None)
        files |= {f"former/{short}/{file}": text for file, text in ledger.former_files(name).items()}
    return files


def _first_with(grant: Grant) -> Head | None:
    """The first checkpoint, with a quorum, that holds the grant's order."""
    ordered = next((r.id for r in queries.entries_of(grant) if r.kind == queries.ORDERED), None)
    return ledger.first_witnessed_root(ordered) if ordered else None


def _json(content: object) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def _zipped(files: dict[str, bytes], at: datetime) -> bytes:
    target = io.BytesIO()
    stamp = at.astimezone(LEGAL_ZONE).timetuple()[:6]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, stamp), content, zipfile.ZIP_DEFLATED)
    return target.getvalue()
