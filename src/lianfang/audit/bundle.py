"""The evidence of a grant as one file, for people who trust neither us nor our software."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lianfang.kernel.clock import LEGAL_ZONE, start_of_legal_day
from lianfang.ledger import queries as ledger
from lianfang_chain.entry import Entry
from lianfang_chain.note import base64_of
from lianfang_chain.proof import to_qr_text
from lianfang_chain.verify import one_file

from . import queries
from .check import seen_at
from .policy import ONE_DAY

if TYPE_CHECKING:
    from datetime import datetime

    from lianfang.ledger.queries import Head

    from .models import Grant
    from .queries import Draw

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
checkpoints/seed.txt log/                 重做抽样所需：种子所在的检查点，first.txt 到 seed.txt 之间的每一条记录 / what the draw is made
                    again from: the checkpoint of the seed, and every entry between first.txt and seed.txt

1. 用本项目的程序 / with our program (Python and `cryptography`, nothing else of ours)
   python3 lianfang-verify.pyz --policy strict-policy.txt --organs organs.txt proofs/N.txt
   python3 lianfang-verify.pyz --policy strict-policy.txt --organs organs.txt --entry entries/N.cbor proofs/N.tlog-proof
   python3 lianfang-verify.pyz --policy policy.txt checkpoints/seed.txt     谁签过这个检查点 / who signed a checkpoint

2. 不用本项目的程序 / with software that is not ours
   签名 signatures: any signed-note verifier, e.g. golang.org/x/mod/sumdb/note: note.Open(checkpoint, note.VerifierList(k)),
     k 为 policy.txt 中 log 一行的 vkey / the vkey of the `log` line; Debian: golang-golang-x-mod-dev.
   入账 inclusion: golang.org/x/mod/sumdb/tlog: tlog.CheckRecord(proof, size, root, N, tlog.RecordHash(entry)).
   一致 consistency: tlog.CheckTree(proof, newSize, newRoot, oldSize, oldRoot); consistency.txt is an add-checkpoint request of
     C2SP tlog-witness: first line `old SIZE`, then the hashes, an empty line, the newer checkpoint.
   只用标准库 only the standard library (Python 3.10 or newer): check.py (inclusion, that the two checkpoints are consistent, one
     root for each size, and the whole sample; no signatures). 结尾写明没有核对什么 / At its end it says what it did not check.

3. 抽样怎样重做 / how to repeat the sample
   总体 population: log/entries.bin 是 first.txt（没有则为空账）之后直到 seed.txt 的每一条记录，前面各两字节长度；log/subtrees.txt 是
     first.txt 那棵树的各个完整子树。两者算得出 seed.txt 的根，所以一条也没有漏。总体是其中请求之前、请求所写期限和范围之内的每一份隔离决定。
     Every entry after first.txt (or from the beginning) up to seed.txt, each behind two bytes of length, and the complete
     subtrees of the tree of first.txt: together they give the root of seed.txt, so none is left out. The population is every
     isolation order among them before the request, of the period and area that the request names.
   种子 seed: 抽样请求入账之后第一个有足够见证的检查点的根 / the root of the first witnessed checkpoint after the request.
   score = SHA-256("lianfang-sample/v1\\n" + seed + leaf); 取最小的 count 个 / the `count` smallest.

没有证明 Not proved: 决定合法 that a decision was lawful; 现在仍有效 that it is still in force.
"""


def bundle(grant: Grant, *, at: datetime) -> bytes:
    """Everything a grant is about that a quorum has seen, with what checks it. The same bytes for the same state."""
    files: dict[str, bytes] = {
        "README.txt": README.encode(),
        "check.py": Path(__file__).with_name("check.py").read_bytes(),
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
        files |= _sample(grant, drawn)
    return _zipped(files, at)


def _sample(grant: Grant, drawn: Draw) -> dict[str, bytes]:
    """The draw, and what draws it again without asking us: every entry between two signed trees.

    Entries of other places are among them, for else nobody could see that none of this place was left out. They name
    no person (decision 9: bundles go to auditors). KNOWN: of a period long ago it is all that was appended since.
    """
    assert drawn.request_index is not None
    older = _older(grant)
    start = 0
    if older and older.origin == drawn.log and older.size <= drawn.request_index:
        start = older.size
    subtrees, entries = ledger.stretch(drawn.log, start, drawn.seed_size)
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["index", "leaf"])
    writer.writerows([r.index, r.leaf.hex()] for r in drawn.population)
    return {
        "sample.json": _json(
            {
                "log": drawn.log,
                "area": grant.area,
                "from_size": start,
                "request_index": drawn.request_index,
                "seed": drawn.seed.hex(),
                "seed_size": drawn.seed_size,
                "count": drawn.sample.count,
                "drawn": sorted(r.leaf.hex() for r in drawn.drawn),
            }
        ),
        "population.csv": table.getvalue().encode(),
        "checkpoints/seed.txt": ledger.note_at(drawn.log, drawn.seed_size),
        "log/subtrees.txt": "".join(f"{base64_of(root)}\n" for root in subtrees).encode(),
        "log/entries.bin": entries,
        **_former(drawn.log),
    }


def _checkpoints(grant: Grant) -> dict[str, bytes]:
    last, older = grant.until_on, _older(grant)
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
        files |= _former(name)
    return files


def _former(log: str) -> dict[str, bytes]:
    short, _ = ledger.ended_as(log) or ("", None)
    return {f"former/{short}/{file}": text for file, text in ledger.former_files(log).items()}


def _older(grant: Grant) -> Head | None:
    """The last checkpoint that was witnessed before the period began; of one order, the first that holds it."""
    if grant.from_on is None:
        return _first_with(grant)
    begins = start_of_legal_day(grant.from_on)
    head = ledger.checkpoint_before(begins)
    while head and max(seen_at(head.note.decode()), default=0) > begins.timestamp():
        head = ledger.checkpoint_before(head.signed_at)
    return head


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
