"""What looks at the bytes of every decoder that reads what a stranger may send or show, and bytes to begin from.

What must hold: a decoder gives a value or `Rejected` (`NotCanonical` for bare CBOR), and a value of canonical form is written
back as the very bytes it came from. Where a signature stands before the reading, the bytes are signed with the right key
first, so that the reading is reached.
"""

from __future__ import annotations

import random  # noqa: TID251 - seeded below
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from lianfang_chain import cbor
from lianfang_pass import (
    base45,
    cose,
    exported,
    keylist,
    numbers,
    passages,
    rules,
    signals,
    statuslist,
    tokens,
)
from lianfang_pass.errors import Rejected
from lianfang_pass.keylist import Purpose
from lianfang_pass.keys import PublicKey
from tests.pass_ import world
from tests.pass_.make_vectors import lists
from tests.pass_.test_mutations import mutated

if TYPE_CHECKING:
    from collections.abc import Callable

SEED: Final = 20200205
_KEYS = world.KEY_LIST
_LIST, _UNTIL = lists.whole(17, world.NOON)
_HELD = statuslist.accept_list(_LIST, _UNTIL, uri=world.URI, keys=_KEYS)
_DELTA = lists.delta([statuslist.Change(5, statuslist.ListStatus.INVALID)], 17, 18, world.NOON)
_BATCH = passages.Batch(world.DEVICE_ID, 1, (bytes(100), bytes(90)))
_PASSAGE = passages.Passage(
    seq=7, gate=world.GATE_ID, at=world.NOON, inward=True, verdict=passages.VERDICTS[1], reason="TEMPERATURE",
    list_version=17, proof="paper", cti=bytes(8), override="medicine", temperature=376,
    by_hand=passages.ByHand("5-2-603", 1988, id_seen=True), guard="G7", rules_version=3,
)  # fmt: skip
_RULES = rules.sign_rules([], version=3, at=world.NOON, key=world.KEYS[Purpose.RULES])
_RECEIPT = passages.sign_receipt(_BATCH, at=world.NOON, key=world.KEYS[Purpose.RECEIPT])
_TIME = passages.sign_time(world.NOON, key=world.KEYS[Purpose.RECEIPT])
_WITHDRAWAL = passages.sign_withdrawal(world.DEVICE_ID, at=world.NOON, key=world.KEYS[Purpose.RECEIPT])
_SIGNAL = signals.encode_signal(
    signals.Signal(
        1, world.GATE_ID, world.NOON, signals.SignalKind.HANDOVER, {"from": "G7", "to": "G8", "unsent": 3}
    )
)


def _cbor(data: bytes) -> None:
    with suppress(cbor.NotCanonical):
        assert cbor.encode(cbor.decode(data)) == data


def _base45(data: bytes) -> None:
    text = data.decode("latin-1")
    with suppress(Rejected):
        token = base45.from_text(text)
        assert base45.to_text(token) == text.rstrip("\r\n")


def _token(data: bytes) -> None:
    with suppress(Rejected):
        tokens.read(data)


def _claims(token: bytes) -> bytes:
    """The payload of one of our own files: where the mutations begin."""
    read = cbor.decode(token)
    assert isinstance(read, cbor.Tag)
    assert isinstance(read.value, list)
    payload = read.value[2]
    assert isinstance(payload, bytes)
    return payload


def _signed(like: bytes, accept: Callable[[bytes], object], key: object) -> Callable[[bytes], None]:
    """A reader of payloads: each is put into a file like this one and signed by the right key."""
    read = cbor.decode(like)
    assert isinstance(read, cbor.Tag)
    assert isinstance(read.value, list)
    head = read.value[0]
    assert isinstance(head, bytes)
    protected = cbor.decode(head)
    assert isinstance(protected, dict)
    rest = {k: v for k, v in protected.items() if k != cose.ALG}

    def look(payload: bytes) -> None:
        try:
            value = cbor.decode(payload)
        except cbor.NotCanonical:
            return
        with suppress(Rejected):
            accept(cose.sign1(rest, value, key=key))  # type: ignore[arg-type]  # a private key

    return look


def _row(decode: Callable[[bytes], object], encode: Callable[[object], bytes]) -> Callable[[bytes], None]:
    def look(data: bytes) -> None:
        with suppress(Rejected):
            assert encode(decode(data)) == data

    return look


def _number(data: bytes) -> None:
    with suppress(Rejected):
        numbers.read_pass_number(data.decode("utf-8", "replace"))


_ROOT = PublicKey.of(world.ROOT)
_K = world.KEYS
#: name → (what looks at the bytes, bytes to begin from)
DECODERS: Final[dict[str, tuple[Callable[[bytes], None], tuple[bytes, ...]]]] = {
    "cbor": (_cbor, (world.KEYS_BYTES, _DELTA, _SIGNAL)),
    "base45": (_base45, (base45.to_text(world.pass_token(world.a_pass())).encode(),)),
    "token": (
        _token,
        (
            world.pass_token(world.a_pass()),
            tokens.sign_code(world.pass_token(world.a_phone_pass()), at=world.NOON, key=world.HOLDER),
            world.slip_token(world.a_slip()),
        ),
    ),
    "list": (
        _signed(
            _LIST,
            lambda d: statuslist.accept_list(d, _UNTIL, uri=world.URI, keys=_KEYS),
            _K[Purpose.STATUSLIST],
        ),
        (_claims(_LIST),),
    ),
    "until": (
        _signed(
            _UNTIL,
            lambda d: statuslist.accept_list(_LIST, d, uri=world.URI, keys=_KEYS),
            _K[Purpose.STATUSLIST],
        ),
        (_claims(_UNTIL),),
    ),
    "delta": (
        _signed(_DELTA, lambda d: statuslist.accept_delta(d, keys=_KEYS, held=_HELD), _K[Purpose.DELTA]),
        (_claims(_DELTA),),
    ),
    "keys": (
        _signed(
            world.KEYS_BYTES,
            lambda d: keylist.accept_key_list(d, root=_ROOT, thumbprint=_ROOT.thumbprint),
            world.ROOT,
        ),
        (_claims(world.KEYS_BYTES),),
    ),
    "rules": (
        _signed(_RULES, lambda d: rules.accept_rules(d, keys=_KEYS), _K[Purpose.RULES]),
        (_claims(_RULES),),
    ),
    "receipt": (
        _signed(_RECEIPT, lambda d: passages.accept_receipt(d, keys=_KEYS), _K[Purpose.RECEIPT]),
        (_claims(_RECEIPT),),
    ),
    "time": (
        _signed(_TIME, lambda d: passages.accept_time(d, keys=_KEYS), _K[Purpose.RECEIPT]),
        (_claims(_TIME),),
    ),
    "withdrawal": (
        _signed(
            _WITHDRAWAL,
            lambda d: passages.accept_withdrawal(d, device=world.DEVICE_ID, keys=_KEYS),
            _K[Purpose.RECEIPT],
        ),
        (_claims(_WITHDRAWAL),),
    ),
    "batch": (_row(passages.decode_batch, passages.encode_batch), (passages.encode_batch(_BATCH),)),  # type: ignore[arg-type]  # of one type each
    "export": (
        _row(exported.decode_export, exported.encode_export),  # type: ignore[arg-type]  # of one type each
        (exported.encode_export([_BATCH]),),
    ),
    "passage": (
        _row(passages.decode_passage, passages.encode_passage),  # type: ignore[arg-type]  # of one type each
        (passages.encode_passage(_PASSAGE),),
    ),
    "signal": (_row(signals.decode_signal, signals.encode_signal), (_SIGNAL,)),  # type: ignore[arg-type]  # of one type each
    "number": (_number, (b"12345678-89",)),
}


def by_mutation(name: str, runs: int) -> None:
    """Without coverage: many small changes of good bytes, several on top of each other."""
    look, seeds = DECODERS[name]
    chance = random.Random(f"{SEED} {name}")
    for _ in range(runs):
        data = chance.choice(seeds)
        for _ in range(1 + chance.randrange(4)):
            data = mutated(data, chance) or b"\0"
        look(data)
