"""Write the vectors again: `python vectors/chain/make.py`. Everything is derived from fixed seeds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from uuid import UUID

from lianfang_chain.cbor import NotCanonical, Tag, Value, decode, encode
from lianfang_chain.checkpoint import EMPTY_ROOT, Checkpoint, sign_checkpoint
from lianfang_chain.disclosure import Disclosure, commit, commit_officer
from lianfang_chain.entry import Act, Entry, organ_key_name, sign_entry
from lianfang_chain.evidence import ForkEvidence
from lianfang_chain.note import COSIGNATURE, ED25519, MalformedNote, Note, NotSigned, Signer, UnknownWitness
from lianfang_chain.organs import Organ, Organs
from lianfang_chain.policy import MAX_DEPTH, MalformedPolicy, Policy
from lianfang_chain.proof import (
    PaperProof,
    Proved,
    TlogProof,
    paper_proof_of,
    sheet_text_of,
    to_qr_text,
    verify_paper_proof,
    verify_tlog_proof,
)
from lianfang_chain.reading_proof import KIND, ReadingProof
from lianfang_chain.submission import AddCheckpoint
from lianfang_chain.tree import LeafList, NotProved, consistency_proof, inclusion_proof, leaf_hash, root_of
from lianfang_chain.words import shown

HERE = Path(__file__).parent
ORIGIN = "chain.demo.example/d510402"
AT = 1_581_600_000  # 2020-02-13 13:20:00 UTC
SIZES = (0, 1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 255, 256, 257, 300)


def seed(name: str) -> bytes:
    return hashlib.sha256(b"lianfang vector " + name.encode()).digest()


class Stream:
    """Reproducible "random" bytes."""

    def __init__(self, name: str) -> None:
        self.name, self.count = name, 0

    def __call__(self, n: int) -> bytes:
        self.count += 1
        return hashlib.shake_128(f"{self.name} {self.count}".encode()).digest(n)


LOG = Signer(ORIGIN, ED25519, seed("log"))
OTHER_LOG = Signer("other.example/log", ED25519, seed("other log"))
WITNESSES = [Signer(f"{ORIGIN}/{n}", COSIGNATURE, seed(n)) for n in ("residents", "property", "community")]
STRANGER = Signer("stranger.example/w", COSIGNATURE, seed("stranger"))
ORGAN = Signer(organ_key_name(ORIGIN, "cdc"), ED25519, seed("organ cdc"))
STREET = Signer(organ_key_name(ORIGIN, "street-2"), ED25519, seed("organ street-2"))
PROPERTY = Signer(organ_key_name(ORIGIN, "property"), ED25519, seed("organ property"))

WITNESS_LINES = "".join(f"witness {w.key.name.rpartition('/')[2]} {w.key}\n" for w in WITNESSES)
POLICY_TEXT = (
    f"# whom to trust for the demonstration chain\nlog {LOG.key} https://{ORIGIN}\n{WITNESS_LINES}"
    "group three 2 residents property community\nquorum three\n"
)
STRICT_TEXT = (
    f"log {LOG.key}\n{WITNESS_LINES}"
    "group offices any property community\ngroup strict all residents offices\nquorum strict\n"
)


def write(name: str, content: object) -> None:
    (HERE / name).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def an_act(number: int, prior: bytes | None = None) -> tuple[bytes, list[Disclosure], Disclosure]:
    random = Stream(f"act {number}")
    commitments = commit({"person": f"00000000-0000-7000-8000-{number:012d}", "door": "3-2-501"}, random)
    officer = commit_officer(f"officer-{number % 7}", random)
    act = Act(
        kind="orders:isolation:issued",
        act_id=UUID(bytes=random(16), version=4),
        issued_at=AT - AT % 3600 + 3600 * number,
        organ="cdc",
        scope="d510402.s510402002.c001",
        basis="传染病防治法第三十九条",
        terms={"rule": "cov-2020-02", "ends_at": "2020-02-28T16:00:00+00:00", "days": 14},
        commitments=commitments.hashes,
        prior=prior,
        officer=officer.commitment,
    )
    return sign_entry(act, ORGAN), list(commitments.disclosures.values()), officer


def notes() -> None:
    text = Checkpoint(ORIGIN, 0, EMPTY_ROOT).text
    signed = Note(text, (LOG.sign(text),))
    cosigned = signed.with_signatures(w.cosign(text, at=AT + i) for i, w in enumerate(WITNESSES))
    stranger = signed.with_signatures([STRANGER.cosign(text, at=AT)])
    with_empty_line = Note("a\n\nb\n", (LOG.sign("a\n\nb\n"),))
    log_only = [LOG.key.name]
    good = [
        {"name": "signed by the log", "note": bytes(signed).decode(), "verified": log_only},
        {
            "name": "cosigned by three",
            "note": bytes(cosigned).decode(),
            "verified": log_only + [w.key.name for w in WITNESSES],
            "times": [None, AT, AT + 1, AT + 2],
        },
        {
            "name": "a line of an unknown key is ignored",
            "note": bytes(stranger).decode(),
            "verified": log_only,
        },
        {"name": "an empty line in the text", "note": bytes(with_empty_line).decode(), "verified": log_only},
    ]
    whole = bytes(signed).decode()
    bad = [
        ("no signature", text + "\n"),
        ("no empty line", text + LOG.sign(text).line),
        ("no line feed at the end", whole[:-1]),
        ("a known key with a wrong signature", whole + WITNESSES[0].cosign(text + "x", at=AT).line),
        ("only unknown keys", f"{text}\n{STRANGER.cosign(text, at=AT).line}"),
        ("a hyphen instead of the dash", whole.replace("\u2014", "-")),
        ("a carriage return", whole.replace("\n", "\r\n")),
        ("a tab in the text", whole.replace(ORIGIN, ORIGIN + "\t", 1)),
        ("a changed text", whole.replace("\n0\n", "\n1\n")),
        ("base64 without padding", whole[:-1].rstrip("=")[:-1] + "\n"),
        ("a plus in the name", whole.replace("\u2014 chain", "\u2014 ch+ain")),
        ("an empty name", whole.replace(f"\u2014 {ORIGIN}", "\u2014 ")),
        ("a key id only", f"{text}\n\u2014 {ORIGIN} AAAAAA==\n"),
    ]
    vkey = str(LOG.key)
    write(
        "notes.json",
        {
            "known": [vkey, *(str(w.key) for w in WITNESSES)],
            "good": good,
            "bad": [{"name": name, "note": note} for name, note in bad],
            "bad_vkeys": ["", vkey[:-4], vkey.replace(LOG.key.key_id.hex(), "00000000"), "with space" + vkey],
        },
    )


def checkpoints(leaves: list[bytes]) -> None:
    tree = LeafList(leaves)
    good = []
    for size in SIZES:
        checkpoint = Checkpoint(ORIGIN, size, root_of(size, tree))
        note = sign_checkpoint(checkpoint, LOG).decode()
        good.append({"size": size, "root": checkpoint.root.hex(), "note": note})
    root = root_of(300, tree)
    valid = Checkpoint(ORIGIN, 300, root).text
    texts = [
        ("an extension line", valid + "extension\n"),
        ("a leading zero", valid.replace("\n300\n", "\n0300\n")),
        ("a sign", valid.replace("\n300\n", "\n+300\n")),
        ("other digits", valid.replace("\n300\n", "\n٣٠٠\n")),
        ("a size of more than 63 bits", valid.replace("\n300\n", f"\n{1 << 63}\n")),
        ("no origin", valid.replace(ORIGIN, "")),
        ("another origin", valid.replace(ORIGIN, "other.example/log")),
        ("a root of 31 bytes", valid.replace(valid.split("\n")[2], "A" * 42 + "==")),
        ("an empty tree with a root", valid.replace("\n300\n", "\n0\n")),
        ("two lines", f"{ORIGIN}\n300\n"),
    ]
    bad = [{"name": name, "note": f"{text}\n{LOG.sign(text).line}"} for name, text in texts]
    foreign = Checkpoint(OTHER_LOG.key.name, 300, root).text
    bad.append({"name": "another log's key", "note": f"{foreign}\n{OTHER_LOG.sign(foreign).line}"})
    write("checkpoints.json", {"log": str(LOG.key), "good": good, "bad": bad})


def proofs_of_the_tree(leaves: list[bytes]) -> None:
    tree = LeafList(leaves)
    inclusion = [
        {
            "index": index,
            "size": size,
            "leaf_hash": leaves[index].hex(),
            "root": root_of(size, tree).hex(),
            "path": [h.hex() for h in inclusion_proof(index, size, tree)],
        }
        for size in SIZES[1:]
        for index in sorted({0, size // 2, size - 1})
    ]
    consistency = [
        {
            "old": old,
            "new": new,
            "old_root": root_of(old, tree).hex(),
            "new_root": root_of(new, tree).hex(),
            "path": [h.hex() for h in consistency_proof(old, new, tree)],
        }
        for old in SIZES
        for new in SIZES
        if old <= new
    ]
    write("inclusion.json", {"entries": "leaf i is the 4-byte big-endian number i", "good": inclusion})
    write("consistency.json", {"good": consistency})


def paper() -> None:
    made = [an_act(0)]
    made += [an_act(n, leaf_hash(made[0][0]) if n == 5 else None) for n in range(1, 300)]
    entries = [entry for entry, _, _ in made]
    tree = LeafList([leaf_hash(entry) for entry in entries])
    policy, strict = Policy.parse(POLICY_TEXT), Policy.parse(STRICT_TEXT)

    def note_at(size: int, cosigners: list[Signer]) -> bytes:
        text = Checkpoint(ORIGIN, size, root_of(size, tree)).text
        note = Note(text, (LOG.sign(text),))
        return bytes(note.with_signatures(w.cosign(text, at=AT + 60 + i) for i, w in enumerate(cosigners)))

    good: list[dict[str, object]] = []
    for name, index, size, cosigners, fields, officer in [
        ("all disclosures, three witnesses", 5, 300, WITNESSES, True, True),
        ("no disclosures, two witnesses", 5, 300, WITNESSES[:2], False, False),
        ("the only entry", 0, 1, WITNESSES[1:], True, False),
        ("the last of 257", 256, 257, [WITNESSES[0], WITNESSES[2]], False, True),
        ("one witness: no quorum", 5, 300, WITNESSES[:1], False, False),
        ("no witness: no quorum", 5, 300, [], False, False),
    ]:
        told = (made[index][1] if fields else []) + ([made[index][2]] if officer else [])
        note, path = note_at(size, cosigners), inclusion_proof(index, size, tree)
        data = paper_proof_of(entries[index], told, index, path, note, policy)
        proved = verify_paper_proof(data, policy)
        good.append(
            {
                "name": name,
                "proof": data.hex(),
                "qr": to_qr_text(data),
                "index": index,
                "size": size,
                "root": proved.checkpoint.root.hex(),
                "leaf_hash": leaf_hash(entries[index]).hex(),
                "entry": Entry.parse(entries[index]).view(),
                "disclosed": {d.field: d.value for d in proved.disclosed},
                "seen": [[who, at] for who, at in proved.seen],
                "quorum": proved.quorum,
                "strict_quorum": verify_paper_proof(data, strict).quorum,
                "tlog_proof": bytes(TlogProof(index, tuple(path), note)).decode(),
            }
        )
    qr = str(good[0]["qr"])
    write(
        "paper.json",
        {
            "policy": POLICY_TEXT,
            "strict_policy": STRICT_TEXT,
            **organs(made[0][0]),
            "sheets": [
                {
                    "text": sheet_text_of(note_at(n, WITNESSES), LOG.key),
                    "size": n,
                    "root": root_of(n, tree).hex(),
                }
                for n in (1, 257, 300)
            ],
            "bad_sheets": bad_sheets(sheet_text_of(note_at(257, []), LOG.key)),
            "consistency": bytes(
                AddCheckpoint(257, tuple(consistency_proof(257, 300, tree)), note_at(300, WITNESSES))
            ).decode(),
            "checkpoint_257": note_at(257, WITNESSES).decode(),
            "checkpoint_300": note_at(300, WITNESSES).decode(),
            "good": good,
            "bad": bad_papers(PaperProof.parse(bytes.fromhex(str(good[0]["proof"])))),
            "spoof": spoof(policy),
            "shown": [[text, shown(text)] for text in UNSEEN],
            "nested": {"deepest": nested(MAX_DEPTH), "too_deep": nested(MAX_DEPTH + 1)},
            "bad_qr": ["", "LF1:" + qr[5:], qr[:-1] + "a", "LFC1::::", "LFC1:0"],
        },
    )
    entry_vectors = [
        {"bytes": e.hex(), "leaf_hash": leaf_hash(e).hex(), "view": Entry.parse(e).view()}
        for e in entries[:8]
    ]
    write("entries.json", {"organ": str(ORGAN.key), "entries": entry_vectors})


MOVED = [Signer(f"{ORIGIN}/{n}-home", COSIGNATURE, seed(n + " at home")) for n in ("residents", "property")]


def a_change(name: str, key: str, retired: str, kind: str = "ledger:policy:changed") -> bytes:
    act = Act(
        kind=kind,
        act_id=UUID(bytes=Stream(name)(16), version=4),
        issued_at=AT,
        organ="cdc",
        scope="d510402",
        basis="防疫信息链规则",
        terms={"witness": name, "vkey": key, "retired": retired},
        officer=commit_officer("officer-1", Stream(f"officer {name}")).commitment,
    )
    return sign_entry(act, ORGAN)


def moved() -> None:
    """Two parties take their witnesses home, one after the other: entries 5 and 7 of 10."""
    first = a_change("residents-2", str(MOVED[0].key), str(WITNESSES[0].key))
    second = a_change("property-2", str(MOVED[1].key), str(WITNESSES[1].key))
    entries = [an_act(n)[0] for n in range(10)]
    entries[5], entries[7] = first, second
    entries[8] = a_change("residents-2", str(MOVED[0].key), str(WITNESSES[0].key), "ledger:key:announced")
    tree = LeafList([leaf_hash(entry) for entry in entries])
    names = (
        "residents property community",
        "residents-2 property community",
        "residents-2 property-2 community",
    )
    lines = [f"witness residents-2 {MOVED[0].key}\n", f"witness property-2 {MOVED[1].key}\n"]
    said = [
        "# entry 5 of 2020-02-15: residents-2 took the place of residents\n",
        "# entry 7 of 2020-02-16: property-2 took the place of property\n",
    ]

    def text(n: int) -> str:
        return (
            f"log {LOG.key} https://{ORIGIN}\n{WITNESS_LINES}{''.join(lines[:n])}"
            f"group three 2 {names[n]}\nquorum three\n{''.join(said[:n])}"
        )

    policies = [Policy.parse(text(n)) for n in range(3)]

    def note_of(size: int, cosigners: list[Signer]) -> bytes:
        words = Checkpoint(ORIGIN, size, root_of(size, tree)).text
        note = Note(words, (LOG.sign(words),))
        return bytes(note.with_signatures(w.cosign(words, at=AT + 9) for w in cosigners))

    def paper_of(index: int, size: int, cosigners: list[Signer], policy: Policy) -> bytes:
        path = inclusion_proof(index, size, tree)
        return paper_proof_of(entries[index], (), index, path, note_of(size, cosigners), policy)

    def by_each(verify: Callable[[Policy], Proved]) -> list[object]:
        outcomes: list[object] = []
        for policy in policies:
            try:
                proved = verify(policy)
            except UnknownWitness:
                outcomes.append("unknown")
            else:
                outcomes.append([proved.quorum, proved.changed and proved.changed.index])
        return outcomes

    residents, property_, community = WITNESSES
    papers = []
    for name, size, cosigners in [
        ("before both, by the two that left", 4, [residents, property_]),
        ("the last without the first change", 5, [residents, property_]),
        ("the first with it, by one that left", 6, [residents, property_]),
        ("the first with it, by who came", 6, [MOVED[0], property_]),
        ("the last without the second change", 7, [MOVED[0], property_]),
        ("behind both, by the two that left", 10, [residents, property_]),
        ("behind both, by who came", 10, MOVED),
        ("before both, by the two that were to come", 4, MOVED),
        ("behind both, by who stayed and one that came", 10, [community, MOVED[0]]),
        ("behind both, by two that count and one more that came", 10, [property_, community, MOVED[0]]),
    ]:
        data = paper_of(1, size, cosigners, policies[2])
        file = bytes(TlogProof(1, tuple(inclusion_proof(1, size, tree)), note_of(size, cosigners)))
        papers.append(
            {
                "name": name,
                "qr": to_qr_text(data),
                "size": size,
                "by_file": by_each(partial(verify_paper_proof, data)),
                "entry": entries[1].hex(),
                "tlog_proof": file.decode(),
                "tlog_by_file": by_each(partial(verify_tlog_proof, file, leaf_hash(entries[1]))),
            }
        )
    stayed = [property_, community]
    at_seven = to_qr_text(paper_of(7, 10, [MOVED[0], community], policies[1]))
    proofs = {"5": to_qr_text(paper_of(5, 6, stayed, policies[0])), "7": at_seven}
    others = [
        {
            "name": "a key that the entry does not name",
            "policy": text(1).replace(str(MOVED[0].key), str(STRANGER.key)),
            "proofs": proofs,
        },
        {
            "name": "in the place of somebody else",
            "policy": text(1)
            .replace("2 residents-2 property ", "2 residents residents-2 ")
            .replace("of residents\n", "of property\n"),
            "proofs": proofs,
        },
        {
            "name": "at another place of the chain",
            "policy": text(1).replace("# entry 5", "# entry 6"),
            "proofs": {"6": proofs["5"]},
        },
        {
            "name": "an entry of another kind that says the same",
            "policy": text(1).replace("# entry 5", "# entry 8"),
            "proofs": {"8": to_qr_text(paper_of(8, 10, stayed, policies[0]))},
        },
        {"name": "the proof of another entry", "policy": text(2), "proofs": {**proofs, "5": at_seven}},
        {"name": "one proof is missing", "policy": text(2), "proofs": {"5": proofs["5"]}},
        {
            "name": "too few of those who stayed",
            "policy": text(2),
            "proofs": {**proofs, "5": to_qr_text(paper_of(5, 6, [community], policies[0]))},
        },
        {
            "name": "an order in place of a change",
            "policy": text(2).replace("# entry 5", "# entry 4"),
            "proofs": {**proofs, "4": to_qr_text(paper_of(4, 6, stayed, policies[0]))},
        },
        {"name": "one is enough now", "policy": text(2).replace("three 2", "three 1"), "proofs": proofs},
        {
            "name": "no quorum is asked",
            "policy": text(2).replace("quorum three", "quorum none"),
            "proofs": proofs,
        },
        {
            "name": "another log",
            "policy": text(2).replace(str(LOG.key), str(OTHER_LOG.key)),
            "proofs": proofs,
        },
        {
            "name": "a witness more that nobody mentions",
            "policy": text(2).replace("group", f"witness other {STRANGER.key}\ngroup"),
            "proofs": proofs,
        },
    ]
    write(
        "moved.json",
        {
            "policies": [text(n) for n in range(3)],
            "unsaid": text(1).replace(said[0], ""),
            "papers": papers,
            "proofs": proofs,
            "not_vouched": others,
            "bad_policies": bad_changes(text(2)),
        },
    )


def bad_changes(text: str) -> list[dict[str, str]]:
    """Trust files whose changes do not say clearly who was in office when."""
    cases = [
        ("a witness that is not there", text.replace("residents-2 took", "residents-9 took")),
        ("one in its own place", text.replace("place of residents\n", "place of residents-2\n")),
        ("one that left and counts", text.replace("group three 2 residents-2", "group three 2 residents")),
        ("out of order", text.replace("# entry 5", "# entry 8")),
        ("the same entry twice", text.replace("# entry 5", "# entry 7")),
        ("one leaves twice", text.replace("place of property\n", "place of residents\n")),
        ("one comes twice", text.replace("property-2 took", "residents-2 took")),
        ("before its witnesses", text.split("\n", 1)[1].rsplit("\n", 2)[1] + "\n" + text),
        ("two logs", f"log {OTHER_LOG.key}\n{text}"),
    ]
    for name, policy in cases:
        try:
            Policy.parse(policy)
        except MalformedPolicy:
            continue
        raise AssertionError(name)
    return [{"name": name, "policy": policy} for name, policy in cases]


def readings() -> None:
    """Three lines of the journal under the digest of their hour, as `read-proof.txt`."""
    random = Stream("readings")
    line: list[list[Value]] = [
        [1, 40 + n, random(16), random(16), random(32), "2020-02-13T13:20:00+00:00", f"officer-{n}", "c001",
         "isolation", "orders:detail", "核对住址", "phone", "address"]
        for n in range(3)
    ]  # fmt: skip
    leaves = [encode(said) for said in line]
    hashes = LeafList([leaf_hash(leaf) for leaf in leaves])

    def digest(kind: str, root: str) -> bytes:
        officer = commit_officer("sequencer", Stream("digest")).commitment
        act = Act(kind, UUID(bytes=Stream("digest")(16), version=4), AT, "cdc", "d510402", "个人信息查阅留痕规则",
                  {"root": root, "readings": 3, "hour": "2020-02-13T21"}, officer=officer)  # fmt: skip
        return sign_entry(act, ORGAN)

    def paper_of(entry: bytes) -> bytes:
        text = Checkpoint(ORIGIN, 2, root_of(2, LeafList([leaf_hash(entry), leaf_hash(b"other")]))).text
        note = Note(text, (LOG.sign(text),)).with_signatures(w.cosign(text, at=AT + 60) for w in WITNESSES)
        return paper_proof_of(entry, (), 0, (leaf_hash(b"other"),), bytes(note), Policy.parse(POLICY_TEXT))

    entry = digest(KIND, root_of(3, hashes).hex())
    good = ReadingProof(leaves[1], 1, 3, tuple(inclusion_proof(1, 3, hashes)), paper_of(entry))
    reading, _ = good.verify(Policy.parse(POLICY_TEXT))
    short = encode(line[1][:8])
    alone = digest(KIND, leaf_hash(short).hex())
    text = str(good)
    bad = [
        ("another line", str(replace(good, leaf=leaves[2]))),
        ("another place", str(replace(good, position=0))),
        ("another number of lines", str(replace(good, count=4))),
        ("another path", str(replace(good, path=(bytes(32),)))),
        ("no path", str(replace(good, path=()))),
        ("the root of another hour", str(replace(good, paper=paper_of(digest(KIND, "00" * 32))))),
        ("no root", str(replace(good, paper=paper_of(digest(KIND, "x"))))),
        (
            "an entry of another kind",
            str(replace(good, paper=paper_of(digest("audit:sample:asked", root_of(3, hashes).hex())))),
        ),
        ("a line without a reason", str(ReadingProof(short, 0, 1, (), paper_of(alone)))),
        ("two empty lines", text.replace("\n\n", "\n\n\n")),
        ("no line feed at the end", text[:-1]),
        ("a zero before the place", text.replace("\n1 3\n", "\n01 3\n")),
        ("a word behind the place", text.replace("\n1 3\n", "\n1 3 5\n")),
        ("another first line", text.replace("/v1", "/v2")),
        ("cut short", text[:-4] + "\n"),
        ("no code", text.split("\n\n", maxsplit=1)[0] + "\n"),
    ]
    for name, wrong in bad:
        try:
            ReadingProof.parse(wrong).verify(Policy.parse(POLICY_TEXT))
        except (MalformedNote, NotProved, NotCanonical):
            continue
        raise AssertionError(name)
    write(
        "readings.json",
        {
            "good": text,
            "reading": {**asdict(reading), "fields": list(reading.fields)},
            "bad": [{"name": name, "proof": wrong} for name, wrong in bad],
        },
    )


def evidence() -> None:
    """Two checkpoints of one log that no tree can both have, and pairs that one can."""
    one = LeafList([leaf_hash(n.to_bytes(4, "big")) for n in range(9)])
    two = LeafList([leaf_hash(n.to_bytes(4, "big")) for n in (*range(3), *range(90, 96))])

    def note(tree: LeafList, size: int, log: Signer = LOG) -> bytes:
        return sign_checkpoint(Checkpoint(log.key.name, size, root_of(size, tree)), log)

    def proof(tree: LeafList, old: int, new: int) -> tuple[bytes, ...]:
        return tuple(consistency_proof(old, new, tree))

    at5, at9 = root_of(5, two), root_of(9, two)
    sizes = ForkEvidence(note(one, 5), note(two, 9), at5, proof(two, 5, 9))
    good = [
        ("of one size", ForkEvidence(note(one, 9), note(two, 9), at9, ()), 9, 9),
        ("of two sizes", sizes, 5, 9),
    ]
    bad = [
        ("both may be true", str(ForkEvidence(note(two, 5), note(two, 9), at5, proof(two, 5, 9)))),
        (
            "both may be true, before they part",
            str(ForkEvidence(note(one, 3), note(two, 9), root_of(3, two), proof(two, 3, 9))),
        ),
        ("the same twice", str(ForkEvidence(note(one, 9), note(one, 9), root_of(9, one), ()))),
        ("a root that the larger tree does not have", str(replace(sizes, root=bytes(32)))),
        ("another proof", str(replace(sizes, proof=proof(one, 5, 9)))),
        ("no proof", str(replace(sizes, proof=()))),
        ("the larger one first", str(replace(sizes, smaller=sizes.larger, larger=sizes.smaller))),
        ("signed by another log", str(replace(sizes, larger=note(two, 9, OTHER_LOG)))),
        (
            "both by another log",
            str(replace(sizes, smaller=note(one, 5, OTHER_LOG), larger=note(two, 9, OTHER_LOG))),
        ),
        ("a changed root", str(sizes).replace("\n5\n", "\n4\n", 1)),
        ("no third part", str(sizes).rpartition("=" * 40)[0]),
        ("another first line", str(sizes).replace("v1", "v2", 1)),
    ]
    for name, wrong in bad:
        try:
            ForkEvidence.parse(wrong).verify(LOG.key)
        except (MalformedNote, NotSigned, NotProved):
            continue
        raise AssertionError(name)
    for _, made, smaller, larger in good:
        assert [c.size for c in made.verify(LOG.key)] == [smaller, larger]
    write(
        "evidence.json",
        {
            "good": [{"name": n, "file": str(made), "sizes": [a, b]} for n, made, a, b in good],
            "bad": [{"name": name, "file": wrong} for name, wrong in bad],
        },
    )


def bad_sheets(text: str) -> list[str]:
    """Another prefix, cut, changed, and the checkpoint of another log."""
    foreign = Checkpoint(OTHER_LOG.key.name, 257, seed("root"))
    note = f"{foreign.text}\n{OTHER_LOG.sign(foreign.text).line}".encode()
    changed = "0" if text[20] != "0" else "1"
    return [
        "LFK1:",
        "LFC1:" + text[5:],
        text[:-3],
        text[:20] + changed + text[21:],
        sheet_text_of(note, OTHER_LOG.key),
    ]


def organs(entry: bytes) -> dict[str, object]:
    """The list of organs, lists that are none, and entries that no listed key signed, or another organ's."""
    listed = Organs(
        ORIGIN,
        (
            Organ("cdc", ORGAN.key, 0, "东区疾病预防控制中心", "Disease control centre, East District"),
            Organ("street-2", STREET.key, 1),  # announced before there were names
            Organ("property", PROPERTY.key, 2, "禾木物业 三期"),
        ),
    )
    plain = f"organ cdc {ORGAN.key} 3"
    good = listed.signed(LOG).decode()
    checkpoint = Checkpoint(ORIGIN, 0, EMPTY_ROOT)
    texts = [
        ("a checkpoint", checkpoint.text),
        ("a line of three words", f"{listed.text}organ cdc {ORGAN.key}\n"),
        ("another word", f"{listed.text}witness cdc {ORGAN.key} 0\n"),
        ("an empty line", listed.text.replace("\norgan", "\n\norgan", 1)),
        ("the key of another name", f"{listed.text}organ police {ORGAN.key} 5\n"),
        ("an index with a zero before it", f"{listed.text}organ cdc {ORGAN.key} 01\n"),
        ("a space and no name", f"{listed.text}{plain} \n"),
        ("two spaces before the name", f"{listed.text}{plain}  CDC\n"),
        ("a space behind the name", f"{listed.text}{plain} CDC \n"),
        ("no English behind the line", f"{listed.text}{plain} CDC |\n"),
        ("no Chinese before the line", f"{listed.text}{plain} | CDC\n"),
        ("three names", f"{listed.text}{plain} CDC | CDC | CDC\n"),
        ("a line within a name", f"{listed.text}{plain} C|DC\n"),
        ("the list of another log", Organs(OTHER_LOG.key.name, ()).text),
    ]
    act = Entry.parse(entry).act
    return {
        "organs": good,
        "organs_listed": [[o.code, o.index, o.name, o.name_en] for o in listed.organs],
        "succession": succession(listed, entry),
        "shorter_organs": Organs(ORIGIN, listed.organs[1:2]).signed(LOG).decode(),
        "bad_organs": [
            *({"name": name, "list": f"{text}\n{LOG.sign(text).line}"} for name, text in texts),
            {"name": "not signed by the log", "list": listed.signed(STREET).decode()},
            {"name": "a line added afterwards", "list": good.replace("street-2", "street-3", 1)},
        ],
        "unknown_signer": sign_entry(act, Signer(ORGAN.key.name, ED25519, seed("nobody's"))).hex(),
        "wrong_signers": [
            {"name": "another organ's key", "entry": sign_entry(act, STREET).hex()},
            {"name": "a signature that is wrong", "entry": flipped(entry).hex()},
        ],
    }


def succession(listed: Organs, entry: bytes) -> dict[str, object]:
    """Two more keys of one organ, and from which place on an entry by the first is by one that was replaced."""
    keys = [Signer(ORGAN.key.name, ED25519, seed(f"organ cdc {n}")).key for n in (2, 3)]
    # The order of the lines says nothing, their indexes do.
    longer = replace(
        listed, organs=(*listed.organs, Organ("cdc", keys[1], 100), Organ("cdc", keys[0], 4, "东区疾控"))
    )
    parsed = Entry.parse(entry)
    cases = []
    for index in (0, 3, 4, 5, 100, 101, 256):
        found = longer.signer_of(parsed, index)
        assert found is not None
        assert found.organ == listed.organs[0]
        cases.append([index, found.replaced and found.replaced.index])
    return {"organs": longer.signed(LOG).decode(), "entry": entry.hex(), "cases": cases}


#: What a terminal would obey or would not show, and what people write.
UNSEEN = (
    "一行\n✔ 另一行",
    "a\r\nb\rc\vd\fe\x85f\u2028g\u2029h",
    "\x1b[2J\x1b[H清屏",
    "\x00\t\x7f\x9b31m",
    "\u202e倒着\u202c \u2066x\u2069 \u200e\u200f \ufeff \u200d \u00ad \U000e0041",
    "传染病防治法 第三十九条　（2013） · é ñ 😀 \ue000",
)


def nested(depth: int) -> str:
    groups = "".join(f"group g{n} all {f'g{n - 1}' if n else 'residents'}\n" for n in range(depth))
    return f"log {LOG.key}\n{WITNESS_LINES}{groups}quorum g{depth - 1}\n"


def spoof(policy: Policy) -> str:
    """A paper that is right in all, whose writer would have the verifier say more than that."""
    random = Stream("spoof")
    told = commit(
        {"text": "我不同意\n签名 organ          ✔ 疾控 (cdc) 本单位签名\x1b[2J\x1b[H✔ 已证明"}, random
    )
    act = Act(
        kind="orders:appeal:raised",
        act_id=UUID(bytes=random(16), version=4),
        issued_at=AT,
        organ="cdc",
        scope="d510402.s510402002.c001",
        basis="\u202e依据\n截至 as of          9 条记录 entries",
        terms={"why": "\u2029✔ 已证明\r✔ PROVED"},
        commitments=told.hashes,
        officer=commit_officer("officer-1", random).commitment,
    )
    data = sign_entry(act, ORGAN)
    checkpoint = Checkpoint(ORIGIN, 1, leaf_hash(data))
    note = Note(checkpoint.text, (LOG.sign(checkpoint.text),))
    cosigned = note.with_signatures(w.cosign(checkpoint.text, at=AT + 60) for w in WITNESSES)
    shown_of_it = [d for d in told.disclosures.values() if d.field == "text"]
    return to_qr_text(paper_proof_of(data, shown_of_it, 0, [], bytes(cosigned), policy))


def flipped(data: bytes) -> bytes:
    return data[:-1] + bytes((data[-1] ^ 1,))


def bad_papers(base: PaperProof) -> list[dict[str, str]]:
    def with_(**changes: object) -> str:
        fields = {name: getattr(base, name) for name in base.__slots__}
        return bytes(PaperProof(**{**fields, **changes})).hex()

    first, second = base.cosignatures[:2]
    stranger = STRANGER.sign_bytes(b"x")
    whole = bytes(base)
    items = decode(whole)
    assert isinstance(items, list)
    cases = [
        ("another entry's signature byte", with_(entry=flipped(base.entry))),
        ("index one lower", with_(index=base.index - 1)),
        ("size one larger", with_(size=base.size + 1)),
        ("index behind the size", with_(index=base.size)),
        ("a path hash changed", with_(path=(flipped(base.path[0]), *base.path[1:]))),
        ("a path hash missing", with_(path=base.path[:-1])),
        ("a path hash too many", with_(path=(*base.path, base.path[0]))),
        ("path in reverse", with_(path=base.path[::-1])),
        ("log signature changed", with_(log_signature=flipped(base.log_signature))),
        ("a cosignature changed", with_(cosignatures=((first[0], first[1], flipped(first[2])), second))),
        ("a cosignature's time changed", with_(cosignatures=((first[0], first[1] + 1, first[2]), second))),
        ("one witness twice", with_(cosignatures=(first, first))),
        ("one witness as another", with_(cosignatures=(first, (2, first[1], first[2])))),
        ("a witness that is not in the policy", with_(cosignatures=(first, (4, first[1], stranger)))),
        (
            "a witness that is not in the policy, and a wrong one behind it",
            with_(cosignatures=(first, (4, first[1], stranger), (2, first[1], first[2]))),
        ),
        ("witness number 0", with_(cosignatures=(first, (0, second[1], second[2])))),
        ("a disclosure of another value", with_(disclosures=(flipped(base.disclosures[0]),))),
        ("a disclosure twice", with_(disclosures=(base.disclosures[0], base.disclosures[0]))),
        ("a trailing byte", whole.hex() + "00"),
        ("cut short", whole.hex()[:-2]),
        ("empty", ""),
        ("version 2", encode([2, *items[1:]]).hex()),
        ("a true for version 1", encode([True, *items[1:]]).hex()),
        ("a longer head", (whole[:1] + b"\x18\x01" + whole[2:]).hex()),
    ]
    return [{"name": name, "proof": proof} for name, proof in cases]


def cbor() -> None:
    values: list[Value] = [0, 23, 24, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**63, 2**64 - 1]
    values += [-1, -24, -25, -(2**64), "", "a", "攀枝花", "𠮷", b"", b"\x00\xff", [], [1, [2, []]], {}]
    values += [{24: 0, -1: 0, "a": 0, b"a": 0, 1: 0}, None, True, False, Tag(18, [b"", {}, None])]
    bad = [
        "-",
        "18",
        "1817",
        "190018",
        "1a0000ffff",
        "1b00000000ffffffff",
        "580161",
        "0000",
        "5f4100ff",
        "9fff",
        "bfff",
        "f93c00",
        "fb3ff0000000000000",
        "f7",
        "f814",
        "ff",
        "a201010102",
        "a202010101",
        "a22001181801",
        "a1f500",
        "a18000",
        "6365cc81",
        "61ff",
        "63eda080",
        "5bffffffffffffffff00",
        "9bffffffffffffffff00",
        "bbffffffffffffffff00",
    ]
    bad[0] = ""
    bad.append("81" * 40 + "80")
    for item in bad:
        try:
            decode(bytes.fromhex(item))
        except NotCanonical:
            continue
        raise AssertionError(item)
    write("cbor.json", {"good": [encode(v).hex() for v in values], "bad": bad})


def main() -> None:
    leaves = [leaf_hash(n.to_bytes(4, "big")) for n in range(300)]
    cbor()
    notes()
    checkpoints(leaves)
    proofs_of_the_tree(leaves)
    paper()
    moved()
    readings()
    evidence()


if __name__ == "__main__":
    main()
