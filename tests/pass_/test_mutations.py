"""Changed tokens, lists and receipts: none is accepted (T01)."""

from __future__ import annotations

import random  # noqa: TID251 - seeded below
from collections.abc import Callable

import pytest

from lianfang_pass import base45, passages, scan, statuslist, tokens
from lianfang_pass.errors import Rejected
from lianfang_pass.keylist import Purpose, accept_key_list
from lianfang_pass.keys import PublicKey
from lianfang_pass.verdict import Verdict
from tests.sizes import size

from . import world
from .make_vectors import lists
from .world import HOLDER, KEY_LIST, NOON, ROOT, URI

SEED = 20200205
MUTATIONS = size("mutations")


def accept_pass(data: bytes) -> object:
    found = tokens.read(data)
    if isinstance(found, tokens.ReadPass) and KEY_LIST.signed(
        found.token, Purpose.PASS, signed_at=found.claims.issued_at
    ):
        return found.claims
    raise Rejected("signature")


def accept_code(data: bytes) -> object:
    found = tokens.read(data)
    if (
        isinstance(found, tokens.ReadCode)
        and found.holder_signed()
        and KEY_LIST.signed(found.within.token, Purpose.PASS, signed_at=found.within.claims.issued_at)
    ):
        return found.within.claims, found.signed_at
    raise Rejected("signature")


def accept_slip(data: bytes) -> object:
    found = tokens.read(data)
    if isinstance(found, tokens.ReadSlip) and KEY_LIST.signed(
        found.token, Purpose.SLIP, signed_at=found.claims.issued_at
    ):
        return found.claims
    raise Rejected("signature")


_LIST, _UNTIL = lists.whole(17, NOON)
_HELD = statuslist.accept_list(_LIST, _UNTIL, uri=URI, keys=KEY_LIST)
_DELTA = lists.delta([statuslist.Change(5, statuslist.ListStatus.INVALID)], 17, 18, NOON)
_BATCH = passages.Batch(world.DEVICE_ID, 1, (bytes(100),))
_ROOT = PublicKey.of(ROOT)

KINDS: dict[str, tuple[bytes, Callable[[bytes], object]]] = {
    "pass": (world.pass_token(world.a_pass()), accept_pass),
    "rotating code": (
        tokens.sign_code(world.pass_token(world.a_phone_pass()), at=NOON, key=HOLDER),
        accept_code,
    ),
    "slip": (world.slip_token(world.a_slip()), accept_slip),
    "list": (_LIST, lambda d: statuslist.accept_list(d, _UNTIL, uri=URI, keys=KEY_LIST)),
    "until list": (_UNTIL, lambda d: statuslist.accept_list(_LIST, d, uri=URI, keys=KEY_LIST)),
    "delta": (_DELTA, lambda d: statuslist.accept_delta(d, keys=KEY_LIST, held=_HELD)),
    "key list": (
        world.KEYS_BYTES,
        lambda d: accept_key_list(d, root=_ROOT, thumbprint=_ROOT.thumbprint),
    ),
    "receipt": (
        passages.sign_receipt(_BATCH, at=NOON, key=world.KEYS[Purpose.RECEIPT]),
        lambda d: passages.accept_receipt(d, keys=KEY_LIST),
    ),
}


def mutated(data: bytes, chance: random.Random) -> bytes:
    """One of: a bit, a byte, a cut, a doubled or removed stretch, bytes added, two stretches swapped."""
    out = bytearray(data)
    at, to = sorted((chance.randrange(len(out)), chance.randrange(len(out) + 1)))
    match chance.randrange(7):
        case 0:
            out[at] ^= 1 << chance.randrange(8)
        case 1:
            out[at] = chance.randrange(256)
        case 2:
            del out[at:]
        case 3:
            out[at:at] = out[at:to]
        case 4:
            del out[at:to]
        case 5:
            out += chance.randbytes(1 + chance.randrange(4))
        case 6:
            out = out[to:] + out[:to]
    return bytes(out)


@pytest.mark.parametrize("kind", KINDS)
def test_ten_thousand_changed_files_are_refused(kind: str) -> None:
    good, accept = KINDS[kind]
    assert accept(good)
    chance = random.Random(f"{SEED} {kind}")
    accepted = 0
    tried = 0
    while tried < MUTATIONS // len(KINDS):
        changed = mutated(good, chance)
        if changed == good:
            continue
        tried += 1
        try:
            accept(changed)
        except Rejected:
            continue
        accepted += 1
    assert accepted == 0, f"seed {SEED}"


@pytest.mark.parametrize("kind", ["pass", "rotating code", "slip", "receipt", "delta"])
def test_every_single_bit_matters(kind: str) -> None:
    good, accept = KINDS[kind]
    for at in range(len(good) * 8):
        changed = bytearray(good)
        changed[at // 8] ^= 1 << at % 8
        with pytest.raises(Rejected):
            accept(bytes(changed))


def test_a_second_valid_signature_is_the_same_pass() -> None:
    """(r, n - s) verifies as well: who counted tokens by their bytes would count this person twice."""
    good = KINDS["pass"][0]
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    s = int.from_bytes(good[-32:], "big")
    other = good[:-32] + (order - s).to_bytes(32, "big")
    assert other != good
    assert accept_pass(other) == accept_pass(good)


def test_any_text_at_all_gets_a_verdict_and_garbage_never_deny() -> None:
    chance = random.Random(SEED)
    held = scan.Held(KEY_LIST, {URI: _HELD}, floor=NOON)
    gate = scan.Gate(frozenset({world.HOME}))
    texts = [base45.to_text(good) for good, _ in KINDS.values() if len(good) < 2000]
    for _ in range(2000):
        text = chance.choice(texts)
        cut = chance.randrange(len(text))
        garbage = text[:cut] + chr(chance.randrange(0x20, 0xD7FF)) + text[cut + 1 :]
        if garbage == text:
            continue
        out = scan.look(
            scan.Look([garbage], inward=bool(chance.randrange(2)), device_time=NOON), gate=gate, held=held
        )
        assert out.decision.verdict is Verdict.CALL
        assert out.decision.reason in {"SIGNATURE_BAD", "NO_PASS"}
