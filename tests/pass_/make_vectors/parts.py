"""In and out of JSON, and forms that strict reading must refuse."""

from __future__ import annotations

from typing import Any

from lianfang_chain import cbor
from lianfang_pass import cose, tokens
from lianfang_pass.errors import Rejected
from lianfang_pass.keylist import Purpose
from lianfang_pass.keys import PublicKey
from lianfang_pass.statuslist import ShardState
from lianfang_pass.tokens import Pass, SlipClaims
from tests.pass_ import world
from tests.pass_.world import KEYS

Case = dict[str, Any]


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
