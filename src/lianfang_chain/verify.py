"""`lianfang-verify`: check a proof with nothing but the trust file, and say in plain words what follows.

    lianfang-verify --policy policy.txt --organs organs.txt proof.txt    a paper's QR text, or its bytes
    lianfang-verify --policy policy.txt --entry entry.bin proof.tlog-proof
    lianfang-verify --policy policy.txt read-proof.txt        that somebody looked at my data, from 谁看过我的信息
    lianfang-verify --policy policy.txt fork-evidence.txt
    lianfang-verify --policy policy.txt checkpoint           who signed a checkpoint, as the log serves it or evidence holds it
    lianfang-verify --policy policy.txt --unpack FOLDER proof.txt    entry.cbor and proof.tlog-proof (C2SP), for the
                                                             software of others
    lianfang-verify --policy policy.txt --policy former.txt proof.txt    papers of a chain that has ended too
    lianfang-verify --one-file lianfang-verify.pyz           write this program as one file for others

Of several trust files that name the same log, the one with the most lines of witnesses judges: it is the newest, and it
says who was in office before. Exit code 0: proved, with a quorum; 3: recorded, but too few witnesses, or by a key that the list of organs does
not have or that another had replaced; 1: not proved; 2: wrongly called.

What others wrote (names, legal basis, terms, disclosures) is printed on one line each, with all that a terminal would obey
made visible (`words.shown`).
"""

from __future__ import annotations

import argparse
import io
import sys
import zipfile
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Final

from .cbor import NotCanonical
from .entry import Entry
from .evidence import FIRST_LINE as EVIDENCE
from .evidence import ForkEvidence
from .note import MalformedNote, NotSigned, UnknownWitness, VerifierKey
from .organs import Organs
from .policy import MalformedPolicy, Policy
from .proof import (
    FIRST_LINE,
    QR_PREFIX,
    Proved,
    Witnessed,
    from_qr_text,
    unpack_paper_proof,
    verify_checkpoint,
    verify_paper_proof,
    verify_tlog_proof,
)
from .reading_proof import FIRST_LINE as READING
from .reading_proof import ReadingProof
from .tree import NotProved
from .words import SCOPES, field_words, shown, words_of

__all__ = ["main", "one_file", "say"]

PROVED, NOT_PROVED, USAGE, RECORDED = 0, 1, 2, 3
_BEST_FIRST: Final = (PROVED, RECORDED, USAGE, NOT_PROVED)
_REFUSED: Final = (NotCanonical, MalformedNote, NotSigned, NotProved)
_ZONE: Final = timezone(timedelta(hours=8))
_SIGNED: Final = "\n\n\u2014 ".encode()  # where the signature lines of a note begin
_NOT_PROVED_ABOUT: Final = (
    "没有证明：这项决定合法；它现在仍然有效。是否有效，看期限，也看之后有没有解除记录。",
    "Not proved: that the decision is lawful, or still in force. Look at its end, and for later entries.",
)
_NEEDS_ENTRY: Final = (
    "证明文件还需要记录本身：--entry",
    "A .tlog-proof is about an entry: --entry FILE",
)
_NO_ENTRY: Final = (
    "--entry 只和 .tlog-proof 一起用：纸质证明自带记录，别的文件不是关于一条记录的。没有核对。",
    "--entry goes with a .tlog-proof alone: a paper proof holds its entry, other files are about none. Nothing was checked.",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    parser = argparse.ArgumentParser(prog="lianfang-verify", description="核对信息链证明 · check a proof")
    parser.add_argument("proof", type=Path, nargs="?", help="QR text, proof bytes, .tlog-proof or evidence")
    parser.add_argument(
        "--policy", type=Path, action="append", help="the trust file; again for one of another time or chain"
    )
    parser.add_argument("--organs", type=Path, help="the organs' keys, to check who signed the act")
    parser.add_argument("--entry", type=Path, help="the entry that a .tlog-proof is about")
    parser.add_argument(
        "--unpack", type=Path, help="write what the paper holds as entry.cbor and proof.tlog-proof"
    )
    parser.add_argument("--one-file", type=Path, help="write this program as one file and end")
    options = parser.parse_args(argv)
    if options.one_file:
        options.one_file.write_bytes(one_file())
        return PROVED
    if not options.proof or not options.policy:
        parser.print_usage(sys.stderr)
        return USAGE
    try:
        policies = newest_of_each_log(
            [Policy.parse(file.read_text(encoding="utf-8")) for file in options.policy]
        )
        organs = options.organs.read_bytes() if options.organs else None
        listed = [_organs(organs, policy) for policy in policies]
        if organs and not any(listed):
            raise NotSigned("no log of these trust files signed the list of organs")
        data = options.proof.read_bytes()
        entry = options.entry.read_bytes() if options.entry else None
    except (OSError, MalformedPolicy, MalformedNote, NotSigned, UnicodeDecodeError) as error:
        sys.stderr.write(_lines(f"{error}"))
        return USAGE
    said = [
        (policy, *say(data, policy, organs=own, entry=entry))
        for policy, own in zip(policies, listed, strict=True)
    ]
    # One proof is of one chain. What no file proves is said as the first of them sees it.
    policy, code, words = min(said, key=lambda one: _BEST_FIRST.index(one[1]))
    sys.stdout.write(words)
    if options.unpack and code in (PROVED, RECORDED):
        return _unpack(options.unpack, data, policy) or code
    return code


def newest_of_each_log(policies: Sequence[Policy]) -> list[Policy]:
    """Without the older files of a log: under one of them a key that left would still count for what is signed today."""
    found: dict[VerifierKey, Policy] = {}
    for policy in policies:
        for log, _ in policy.logs:
            if log not in found or len(found[log].witnesses) < len(policy.witnesses):
                found[log] = policy
    return [policy for policy in policies if any(policy is kept for kept in found.values())]


def _organs(data: bytes | None, policy: Policy) -> Organs | None:
    """The list, if the log of this trust file signed it; each chain has its own."""
    if data is None:
        return None
    try:
        return Organs.open(data, policy)
    except NotSigned:
        return None


def _unpack(folder: Path, data: bytes, policy: Policy) -> int:
    try:
        entry, proof = unpack_paper_proof(_paper_bytes(data), policy)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "entry.cbor").write_bytes(entry)
        (folder / "proof.tlog-proof").write_bytes(proof)
    except (*_REFUSED, OSError) as error:
        sys.stderr.write(_lines(f"只有纸质证明可以拆开 · only a paper proof can be unpacked: {error}"))
        return USAGE
    return 0


def _paper_bytes(data: bytes) -> bytes:
    """A paper proof, out of the text of its code where it is that."""
    if data.startswith(QR_PREFIX.encode()):
        return from_qr_text(data.decode("ascii", "replace").rstrip("\r\n"))
    return data


def _lines(*lines: str) -> str:
    """The one way out. A line is one line: what stands in it cannot begin another."""
    return "".join(f"{shown(line)}\n" for line in lines)


def say(
    data: bytes,
    policy: Policy,
    *,
    organs: Organs | None = None,
    entry: bytes | None = None,
) -> tuple[int, str]:
    """Check whatever kind of proof this is; the exit code and the words for people."""
    try:
        is_file = data.startswith(FIRST_LINE.encode())
        if is_file != (entry is not None):
            return USAGE, _lines(*(_NEEDS_ENTRY if is_file else _NO_ENTRY))
        if data.startswith(EVIDENCE.encode()):
            return _evidence(data, policy)
        if data.startswith(READING.encode()):
            return _reading(data, policy, organs)
        if entry is not None:
            parsed = Entry.parse(entry)
            return _proved(verify_tlog_proof(data, parsed.leaf, policy), parsed, policy, organs)
        if _SIGNED in data and data[:1].isascii():  # the first byte of a paper proof is not
            return _checkpoint(data, policy)
        proved = verify_paper_proof(_paper_bytes(data), policy)
        assert proved.entry is not None
        return _proved(proved, proved.entry, policy, organs)
    except UnknownWitness as error:
        return NOT_PROVED, _lines(
            "△ 还不能核对：这份证明由您的信任文件里没有的见证方签名，您的文件可能比它旧。"
            "请取得新的信任文件（policy.txt），向居民、物业、社区核对后再验。在此之前不能采信。",
            "△ NOT YET CHECKED: a witness signed whom your trust file does not name; your file may be the older one."
            f" Get the new one, compare it with the three parties, and check again. Until then do not rely on it. ({error})",
        )
    except _REFUSED as error:
        return NOT_PROVED, _lines(f"✘ 没有证明成立：{error}", f"✘ NOT PROVED: {error}")


def _proved(proved: Proved, entry: Entry, policy: Policy, organs: Organs | None) -> tuple[int, str]:
    act = entry.act
    chinese, english = words_of(act.kind)
    scope_zh, scope_en = SCOPES[act.scope_class]
    if policy.asks_nobody:
        lines = [
            "✔ 这条记录在信息链里。信任文件不要求见证方签名：除信息链自己以外，没有人为它作证。",
            "✔ IN THE CHAIN. The trust file asks for no witness: nobody vouches for it but the log itself.",
        ]
    elif proved.quorum:
        lines = [
            "✔ 已证明：这条记录在信息链里，见证方已签名。",
            "✔ PROVED: this entry is in the chain, and a quorum saw it.",
        ]
    else:
        lines = [
            "△ 已入账，尚未见证：见证方签名不足。",
            "△ RECORDED, NOT YET WITNESSED: too few witnesses signed.",
        ]
    lines += _before(proved)
    lines += [
        "",
        f"信息链 chain        {proved.checkpoint.origin}",
        f"编号 index          {proved.index}",
        f"截至 as of          {proved.checkpoint.size} 条记录 entries"
        + (f"，{_when(proved.witnessed_at)}" if proved.witnessed_at is not None else ""),
        f"见证 witnesses      {_seen(proved)}",
        f"内容 about          {chinese} / {english} ({act.kind})",
        f"签发 issued         {_when(act.issued_at)}  {act.organ}  {scope_zh} / {scope_en}  {act.scope}",
        f"依据 basis          {act.basis}",
    ]
    lines += [
        f"条款 term           {field_words(name)} = {value}" for name, value in sorted(act.terms.items())
    ]
    lines += [f"出示 disclosed      {field_words(d.field)} = {d.value}" for d in proved.disclosed]
    hidden = len(act.commitments) - sum(d.commitment in act.commitments for d in proved.disclosed)
    lines.append(f"未出示 not shown    {hidden} 项加盐指纹 salted commitments (decoys among them)")
    known, signed = _organ_signed(entry, proved.index, organs)
    lines += [f"签名 organ          {signed}", "", *_NOT_PROVED_ABOUT]
    return PROVED if proved.quorum and known else RECORDED, _lines(*lines)


def _seen(found: Proved | Witnessed) -> str:
    return "，".join(f"{name} {_when(at)}" for name, at in found.seen) or "—"


def _before(found: Proved | Witnessed) -> list[str]:
    """By which witnesses it holds, where others are in office by now."""
    if not found.quorum or not (change := found.changed):
        return []
    return [
        f"  按 {change.day} 之前的见证方核对：后来 {change.name} 接替了 {change.before}（第 {change.index} 条）。",
        f"  It holds under the witnesses before {change.day}, when {change.name} took the place of {change.before}"
        f" (entry {change.index}).",
    ]


def _checkpoint(data: bytes, policy: Policy) -> tuple[int, str]:
    found = verify_checkpoint(data, policy)
    if policy.asks_nobody:
        lines = [
            "✔ 信息链签过这个根。信任文件不要求见证方签名：除信息链自己以外，没有人为它作证。",
            "✔ SIGNED BY THE LOG. The trust file asks for no witness: nobody vouches for it but the log itself.",
        ]
    elif found.quorum:
        lines = [
            "✔ 已证明：信息链有这么多条时就是这个根，见证方已签名。",
            "✔ PROVED: at this size the chain has this root, and a quorum saw it.",
        ]
    else:
        lines = [
            "△ 信息链签过这个根，尚未见证：见证方签名不足。",
            "△ SIGNED BY THE LOG, NOT YET WITNESSED: too few witnesses signed.",
        ]
    lines += [
        *_before(found),
        "",
        f"信息链 chain        {found.checkpoint.origin}",
        f"截至 as of          {found.checkpoint.size} 条记录 entries",
        f"根 root             {found.checkpoint.root.hex()}",
        f"见证 witnesses      {_seen(found)}",
        "",
        "没有证明：哪一条记录在里面。那要看那一条自己的证明。",
        "Not proved: which entries are in it. That is what their own proofs are for.",
    ]
    return PROVED if found.quorum else RECORDED, _lines(*lines)


def _reading(data: bytes, policy: Policy, organs: Organs | None) -> tuple[int, str]:
    reading, proved = ReadingProof.parse(data.decode("utf-8", "replace")).verify(policy)
    assert proved.entry is not None
    code, words = _proved(proved, proved.entry, policy, organs)
    about = _lines(
        f"查阅 reading        {reading.number}  {reading.at}  {reading.organ}  {reading.pseudonym}",
        f"用途 purpose        {reading.purpose}  {reading.reason}",
        f"看了 fields         {', '.join(reading.fields)}",
        "✔ 这次查阅在上述小时汇总之内。 This reading stands in the digest below.",
        "",
    )
    return code, about + words


def _organ_signed(entry: Entry, index: int, organs: Organs | None) -> tuple[bool, str]:
    """Whether the organ's signature may be relied on as far as was asked, and the words for it.

    :raises NotSigned: see `Organs.signer_of`
    """
    if organs is None:
        return True, "没有核对（用 --organs） not checked (give --organs)"
    by = organs.signer_of(entry, index)
    if by is None:
        return False, (
            "△ 名单里没有这把钥匙，不能当作该单位的决定；名单可能旧了"
            " the list has no such key, so whose act it is, is not proved; the list may be old"
        )
    organ = by.organ
    if by.replaced is not None:
        return False, (
            f"△ {organ.called} 已被替换的公钥签名：第 {by.replaced.index} 条公布了接替的公钥，这一条在它之后。"
            "旧钥可能被盗；也可能是换钥或恢复数据库时正在办理的一件。请向该单位核实，在此之前不能当作它的决定"
            f" signed by a key of {organ.code} that was already replaced: entry {by.replaced.index} announced the next one,"
            " and this entry stands behind it. The old key may be stolen; it may also be an act under way while the key"
            " changed or the database was restored. Ask the organ, and until then do not take it for its act"
        )
    return True, (
        f"✔ {organ.called} 本单位签名，公钥在第 {organ.index} 条公布"
        f" signed by {organ.code}, key {organ.key.key_id.hex()} announced in entry {organ.index}"
    )


def _evidence(data: bytes, policy: Policy) -> tuple[int, str]:
    evidence = ForkEvidence.parse(data.decode("utf-8", "replace"))
    for log, _ in policy.logs:
        try:
            smaller, larger = evidence.verify(log)
        except (NotSigned, MalformedNote):
            continue
        return PROVED, _lines(
            f"✔ 分叉属实：{log.name} 对 {smaller.size} 条和 {larger.size} 条签了互相矛盾的检查点。",
            f"✔ THE FORK IS REAL: {log.name} signed contradicting checkpoints at {smaller.size} and {larger.size}.",
        )
    raise NotSigned("no log of the policy signed these")


def _when(at: int | None) -> str:
    if at is None:
        return "—"
    try:
        return datetime.fromtimestamp(at, _ZONE).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return str(at)


def one_file() -> bytes:
    """This program as one file that any Python with `cryptography` runs; the same bytes each time."""
    here = Path(__file__).parent
    names = [
        "cbor",
        "checkpoint",
        "disclosure",
        "entry",
        "evidence",
        "note",
        "organs",
        "policy",
        "proof",
        "reading_proof",
        "tree",
        "verify",
        "words",
    ]
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        files = {f"lianfang_chain/{name}.py": (here / f"{name}.py").read_bytes() for name in names}
        files["lianfang_chain/__init__.py"] = (here / "__init__.py").read_bytes()
        files["__main__.py"] = b"import sys\nfrom lianfang_chain.verify import main\nsys.exit(main())\n"
        for name, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name), content)
    return b"#!/usr/bin/env python3\n" + target.getvalue()


if __name__ == "__main__":
    sys.exit(main())
