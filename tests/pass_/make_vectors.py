"""Write `vectors/pass/*.json` from fixed keys and instants: `python -m tests.pass_.make_vectors`.

Signatures and seals are deterministic here, so the files are the same on every run; a test compares them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lianfang_chain import cbor
from lianfang_pass import (
    base45,
    clock_floor,
    cose,
    evidence,
    numbers,
    passages,
    rules,
    scan,
    sealing,
    statuslist,
    tokens,
)
from lianfang_pass.errors import Rejected
from lianfang_pass.keylist import KeyList, ListedKey, Purpose, accept_key_list, sign_key_list
from lianfang_pass.keys import PublicKey
from lianfang_pass.situation import Movement, Slip, Status
from lianfang_pass.statuslist import Change, ListStatus, ShardState
from lianfang_pass.tokens import Flag, Pass, PassClass, SlipClaims, SlipKind
from lianfang_pass.verdict import Verdict

from . import theirs, world
from .world import DAY, HOME, HOUR, KEY_LIST, KEYS, NOON, URI

FOLDER = Path(__file__).parents[2] / "vectors" / "pass"
Case = dict[str, Any]
SIZE = 100_000


# --- in and out of JSON -------------------------------------------------------------------------------------


def loose(data: Any, max_bytes: int = 10**6) -> Any:
    """Decode where the caller knows the shape."""
    return cbor.decode(data, max_bytes=max_bytes)


def pass_json(p: Pass) -> Case:
    return {
        "cti": p.cti.hex(),
        "issued_at": p.issued_at,
        "not_before": p.not_before,
        "expires_at": p.expires_at,
        "list_uri": p.list_uri,
        "index": p.index,
        "class": p.kind.value,
        "zones": list(p.zones),
        "flags": int(p.flags),
        **identity_json(p.identity),
        "holder_key": p.holder_key.point().hex() if p.holder_key else None,
    }


def identity_json(i: tokens.Identity) -> Case:
    return {
        "door": i.door,
        "member_no": i.member_no,
        "initials": i.initials,
        "birth_year": i.birth_year,
    }


def slip_json(s: SlipClaims) -> Case:
    return {
        "cti": s.cti.hex(),
        "kind": s.kind.value,
        "issued_at": s.issued_at,
        "not_before": s.not_before,
        "expires_at": s.expires_at,
        "order_no": s.order_no,
        **identity_json(s.identity),
        "start": s.start,
        "end": s.end,
    }


def shard_json(state: ShardState, probe: list[int]) -> Case:
    rows: Case = {}
    for index in probe:
        row = state.row(index)
        rows[str(index)] = None if row is None else {"status": int(row.status), "end": row.end}
    return {"version": state.version, "signed_at": state.signed_at, "rows": rows}


def keys_json() -> Case:
    return {
        "root": PublicKey.of(world.ROOT).point().hex(),
        "root_thumbprint": PublicKey.of(world.ROOT).thumbprint.hex(),
        "list": world.KEYS_BYTES.hex(),
    }


def outcome_of(read: Any) -> str:
    try:
        read()
    except Rejected:
        return "refused"
    return "ok"


# --- forms that must be refused -----------------------------------------------------------------------------


def resigned(token: bytes, key: Any, *, protected: Any = None, payload: Any = None) -> bytes:
    """The token with changed headers or claims, signed again: only strict reading can refuse it."""
    parts = loose(token).value
    head, body = loose(parts[0]), loose(parts[2])
    head.pop(cose.ALG)
    return cose.sign1(
        {**head, **(protected or {})}, {**body, **payload} if isinstance(payload, dict) else body, key=key
    )


def raw_sign1(
    head: bytes, body: bytes, key: Any, *, unprotected: bytes = b"\xa0", tag: bytes = b"\xd2"
) -> bytes:
    """A COSE_Sign1 put together byte by byte, with a good signature over whatever bytes are given."""
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    to_sign = cbor.encode(["Signature1", head, b"", body])
    r, s = decode_dss_signature(key.sign(to_sign, cose._ECDSA))
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return tag + b"\x84" + cbor.encode(head) + unprotected + cbor.encode(body) + cbor.encode(signature)


def refused_tokens(good: bytes, key: Any, lf: Any) -> list[tuple[str, bytes]]:
    parts = loose(good).value
    head, body, signature = parts[0], parts[2], parts[3]
    claims = loose(body)
    pairs = b"".join(cbor.encode(k) + cbor.encode(v) for k, v in claims.items())
    count = len(claims)
    first = next(iter(claims))
    twice = cbor.encode(first) + cbor.encode(claims[first])
    kid = PublicKey.of(key).kid
    cases = [
        ("untagged", good[1:]),
        ("tag 17", b"\xd1" + good[1:]),
        ("tag 61 outside", b"\xd8\x3d" + good),
        ("a byte behind", good + b"\x00"),
        ("cut by one byte", good[:-1]),
        ("unprotected map not empty", raw_sign1(head, body, key, unprotected=b"\xa1\x04\x41\x00")),
        ("claims of indefinite length", raw_sign1(head, b"\xbf" + pairs + b"\xff", key)),
        ("a claim twice", raw_sign1(head, bytes([0xA0 + count + 1]) + twice + pairs, key)),
        (
            "claims in another order",
            raw_sign1(head, bytes([0xA0 + count]) + pairs[len(twice) :] + twice, key),
        ),
        ("iss with a long head", raw_sign1(head, body.replace(b"\x01\x62LF", b"\x01\x78\x02LF", 1), key)),
        ("alg -8", raw_sign1(cbor.encode({1: -8, 4: kid}), body, key)),
        ("alg -35", raw_sign1(cbor.encode({1: -35, 4: kid}), body, key)),
        ("no kid", raw_sign1(cbor.encode({1: -7}), body, key)),
        ("another header", raw_sign1(cbor.encode({1: -7, 4: kid, 3: 61}), body, key)),
        ("another issuer", resigned(good, key, payload={1: "XX"})),
        ("an unknown claim", resigned(good, key, payload={-65600: 1})),
        ("an unknown field", resigned(good, key, payload={-65537: {**lf, 99: 1}})),
        ("exp as text", resigned(good, key, payload={4: "soon"})),
        ("exp as a boolean", resigned(good, key, payload={4: True})),
        ("exp before iat", resigned(good, key, payload={4: 1})),
        ("cti of seven bytes", resigned(good, key, payload={7: b"1234567"})),
        ("a key of another purpose", resigned(good, KEYS[Purpose.RECEIPT])),
        ("a key of nobody", resigned(good, world.STRANGER)),
        ("a signature of 63 bytes", good[: -len(signature) - 2] + cbor.encode(signature[:-1])),
        ("a signature of zeros", good[:-64] + bytes(64)),
    ]
    # One bit of the kid changed, the signature made over it: the key is unknown.
    wrong = bytes([kid[0] ^ 1]) + kid[1:]
    return [*cases, ("a kid of nobody", raw_sign1(cbor.encode({1: -7, 4: wrong}), body, key))]


# --- the files ----------------------------------------------------------------------------------------------


def base45_file() -> Case:
    good = [b"", b"AB", b"Hello!!", b"base-45", b"ietf!", bytes(range(64)), b"\xff", b"\xff\xff"]
    bad = ["GGW", ":::", "A", "a00", "::", "ABCD", "0 0\n", "é00", "\u212a00"]
    return {
        "about": "Base45 without prefix. AB, Hello!!, base-45 and ietf! are the examples of RFC 9285 section 4; "
        "GGW and the like its errors.",
        "cases": [
            *({"text": base45.encode(data), "expect": "ok", "bytes": data.hex()} for data in good),
            *({"text": text, "expect": "refused"} for text in bad),
        ],
    }


def numbers_file() -> Case:
    typed = []
    for serial in (0, 1, 12_345_678, 99_999_999, 40_000_123):
        number = numbers.pass_number(serial)
        for text in (number, number.replace("-", ""), f" {number[:4]} {number[4:]} "):
            typed.append({"text": text, "expect": "ok", "number": number})
    good = numbers.pass_number(12_345_678)
    swapped = good[1] + good[0] + good[2:]
    bad = [swapped, "12345678-00", "1234567-90", "", "12345678", "１２３４５６７８-90", good + "0"]
    for at in range(8):
        bad.append(good[:at] + str((int(good[at]) + 1) % 10) + good[at + 1 :])
    return {
        "about": "Typed pass numbers: eight digits and two check digits (ISO 7064 MOD 97-10); dashes and spaces "
        "may be left out or added.",
        "cases": [*typed, *({"text": text, "expect": "refused"} for text in bad)],
    }


def passes_file() -> Case:
    claims = {
        "a paper pass": world.a_pass(),
        "a paper pass that begins later": world.a_pass(not_before=NOON + DAY),
        "a household pass without member, year": world.a_pass(
            kind=PassClass.HOUSEHOLD,
            identity=tokens.Identity("1-1-201", None, "王", None),
            zones=(HOME, "m2"),
        ),
        "a worker not yet cleared": world.a_pass(
            kind=PassClass.WORKER, flags=Flag.PAPER | Flag.NOT_CLEARED | Flag.PROXY, zones=("m77",)
        ),
        "a phone pass": world.a_phone_pass(),
        "a phone pass with a soft key": world.a_phone_pass(flags=Flag.SOFT_KEY, index=2**32 - 1),
    }
    cases: list[Case] = []
    for name, claim in claims.items():
        token = world.pass_token(claim)
        cases.append(
            {
                "name": name,
                "token": token.hex(),
                "text": base45.to_text(token),
                "expect": "ok",
                "pass": pass_json(claim),
            }
        )
    good = world.pass_token(world.a_pass())
    esp = loose(good).value
    kid = PublicKey.of(KEYS[Purpose.PASS]).kid
    cases.append(
        {
            "name": "alg -9",
            "token": raw_sign1(cbor.encode({1: -9, 4: kid}), esp[2], KEYS[Purpose.PASS]).hex(),
            "expect": "ok",
            "pass": pass_json(world.a_pass()),
        }
    )
    lf = loose(esp[2])[-65537]
    refused = refused_tokens(good, KEYS[Purpose.PASS], lf)
    key = KEYS[Purpose.PASS]
    refused += [
        ("longer than 31 days", resigned(good, key, payload={4: NOON + 22 * DAY + 1})),
        ("no paper mark and no holder key", resigned(good, key, payload={-65537: {**lf, 6: 0}})),
        ("an unknown class", resigned(good, key, payload={-65537: {**lf, 1: "Z"}})),
        ("an unknown flag", resigned(good, key, payload={-65537: {**lf, 6: 17}})),
        (
            "an index of more than 32 bits",
            resigned(good, key, payload={65535: {"status_list": {"idx": 2**32, "uri": URI}}}),
        ),
        (
            "a second status",
            resigned(good, key, payload={65535: {"status_list": {"idx": 1, "uri": URI}, "x": 1}}),
        ),
    ]
    for name, token in refused:
        cases.append({"name": name, "token": token.hex(), "expect": "refused"})
    return {
        "about": "Passes. ok = of the right form and signed by a key of purpose `pass` in `keys` that is valid at "
        "the pass's iat. Dates against now are not judged here.",
        "keys": keys_json(),
        "cases": cases,
    }


def codes_file() -> Case:
    phone = world.pass_token(world.a_phone_pass())
    paper = world.pass_token(world.a_pass())
    good = tokens.sign_code(phone, at=NOON, key=world.HOLDER)
    ok = {
        "a rotating code": good,
        "with a nonce of the gate": tokens.sign_code(phone, at=NOON, key=world.HOLDER, nonce=b"gate-nonce-1"),
    }
    inner = loose(phone)
    bad = {
        "signed by another phone": tokens.sign_code(phone, at=NOON, key=world.STRANGER),
        "around a paper pass": tokens.sign_code(paper, at=NOON, key=world.HOLDER),
        "another type": cose.sign1({13: inner, 16: 293}, {3: "LF", 6: NOON}, key=world.HOLDER),
        "another audience": cose.sign1({13: inner, 16: 294}, {3: "XX", 6: NOON}, key=world.HOLDER),
        "another claim": cose.sign1({13: inner, 16: 294}, {3: "LF", 6: NOON, 4: NOON}, key=world.HOLDER),
        "a kid as well": cose.sign1({13: inner, 16: 294, 4: b"abcd"}, {3: "LF", 6: NOON}, key=world.HOLDER),
        "the pass untagged": cose.sign1({13: inner.value, 16: 294}, {3: "LF", 6: NOON}, key=world.HOLDER),
        "the pass by nobody": tokens.sign_code(
            tokens.sign_pass(world.a_phone_pass(), key=world.STRANGER), at=NOON, key=world.HOLDER
        ),
        "the code of one pass around another": tokens.sign_code(
            world.pass_token(world.a_phone_pass(holder_key=PublicKey.of(world.STRANGER))),
            at=NOON,
            key=world.HOLDER,
        ),
    }
    return {
        "about": "Rotating codes. ok = pass and holder signatures both good; `signed_at` is the phone's instant.",
        "keys": keys_json(),
        "cases": [
            *(
                {
                    "name": name,
                    "token": token.hex(),
                    "text": base45.to_text(token),
                    "expect": "ok",
                    "signed_at": NOON,
                    "pass": pass_json(world.a_phone_pass()),
                }
                for name, token in ok.items()
            ),
            *({"name": name, "token": token.hex(), "expect": "refused"} for name, token in bad.items()),
        ],
    }


def slips_file() -> Case:
    cases: list[Case] = []
    for kind in SlipKind:
        claims = world.a_slip(kind)
        token = world.slip_token(claims)
        cases.append(
            {
                "name": kind.name.lower(),
                "token": token.hex(),
                "text": base45.to_text(token),
                "expect": "ok",
                "slip": slip_json(claims),
            }
        )
    good = world.slip_token(world.a_slip())
    cases.append(
        {
            "name": "a release written by another implementation",
            "token": theirs.written(good, KEYS[Purpose.SLIP]).hex(),
            "expect": "ok",
            "slip": slip_json(world.a_slip()),
        }
    )
    body = loose(loose(good).value[2])
    lf = body[-65537]
    key = KEYS[Purpose.SLIP]
    refused = refused_tokens(good, key, lf)
    refused += [
        ("a release before the end", resigned(good, key, payload={5: NOON})),
        ("an end before the start", resigned(good, key, payload={-65537: {**lf, 9: lf[10]}})),
        ("an unknown kind", resigned(good, key, payload={-65537: {**lf, 7: "Q"}})),
        ("signed with the key of passes", resigned(good, KEYS[Purpose.PASS])),
    ]
    cases += [{"name": name, "token": token.hex(), "expect": "refused"} for name, token in refused]
    return {
        "about": "Slips: release, lift, order. ok = of the right form and signed by a key of purpose `slip`.",
        "keys": keys_json(),
        "cases": cases,
    }


def keylist_file() -> Case:
    root, thumb = world.ROOT, PublicKey.of(world.ROOT).thumbprint
    old = world.listed()
    stolen = ListedKey(old[0].key, old[0].purpose, old[0].not_before, old[0].expires_at, NOON - HOUR)
    withdrawn = sign_key_list([stolen, *old[1:]], version=4, at=NOON, root=root)
    back = sign_key_list(old, version=5, at=NOON + HOUR, root=root)
    unknown = [*old, ListedKey(PublicKey.of(world.STRANGER), "future-purpose", NOON, NOON + DAY)]
    steps: list[tuple[str, bytes, str]] = [
        ("the first list", world.KEYS_BYTES, "ok"),
        ("the same again", world.KEYS_BYTES, "ok"),
        ("an older version", sign_key_list(old, version=2, at=NOON, root=root), "refused"),
        (
            "the same version with other content",
            sign_key_list(old[1:], version=3, at=NOON, root=root),
            "refused",
        ),
        ("another root key", sign_key_list(old, version=9, at=NOON, root=world.STRANGER), "refused"),
        (
            "an unknown format",
            resigned(world.KEYS_BYTES, root, payload={-65538: 9, -65541: {1: 2, 2: []}}),
            "refused",
        ),
        ("an unknown field", resigned(world.KEYS_BYTES, root, payload={-65538: 9, -65600: 0}), "refused"),
        ("another type", resigned(world.KEYS_BYTES, root, protected={16: "application/x"}), "refused"),
        ("a key withdrawn", withdrawn, "ok"),
        ("the withdrawn key listed again: accepted, and still withdrawn", back, "ok"),
        ("a purpose nobody knows yet", sign_key_list(unknown, version=6, at=NOON + HOUR, root=root), "ok"),
        (
            "written by another implementation",
            theirs.written(sign_key_list(old, version=7, at=NOON + HOUR, root=root), root),
            "ok",
        ),
    ]
    held: KeyList | None = None
    cases = []
    kid = old[0].key.kid
    for name, data, expect in steps:
        case: Case = {"name": name, "list": data.hex(), "expect": expect}
        if expect == "ok":
            held = accept_key_list(data, root=PublicKey.of(root), thumbprint=thumb, held=held)
            case |= {
                "version": held.version,
                "issued_at": held.issued_at,
                "expires_at": held.expires_at,
                "keys": len(held.keys),
                "withdrawn": sorted(print_.hex() for print_ in held.withdrawn),
                "pass_key_usable": bool(list(held.candidates(kid, Purpose.PASS, signed_at=NOON))),
            }
        cases.append(case)
    return {
        "about": "Key lists taken one after another by one device. `pass_key_usable`: whether the first key may "
        "still verify a pass signed at `at`.",
        "root": PublicKey.of(root).point().hex(),
        "root_thumbprint": thumb.hex(),
        "at": NOON,
        "cases": cases,
    }


def example_shard() -> tuple[dict[int, ListStatus], dict[int, int | None]]:
    statuses = {
        3: ListStatus.INVALID,
        7: ListStatus.REFER,
        4711: ListStatus.SUSPENDED,
        4712: ListStatus.SUSPENDED,
        99_999: ListStatus.SUSPENDED,
    }
    ends: dict[int, int | None] = {4711: 1_581_609_600, 4712: None, 99_999: NOON + 90 * 60}
    return statuses, ends


def whole(version: int, at: int, *, uri: str = URI) -> tuple[bytes, bytes]:
    statuses, ends = example_shard()
    key = KEYS[Purpose.STATUSLIST]
    bits = statuslist.pack(statuses, SIZE)
    return (
        statuslist.sign_list(bits, uri=uri, version=version, at=at, key=key),
        statuslist.sign_until(ends, uri=uri, version=version, at=at, key=key),
    )


def delta(
    changes: list[Change], begins: int, ends: int, at: int, *, uri: str = URI, key: Any = None
) -> bytes:
    return statuslist.sign_delta(
        changes, uri=uri, from_version=begins, to_version=ends, at=at, key=key or KEYS[Purpose.DELTA]
    )


def lists_file() -> Case:
    probe = [0, 3, 7, 4711, 4712, 4713, 99_999, 100_000, 100_003, 2**31]
    first, first_until = whole(17, NOON - 12 * HOUR)
    later, later_until = whole(19, NOON)
    lifted = [Change(4711, ListStatus.VALID), Change(4713, ListStatus.SUSPENDED, 1_581_609_600)]
    grown = [Change(100_001, ListStatus.SUSPENDED, None), Change(100_003, ListStatus.INVALID)]
    key = KEYS[Purpose.STATUSLIST]
    ok_delta = delta(lifted, 17, 18, NOON - HOUR)
    steps: list[tuple[str, str, list[bytes], str]] = [
        ("a delta before any list", "delta", [ok_delta], "refused"),
        ("list and until list", "list", [first, first_until], "ok"),
        ("the same again", "list", [first, first_until], "refused"),
        ("a list and the until list of another version", "list", [later, first_until], "refused"),
        ("a list of another shard", "list", list(whole(20, NOON, uri=world.OTHER_URI)), "refused"),
        (
            "a list signed with the key of deltas",
            "list",
            [resigned(later, KEYS[Purpose.DELTA]), later_until],
            "refused",
        ),
        (
            "one bit per index",
            "list",
            [resigned(later, key, payload={65533: {"bits": 1, "lst": b"x"}}), later_until],
            "refused",
        ),
        (
            "not zlib",
            "list",
            [resigned(later, key, payload={65533: {"bits": 2, "lst": b"x"}}), later_until],
            "refused",
        ),
        ("an unknown claim", "list", [resigned(later, key, payload={-65600: 1}), later_until], "refused"),
        (
            "until list of an unknown format",
            "list",
            [later, resigned(later_until, key, payload={-65540: {1: 2, 2: 0, 3: b""}})],
            "refused",
        ),
        ("a delta", "delta", [ok_delta], "ok"),
        ("the same delta again", "delta", [ok_delta], "refused"),
        ("a delta over a gap", "delta", [delta(grown, 19, 20, NOON)], "refused"),
        ("a delta backwards", "delta", [delta(grown, 18, 17, NOON)], "refused"),
        ("a delta of another shard", "delta", [delta(grown, 18, 19, NOON, uri=world.OTHER_URI)], "refused"),
        ("a delta signed with the key of lists", "delta", [delta(grown, 18, 19, NOON, key=key)], "refused"),
        (
            "a delta that ends inside a number",
            "delta",
            [resigned(ok_delta, KEYS[Purpose.DELTA], payload={-65539: {1: 1, 2: 18, 3: 19, 4: b"\x80"}})],
            "refused",
        ),
        (
            "a delta with a number in a longer form",
            "delta",
            [resigned(ok_delta, KEYS[Purpose.DELTA], payload={-65539: {1: 1, 2: 18, 3: 19, 4: b"\x80\x00"}})],
            "refused",
        ),
        ("a delta beyond the list", "delta", [delta(grown, 18, 19, NOON - 60)], "ok"),
        ("a whole list after deltas, not newer", "list", [later, later_until], "refused"),
        ("an older list", "list", [first, first_until], "refused"),
        ("a newer list", "list", list(whole(21, NOON + HOUR)), "ok"),
        (
            "both lists written by another implementation",
            "list",
            [theirs.written(data, key) for data in whole(22, NOON + 2 * HOUR)],
            "ok",
        ),
        (
            "a delta written by another implementation",
            "delta",
            [theirs.written(delta(lifted, 22, 23, NOON + 2 * HOUR), KEYS[Purpose.DELTA])],
            "ok",
        ),
    ]
    held: ShardState | None = None
    cases = []
    for name, kind, data, expect in steps:
        case: Case = {"name": name, "kind": kind, "expect": expect}
        case |= (
            {"list": data[0].hex(), "until": data[1].hex()} if kind == "list" else {"delta": data[0].hex()}
        )
        if expect == "ok":
            if kind == "list":
                held = statuslist.accept_list(*data, uri=URI, keys=KEY_LIST, held=held)
            else:
                assert held is not None
                held = statuslist.accept_delta(data[0], keys=KEY_LIST, held=held)
            case["held"] = shard_json(held, probe)
        cases.append(case)
    return {
        "about": "Status files taken one after another by one device for one shard; what is refused changes "
        "nothing. `held.rows`: index to status (0 VALID, 1 INVALID, 2 SUSPENDED, 3 REFER) and end; null = the list "
        "does not reach so far.",
        "keys": keys_json(),
        "uri": URI,
        "cases": cases,
    }


def evidence_file() -> Case:
    end = world.a_slip().end
    order, release = world.a_slip(SlipKind.ORDER), world.a_slip(SlipKind.RELEASE)
    lift = world.a_slip(SlipKind.LIFT)
    newer = world.a_slip(
        SlipKind.ORDER,
        issued_at=end - DAY,
        start=end,
        not_before=end,
        end=end + 10 * DAY,
        expires_at=end + 41 * DAY,
    )
    suspended, valid = ListStatus.SUSPENDED, ListStatus.VALID
    during, after = NOON, end + HOUR
    row = evidence.ListRow
    asked: list[tuple[str, int, Any, int | None, bool, list[SlipClaims]]] = [
        ("nothing at all", during, None, None, False, []),
        ("a fresh list, valid", during, row(valid, None, during - 60), during - 10 * DAY, False, []),
        ("a list of exactly 24 h", during, row(valid, None, during - DAY), during - 10 * DAY, False, []),
        ("a list of 24 h and a second", during, row(valid, None, during - DAY - 1), during - 10 * DAY, False, []),
        ("a list of exactly 72 h", during, row(valid, None, during - 3 * DAY), during - 10 * DAY, False, []),
        ("a list of 72 h and a second", during, row(valid, None, during - 3 * DAY - 1), during - 10 * DAY, False, []),
        ("suspended, a second before the end", end - 1, row(suspended, end, during), during - 10 * DAY, False, []),
        ("suspended, at the end", end, row(suspended, end, during), during - 10 * DAY, False, []),
        ("suspended without end", during, row(suspended, None, during), during - 10 * DAY, False, []),
        ("invalid", during, row(ListStatus.INVALID, None, during), during - 10 * DAY, False, []),
        ("refer", during, row(ListStatus.REFER, None, during), during - 10 * DAY, False, []),
        ("the list does not reach so far", during, row(None, None, during), during - 10 * DAY, False, []),
        ("a phone pass newer than the list", during, row(suspended, end, during - DAY), during - HOUR, True, []),
        ("a paper pass newer than the list", during, row(suspended, end, during - DAY), during - HOUR, False, []),
        ("a phone pass and no list", during, None, during - HOUR, True, []),
        ("a phone pass older than the list", during, row(suspended, end, during), during - HOUR, True, []),
        ("release slip before the end", end - 1, row(suspended, end, during), during - 10 * DAY, False, [release]),
        ("release slip at the end, no list", end, None, None, False, [release]),
        ("release slip, list from before the order", after, row(valid, None, release.issued_at - DAY), release.issued_at - DAY, False, [release]),
        ("release slip, list says the same order", after, row(suspended, end, during), during - 10 * DAY, False, [release]),
        ("release slip, a newer list with a later end", after, row(suspended, end + DAY, during), during - 10 * DAY, False, [release]),
        ("release slip, an older list with a later end", after, row(suspended, end + DAY, release.issued_at - 1), during - 10 * DAY, False, [release]),
        ("release slip, a newer list without end", after, row(suspended, None, during), during - 10 * DAY, False, [release]),
        ("release slip and a newer order slip", after, None, None, False, [release, newer]),
        ("release slip and a newer order slip that is over", newer.end, None, None, False, [release, newer]),
        ("lift slip, the list still suspends", during, row(suspended, end, lift.not_before - 1), during - 10 * DAY, False, [lift]),
        ("lift slip, list of the same second", during, row(suspended, end, lift.not_before), during - 10 * DAY, False, [lift]),
        ("lift slip, a later list with an order", during, row(suspended, end, lift.not_before + 1), during - 10 * DAY, False, [lift]),
        ("lift slip, a later list without end", during, row(suspended, None, lift.not_before + 1), during - 10 * DAY, False, [lift]),
        ("lift slip and its order slip", during, None, None, False, [lift, order]),
        ("lift slip and a newer order slip", end, None, None, False, [lift, newer]),
        ("order slip before its start", order.start - 1, None, None, False, [order]),
        ("order slip running, no list", during, None, None, False, [order]),
        ("order slip running, list from before the signature", during, row(valid, None, order.issued_at - 1), order.issued_at - DAY, False, [order]),
        ("order slip running, list between signature and start", during, row(valid, None, order.start - 1), order.issued_at - DAY, False, [order]),
        ("order slip running, a newer list says valid", during, row(valid, None, order.start + 1), order.issued_at - DAY, False, [order]),
        ("order slip running, a newer list has no row", during, row(None, None, order.start + 1), order.issued_at - DAY, False, [order]),
        ("order slip running, a newer list with an earlier end", during, row(suspended, during - 1, during), order.issued_at - DAY, False, [order]),
        ("order slip running, a newer list without end", during, row(suspended, None, during), order.issued_at - DAY, False, [order]),
        ("order slip running, a newer phone pass", during, None, during - HOUR, True, [order]),
        ("order slip over, no list", end, None, None, False, [order]),
        ("order slip over, the list knows a later end", after, row(suspended, end + DAY, during), during - 10 * DAY, False, [order]),
    ]  # fmt: skip
    cases = []
    for name, now, listed, signed_at, on_phone, slips in asked:
        weighed = evidence.weigh(
            now=now, row=listed, pass_signed_at=signed_at, on_phone=on_phone, slips=slips
        )
        cases.append(
            {
                "name": name,
                "now": now,
                "row": None
                if listed is None
                else {
                    "status": None if listed.status is None else int(listed.status),
                    "end": listed.end,
                    "signed_at": listed.signed_at,
                },
                "pass_signed_at": signed_at,
                "on_phone": on_phone,
                "slips": [slip_json(slip) for slip in slips],
                "expect": {
                    "status": weighed.status.value,
                    "slip": weighed.slip.value,
                    "known": weighed.known,
                    "evidence": weighed.age(now).value,
                },
            }
        )
    return {
        "about": "Freshest evidence. `row`: what the list held says of the pass (status null: no row), and when it "
        "was signed. Slips are already verified, in their term and of this person.",
        "cases": cases,
    }


def clock_file() -> Case:
    floor = NOON
    cases = []
    for device in (
        0,
        1,
        -1,
        300,
        -300,
        301,
        -301,
        HOUR,
        -HOUR,
        8 * HOUR,
        -8 * HOUR,
        DAY,
        -DAY,
        25 * HOUR,
        -25 * HOUR,
        400 * DAY,
        -400 * DAY,
    ):
        for offset in (0, HOUR):
            used = clock_floor.time_used(device=NOON + device, offset=offset, floor=floor)
            cases.append(
                {
                    "device": NOON + device,
                    "offset": offset,
                    "floor": floor,
                    "expect": {"at": used.at, "in_doubt": used.in_doubt},
                }
            )
    phones = [
        {"differences": d, "expect": clock_floor.phones_disagree(d)}
        for d in (
            [100] * 9,
            [100] * 10,
            [60] * 10,
            [61] * 10,
            [-61] * 10,
            [0] * 6 + [500] * 4,
            [0] * 30 + [90] * 10,
        )
    ]
    return {
        "about": "The time a gate counts with, and the warning from phones.",
        "cases": cases,
        "phones": phones,
    }


def receipts_file() -> Case:
    rows = []
    plain = []
    for seq in (1, 2, 3):
        passage = passages.Passage(
            seq=seq,
            gate=world.GATE_ID,
            at=NOON + seq,
            inward=seq != 2,
            verdict=Verdict.ALLOW if seq != 3 else Verdict.CALL,
            reason="OK" if seq != 3 else "NO_PASS",
            list_version=17,
            proof="paper" if seq != 3 else "none",
            cti=world.a_pass().cti if seq != 3 else None,
            override="medicine" if seq == 3 else None,
            temperature=376 if seq == 3 else None,
            by_hand=passages.ByHand("3-1-101", 1939, True) if seq == 3 else None,
            guard="g-7f3a" if seq == 3 else None,
            rules_version=2,
        )
        ephemeral = world.key(f"ephemeral {seq}")
        sealed = passages.seal_passage(
            passage, device=world.DEVICE_ID, to=PublicKey.of(KEYS[Purpose.SEAL]), ephemeral=ephemeral
        )
        rows.append(sealed)
        plain.append(
            {
                "seq": seq,
                "plain": passages.encode_passage(passage).hex(),
                "ephemeral": world.seed(f"ephemeral {seq}").hex(),
                "sealed": sealed.hex(),
            }
        )
    batch = passages.Batch(world.DEVICE_ID, 1, tuple(rows))
    receipt = passages.sign_receipt(batch, at=NOON + 60, key=KEYS[Purpose.RECEIPT])
    swapped = passages.Batch(world.DEVICE_ID, 1, (rows[1], rows[0], rows[2]))
    shorter = passages.Batch(world.DEVICE_ID, 1, tuple(rows[:2]))
    other = passages.Batch(bytes(16), 1, tuple(rows))
    key = KEYS[Purpose.RECEIPT]
    cases = [
        {"name": "the receipt", "receipt": receipt.hex(), "expect": "covers"},
        *(
            {
                "name": name,
                "receipt": passages.sign_receipt(b, at=NOON, key=key).hex(),
                "expect": "does not cover",
            }
            for name, b in (("other order", swapped), ("fewer rows", shorter), ("another device", other))
        ),
        {"name": "written by another implementation", "receipt": theirs.written(receipt, key).hex(), "expect": "covers"},
        {"name": "a key of another purpose", "receipt": passages.sign_receipt(batch, at=NOON, key=KEYS[Purpose.PASS]).hex(), "expect": "refused"},
        {"name": "a captive portal", "receipt": b"<html>welcome</html>".hex(), "expect": "refused"},
        {"name": "cut", "receipt": receipt[:-1].hex(), "expect": "refused"},
        {"name": "empty", "receipt": "", "expect": "refused"},
        {"name": "an unknown field", "receipt": resigned(receipt, key, payload={-65600: 1}).hex(), "expect": "refused"},
    ]  # fmt: skip
    return {
        "about": "Rows as written and sealed on the device, the batch they are sent in, and what may be said in "
        "answer. `ephemeral` is the private number used once for sealing; the seal key's private number is given so "
        "that both sides can open.",
        "keys": keys_json(),
        "device": world.DEVICE_ID.hex(),
        "seal_private": world.seed("seal").hex(),
        "rows": plain,
        "batch": passages.encode_batch(batch).hex(),
        "rows_hash": passages.rows_hash(batch.rows).hex(),
        "time": passages.sign_time(NOON, key=key).hex(),
        "time_at": NOON,
        "cases": cases,
    }


def sealing_file() -> Case:
    private, public = KEYS[Purpose.SEAL], PublicKey.of(KEYS[Purpose.SEAL])
    sealed = sealing.seal(b"seventeen", public, info=b"i", aad=b"a", ephemeral=world.key("once"))
    bad = {
        "another info": (sealed, b"j", b"a"),
        "another aad": (sealed, b"i", b"b"),
        "cut": (sealed[:-1], b"i", b"a"),
        "too short": (sealed[:70], b"i", b"a"),
        "a point off the curve": (b"\x04" + bytes(64) + sealed[65:], b"i", b"a"),
        "one bit": (sealed[:-1] + bytes([sealed[-1] ^ 1]), b"i", b"a"),
    }
    assert sealing.unseal(sealed, private, info=b"i", aad=b"a") == b"seventeen"
    return {
        "about": "HPKE base mode, DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-128-GCM: `enc || ciphertext`.",
        "private": world.seed("seal").hex(),
        "public": public.point().hex(),
        "cases": [
            {
                "name": "sealed",
                "sealed": sealed.hex(),
                "info": b"i".hex(),
                "aad": b"a".hex(),
                "ephemeral": world.seed("once").hex(),
                "expect": "ok",
                "plain": b"seventeen".hex(),
            },
            *(
                {"name": n, "sealed": s.hex(), "info": i.hex(), "aad": a.hex(), "expect": "refused"}
                for n, (s, i, a) in bad.items()
            ),
        ],
    }


def example_acts() -> list[rules.GateAct]:
    midnight = NOON - 12 * HOUR
    return [
        rules.GateAct("DEMO-ACT-7", rules.ActKind.QUOTA, (HOME,), midnight, midnight + 20 * DAY, "HP", 1, 2),
        rules.GateAct("DEMO-ACT-9", rules.ActKind.PERIMETER, ("m77",), midnight, midnight + 5 * DAY, "SM"),
    ]


#: What a rule set may say of how old evidence may be, and what it may not.
AGES_ASKED: list[Any] = [
    [12, 48], [1, 1], [720, 720], [24, 72], [], [24], [24, 72, 96], [0, 72], [72, 24], [24, 721], ["24", 72], [-1, 72],
    [True, 72], 24,
]  # fmt: skip


def rules_file() -> Case:
    data = rules.sign_rules(example_acts(), version=2, at=NOON, key=KEYS[Purpose.RULES])
    ruleset = rules.accept_rules(data, keys=KEY_LIST)
    asked = []
    for zone in (HOME, "m77", "m5"):
        for kind in "HSP":
            for movement in ("home_out", "home_in", "place_in"):
                for used in (0, 1):
                    for now in (NOON - 13 * HOUR, NOON, NOON + 30 * DAY):
                        act = ruleset.act(
                            now,
                            compounds=frozenset({zone}),
                            kind=kind,
                            movement=Movement(movement),
                            used=used,
                        )
                        asked.append(
                            {
                                "compounds": [zone],
                                "class": kind,
                                "movement": movement,
                                "used": used,
                                "now": now,
                                "expect": act.value,
                            }
                        )
    plain = loose(loose(data).value[2])[-65543]
    read = []
    for hours in AGES_ASKED:
        signed = resigned(data, KEYS[Purpose.RULES], payload={-65543: {**plain, 4: hours}})
        found = outcome_of(lambda signed=signed: rules.accept_rules(signed, keys=KEY_LIST))
        read.append({"hours": hours, "rules": signed.hex(), "expect": found})
    weighed = evidence.Weighed(Status.VALID, Slip.NONE, NOON)
    aged = [
        {"hours": list(ages), "after": after, "expect": weighed.age(NOON + after, ages).value}
        for ages in (evidence.AGES, evidence.Ages(12, 48), evidence.Ages(1, 1))
        for limit in ages
        for after in (limit * HOUR, limit * HOUR + 1)
    ]
    quota = example_acts()[0]
    windows = [
        {"now": now, "expect": quota.window_start(now)}
        for now in (NOON, NOON + 11 * HOUR, NOON + 12 * HOUR, NOON + 36 * HOUR - 1, NOON + 36 * HOUR)
    ]
    return {
        "about": "A rule set with a quota (once in two days) and a closed perimeter, and which act concerns whom.",
        "keys": keys_json(),
        "rules": data.hex(),
        "version": 2,
        "fever_tenths": ruleset.fever_tenths,
        "cases": asked,
        "quota_windows": windows,
        "ages": read,
        "aged": aged,
    }


def scan_file() -> Case:
    listed, until = whole(17, NOON - HOUR)
    held = scan.Held(
        KEY_LIST,
        {URI: statuslist.accept_list(listed, until, uri=URI, keys=KEY_LIST)},
        floor=NOON - HOUR,
    )
    paper = base45.to_text(world.pass_token(world.a_pass()))
    free = base45.to_text(world.pass_token(world.a_pass(index=12, identity=world.WU)))
    phone_pass = world.pass_token(world.a_phone_pass())
    code = base45.to_text(tokens.sign_code(phone_pass, at=NOON + 20, key=world.HOLDER))
    slips = {k: base45.to_text(world.slip_token(world.a_slip(k))) for k in SlipKind}
    row = scan.StoreRow("12345678-90", URI, 4711, PassClass.PERSON, world.LUO)
    worker = base45.to_text(
        world.pass_token(
            world.a_pass(index=13, kind=PassClass.WORKER, flags=Flag.PAPER | Flag.NOT_CLEARED, zones=("m77",))
        )
    )
    expired = base45.to_text(
        world.pass_token(world.a_pass(issued_at=NOON - 31 * DAY, expires_at=NOON - DAY, index=12))
    )
    asked: list[tuple[str, dict[str, Any], str]] = [
        ("isolated, out of the own compound", {"texts": [paper], "inward": False}, HOME),
        ("isolated, into the own compound", {"texts": [paper], "inward": True}, HOME),
        ("isolated, into another compound", {"texts": [paper], "inward": True}, "m5"),
        ("isolated, out of another compound", {"texts": [paper], "inward": False}, "m5"),
        ("a second before the end", {"texts": [paper], "inward": False, "device_time": 1_581_609_599}, HOME),
        ("at the end", {"texts": [paper], "inward": False, "device_time": 1_581_609_600}, HOME),
        ("free", {"texts": [free], "inward": False}, HOME),
        ("free, list four days old", {"texts": [free], "inward": False, "device_time": NOON + 4 * DAY}, HOME),
        ("free, clock an hour behind", {"texts": [free], "inward": False, "device_time": NOON - 2 * HOUR}, HOME),
        ("isolated, clock a year behind", {"texts": [paper], "inward": False, "device_time": NOON - 365 * DAY}, HOME),
        ("a fresh rotating code", {"texts": [code], "inward": False, "device_time": NOON + 30}, HOME),
        ("at +90 s", {"texts": [code], "inward": False, "device_time": NOON + 110}, HOME),
        ("at +91 s", {"texts": [code], "inward": False, "device_time": NOON + 111}, HOME),
        ("at -90 s", {"texts": [code], "inward": False, "device_time": NOON - 70}, HOME),
        ("at -91 s", {"texts": [code], "inward": False, "device_time": NOON - 71}, HOME),
        ("at +3600 s, elsewhere", {"texts": [code], "inward": True, "device_time": NOON + 3620}, "m5"),
        ("the phone pass without the phone", {"texts": [base45.to_text(phone_pass)], "inward": False}, HOME),
        ("lift slip with the pass", {"texts": [paper, slips[SlipKind.LIFT]], "inward": False}, HOME),
        ("release slip too early", {"texts": [slips[SlipKind.RELEASE], paper], "inward": False}, HOME),
        ("order slip alone", {"texts": [slips[SlipKind.ORDER]], "inward": True}, "m5"),
        ("order slip alone, found at home", {"texts": [slips[SlipKind.ORDER]], "inward": False, "found": row}, HOME),
        ("release slip alone, after the end", {"texts": [slips[SlipKind.RELEASE]], "inward": True, "device_time": 1_581_609_600}, "m5"),
        ("the slip of somebody else", {"texts": [free, slips[SlipKind.ORDER]], "inward": False}, HOME),
        ("the number typed", {"texts": [], "inward": False, "found": row}, HOME),
        ("the number typed, inward", {"texts": [], "inward": True, "found": row}, HOME),
        ("a bad code and the number typed", {"texts": ["LF1:XYZ"], "inward": True, "found": row}, HOME),
        ("nothing", {"texts": [], "inward": False}, HOME),
        ("garbage", {"texts": ["\u0000 hello 你好"], "inward": False}, HOME),
        ("a certificate of another system", {"texts": ["HC1:6BF+70790T9WJWG"], "inward": True}, HOME),
        ("garbage after a good pass", {"texts": [free, "LF1:"], "inward": False}, HOME),
        ("life exit with nothing", {"texts": [], "inward": False, "life_exit": True}, HOME),
        ("life exit, isolated", {"texts": [paper], "inward": False, "life_exit": True}, HOME),
        ("a worker not cleared, own site in", {"texts": [worker], "inward": True}, "m77"),
        ("a worker not cleared, own site out", {"texts": [worker], "inward": False}, "m77"),
        ("a worker not cleared, elsewhere", {"texts": [worker], "inward": True}, "m5"),
        ("an expired pass at home", {"texts": [expired], "inward": True}, HOME),
        ("an expired pass elsewhere", {"texts": [expired], "inward": True}, "m5"),
        ("a fever elsewhere", {"texts": [free], "inward": True, "temperature_high": True}, "m5"),
    ]  # fmt: skip
    cases = []
    for name, values, zone in asked:
        ask = scan.Look(**{"device_time": NOON, **values})
        out = scan.look(ask, gate=scan.Gate(frozenset({zone})), held=held)
        cases.append(
            {
                "name": name,
                "texts": list(ask.texts),
                "inward": ask.inward,
                "device_time": ask.device_time,
                "found": None
                if ask.found is None
                else {
                    "pass_no": row.pass_no,
                    "list_uri": row.list_uri,
                    "index": row.index,
                    "class": row.kind.value,
                    **identity_json(row.identity),
                },
                "life_exit": ask.life_exit,
                "temperature_high": ask.temperature_high,
                "compounds": [zone],
                "expect": {
                    "verdict": out.decision.verdict.value,
                    "reason": out.decision.reason,
                    "notes": list(out.decision.notes),
                    "situation": {k: getattr(out.situation, k).value for k in out.situation._fields},
                    "time_used": out.time_used,
                    "floor": out.floor,
                    "cti": out.cti.hex() if out.cti else None,
                    "order_end": out.order_end,
                },
            }
        )
    return {
        "about": "From what is shown to the verdict, with one key list and one shard held, offset 0, no rule set.",
        "keys": keys_json(),
        "uri": URI,
        "list": listed.hex(),
        "until": until.hex(),
        "held_floor": held.floor,
        "cases": cases,
    }


FILES = {
    "base45": base45_file,
    "numbers": numbers_file,
    "passes": passes_file,
    "codes": codes_file,
    "slips": slips_file,
    "keylist": keylist_file,
    "lists": lists_file,
    "evidence": evidence_file,
    "clock": clock_file,
    "receipts": receipts_file,
    "sealing": sealing_file,
    "rules": rules_file,
    "scan": scan_file,
}


def text_of(name: str) -> str:
    return json.dumps(FILES[name](), ensure_ascii=False, indent=1) + "\n"


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        (FOLDER / f"{name}.json").write_text(text_of(name))


if __name__ == "__main__":
    main()
