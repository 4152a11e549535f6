"""Our tokens against software and documents that are not ours."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import base45 as their_base45
import cwt
import pytest
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from lianfang_chain import cbor
from lianfang_pass import base45, cose, passages, rules, sealing, statuslist, tokens
from lianfang_pass.errors import Rejected
from lianfang_pass.keylist import Purpose, accept_key_list
from lianfang_pass.keys import PublicKey, private_key_from_seed
from lianfang_pass.statuslist import Change, ListStatus

from . import theirs, world
from .make_vectors import lists, records
from .make_vectors.parts import loose
from .theirs import their_key
from .world import KEY_LIST, KEYS, NOON, URI

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.conformance
_SUITE = hpke.Suite(hpke.KEM.P256, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_128_GCM)


@pytest.mark.parametrize("purpose", [Purpose.PASS, Purpose.SLIP])
def test_cwt_reads_what_we_write(purpose: Purpose) -> None:
    token = world.pass_token(world.a_pass()) if purpose is Purpose.PASS else world.slip_token(world.a_slip())
    payload = cwt.COSE.new().decode(token, their_key(KEYS[purpose]))
    claims = cbor.decode(payload)
    assert isinstance(claims, dict)
    assert claims[1] == "LF"
    if purpose is Purpose.PASS:
        assert claims[65535] == {"status_list": {"idx": 4711, "uri": URI}}
        assert claims[7] == world.a_pass().cti


def test_cwt_reads_our_status_list_and_key_list() -> None:
    whole, _ = lists.whole(17, NOON)
    claims: Any = cbor.decode(
        cwt.COSE.new().decode(whole, their_key(KEYS[Purpose.STATUSLIST])), max_bytes=10**6
    )
    assert claims[65533]["bits"] == 2
    assert claims[2] == URI
    listed: Any = cbor.decode(cwt.COSE.new().decode(world.KEYS_BYTES, their_key(world.ROOT)))
    assert len(listed[-65541][2]) == len(Purpose)


def _ours() -> dict[str, tuple[bytes, Any, Callable[[bytes], object]]]:
    """One of each signed object → its bytes, the key, and how it is read."""
    batch = passages.Batch(world.DEVICE_ID, 1, (b"sealed",))
    whole, until = lists.whole(17, NOON)
    held = statuslist.accept_list(whole, until, uri=URI, keys=KEY_LIST)
    root = PublicKey.of(world.ROOT)

    def a_pass(data: bytes) -> object:
        read = tokens.read_pass(data)
        assert KEY_LIST.signed(read.token, Purpose.PASS, signed_at=read.claims.issued_at)
        return read.claims

    def a_slip(data: bytes) -> object:
        read = tokens.read_slip(data)
        assert KEY_LIST.signed(read.token, Purpose.SLIP, signed_at=read.claims.issued_at)
        return read.claims

    step = lists.delta([Change(9, ListStatus.INVALID)], 17, 18, NOON)
    acts = rules.sign_rules(records.example_acts(), version=2, at=NOON, key=KEYS[Purpose.RULES])
    receipt = passages.sign_receipt(batch, at=NOON, key=KEYS[Purpose.RECEIPT])
    return {
        "pass": (world.pass_token(world.a_pass()), KEYS[Purpose.PASS], a_pass),
        "phone pass": (world.pass_token(world.a_phone_pass()), KEYS[Purpose.PASS], a_pass),
        **{
            f"slip {kind.name}": (world.slip_token(world.a_slip(kind)), KEYS[Purpose.SLIP], a_slip)
            for kind in tokens.SlipKind
        },
        "list": (
            whole,
            KEYS[Purpose.STATUSLIST],
            lambda data: statuslist.accept_list(data, until, uri=URI, keys=KEY_LIST),
        ),
        "until list": (
            until,
            KEYS[Purpose.STATUSLIST],
            lambda data: statuslist.accept_list(whole, data, uri=URI, keys=KEY_LIST),
        ),
        "delta": (
            step,
            KEYS[Purpose.DELTA],
            lambda data: statuslist.accept_delta(data, keys=KEY_LIST, held=held),
        ),
        "key list": (
            world.KEYS_BYTES,
            world.ROOT,
            lambda data: accept_key_list(data, root=root, thumbprint=root.thumbprint),
        ),
        "rules": (acts, KEYS[Purpose.RULES], lambda data: rules.accept_rules(data, keys=KEY_LIST)),
        "receipt": (
            receipt,
            KEYS[Purpose.RECEIPT],
            lambda data: passages.accept_receipt(data, keys=KEY_LIST),
        ),
        "time": (
            passages.sign_time(NOON, key=KEYS[Purpose.RECEIPT]),
            KEYS[Purpose.RECEIPT],
            lambda data: passages.accept_time(data, keys=KEY_LIST),
        ),
    }


@pytest.mark.parametrize("what", sorted(_ours()))
def test_cwt_reads_what_we_write_and_we_read_what_cwt_writes(what: str) -> None:
    ours, key, read = _ours()[what]
    written = theirs.written(ours, key)
    assert read(written) == read(ours)
    payload: Any = loose(ours)
    assert cwt.COSE.new().decode(ours, their_key(key)) == payload.value[2]
    assert cwt.COSE.new().decode(written, their_key(key)) == payload.value[2]
    with pytest.raises((Rejected, AssertionError)):
        read(theirs.written(ours, world.STRANGER))


def test_we_read_the_holders_half_as_cwt_writes_it() -> None:
    """The key-binding token of the SD-CWT draft: headers 1, 13 (a tagged COSE_Sign1), 16 = 294."""
    phone = world.pass_token(world.a_phone_pass())
    mine = tokens.sign_code(phone, at=NOON, key=world.HOLDER)
    parts: Any = cbor.decode(mine)
    head: Any = cbor.decode(parts.value[0])
    assert set(head) == {1, 13, 16}
    assert (head[1], head[16]) == (-7, 294)
    assert head[13].number == 18
    assert cwt.COSE.new().decode(mine, their_key(world.HOLDER)) == parts.value[2]


def test_rfc_8392_example_key_and_claims() -> None:
    """RFC 8392 A.2.3 (key) and A.3 (signed CWT): same claims, same key; the signature verifies."""
    x = bytes.fromhex("143329cce7868e416927599cf65a34f3ce2ffda55a7eca69ed8919a394d42f0f")
    y = bytes.fromhex("60f7f1a780d8a783bfb7a2dd6b2796e8128dbbcef9d3d168db9529971a36e7b9")
    token = bytes.fromhex(
        "d28443a10126a104524173796d6d657472696345434453413235365850a7017563"
        "6f61703a2f2f61732e6578616d706c652e636f6d02656572696b77037818636f61"
        "703a2f2f6c696768742e6578616d706c652e636f6d041a5612aeb0051a5610d9f0"
        "061a5610d9f007420b7158405427c1ff28d23fbad1f29c4c7c6a555e601d6fa29f"
        "9179bc3d7438bacaca5acd08c8d4d4f96131680c429a01f85951ecee743a52b9b6"
        "3632c57209120e1c9e30"
    )
    # Ours refuses it by design: its kid stands in the unprotected map.
    with pytest.raises(Rejected):
        cose.read1(token, protected_keys=frozenset({cose.ALG}))
    parts: Any = cbor.decode(token)
    read = cose.Sign1({}, parts.value[0], parts.value[2], parts.value[3])
    assert read.verified_by(PublicKey(x, y))
    claims: Any = cbor.decode(read.payload)
    assert claims == {
        1: "coap://as.example.com", 2: "erikw", 3: "coap://light.example.com",
        4: 1444064944, 5: 1443944944, 6: 1443944944, 7: bytes.fromhex("0b71"),
    }  # fmt: skip


def test_rfc_9285_examples_and_errors() -> None:
    for data, text in (
        (b"AB", "BB8"),
        (b"Hello!!", "%69 VD92EX0"),
        (b"base-45", "UJCLQE7W581"),
        (b"ietf!", "QED8WEX0"),
    ):
        assert base45.encode(data) == text
        assert base45.decode(text) == data
    for bad in ("GGW", ":::", "A", "a00", "::"):
        with pytest.raises(Rejected):
            base45.decode(bad)


@given(st.binary(max_size=300))
def test_base45_agrees_with_another_implementation(data: bytes) -> None:
    text = base45.encode(data)
    assert text.encode() == their_base45.b45encode(data)
    assert base45.decode(text) == data


@given(st.text(alphabet="0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:", max_size=12))
def test_base45_has_one_text_for_one_byte_string(text: str) -> None:
    try:
        data = base45.decode(text)
    except Rejected:
        return
    assert base45.encode(data) == text


def test_token_status_list_packing() -> None:
    """Token Status List draft, section 4.1: the example of two bits per status, `c9 44 f9`."""
    statuses = dict(enumerate(ListStatus(s) for s in (1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3)))
    assert statuslist.pack(statuses, 12).hex() == "c944f9"
    # The `lst` of that example is zlib at level 9.
    assert zlib.compress(bytes.fromhex("c944f9"), 9).hex() == "78da3be9f2130003df0207"


# RFC 9180 A.3.1: DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-128-GCM, base mode; first encryption.
_A3 = {
    "info": "4f6465206f6e2061204772656369616e2055726e",
    "sk_e": "4995788ef4b9d6132b249ce59a77281493eb39af373d236a1fe415cb0c2d7beb",
    "enc": "04a92719c6195d5085104f469a8b9814d5838ff72b60501e2c4466e5e67b325ac98536d7b61a1af4b78e5b7f951c0900be863c40"
    "3ce65c9bfcb9382657222d18c4",
    "sk_r": "f3ce7fdae57e1a310d87f1ebbde6f328be0a99cdbcadf4d6589cf29de4b8ffd2",
    "pt": "4265617574792069732074727574682c20747275746820626561757479",
    "aad": "436f756e742d30",
    "ct": "5ad590bb8baa577f8619db35a36311226a896e7342a6d836d8b7bcd2f20b6c7f9076ac232e3ab2523f39513434",
}


def test_rfc_9180_vector() -> None:
    v = {name: bytes.fromhex(value) for name, value in _A3.items()}
    receiver = private_key_from_seed(v["sk_r"])
    sealed = sealing.seal(
        v["pt"],
        PublicKey.of(receiver),
        info=v["info"],
        aad=v["aad"],
        ephemeral=private_key_from_seed(v["sk_e"]),
    )
    assert sealed == v["enc"] + v["ct"]
    assert sealing.unseal(sealed, receiver, info=v["info"], aad=v["aad"]) == v["pt"]


@given(st.binary(max_size=60), st.binary(max_size=20))
def test_sealing_agrees_with_another_implementation(plain: bytes, info: bytes) -> None:
    key = KEYS[Purpose.SEAL]
    ours = sealing.seal(plain, PublicKey.of(key), info=info, aad=b"", ephemeral=world.key("once"))
    assert _SUITE.decrypt(ours, key, info=info) == plain
    theirs = _SUITE.encrypt(plain, key.public_key(), info=info)
    assert sealing.unseal(theirs, key, info=info, aad=b"") == plain


def test_a_compressed_key_is_the_same_key() -> None:
    for n in range(1, 20):
        key = private_key_from_seed(bytes(31) + bytes([n]))
        public = PublicKey.of(key)
        assert PublicKey.read(dict(public.cose_short())) == public
        point = key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
        assert PublicKey.from_point(point) == public
    assert isinstance(ec.SECP256R1(), ec.EllipticCurve)
