"""P9: from the text of a QR code to the verdict, in Python."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Any, Final

from .rows import line
from .server import SHARD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cryptography.hazmat.primitives.asymmetric import ec

#: More than are remembered, so each is seen for the first time again.
PHONES: Final = 5_000


def checking(seconds: float) -> Iterable[dict[str, Any]]:
    """Text of a QR code → verdict, against one bare ECDSA verification of the same signature."""
    from lianfang_pass import base45, scan, statuslist, tokens
    from lianfang_pass.keylist import ListedKey, Purpose, accept_key_list, sign_key_list
    from lianfang_pass.keys import PublicKey, private_key_from_seed

    at = 1_580_875_200
    root, key = (private_key_from_seed(bytes([n]) * 32) for n in (1, 2))
    listed = [ListedKey(PublicKey.of(key), purpose.value, at - 86_400, at + 86_400) for purpose in Purpose]
    public = PublicKey.of(root)
    keys = accept_key_list(
        sign_key_list(listed, version=1, at=at, root=root), root=public, thumbprint=public.thumbprint
    )
    shard = statuslist.ShardState(f"lf:s/{SHARD}", 1, at, bytes(100_000), {})
    held = scan.Held(keys, {shard.uri: shard}, floor=at)
    gate = scan.Gate(frozenset({"m1k"}))

    def text_of(phone: ec.EllipticCurvePrivateKey | None) -> str:
        claims = tokens.Pass(
            cti=bytes(8), issued_at=at - 60, expires_at=at + 86_400, list_uri=shard.uri, index=4711,
            kind=tokens.PassClass.PERSON, identity=tokens.Identity("5-2-603", 1, "LXM", 1988), zones=("m1k",),
            flags=tokens.Flag.PAPER if phone is None else tokens.Flag.NONE,
            holder_key=None if phone is None else PublicKey.of(phone),
        )  # fmt: skip
        token = tokens.sign_pass(claims, key=key)
        return base45.to_text(token if phone is None else tokens.sign_code(token, at=at, key=phone))

    def bare() -> Callable[[], object]:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec

        algorithm, message = ec.ECDSA(hashes.SHA256()), bytes(150)
        signature, verifier = key.sign(message, algorithm), key.public_key()
        return lambda: verifier.verify(signature, message, algorithm)

    def ours(*shown: str) -> Callable[[], object]:
        looks = itertools.cycle([scan.Look([text], inward=False, device_time=at) for text in shown])
        assert scan.look(next(looks), gate=gate, held=held).decision.verdict == "ALLOW"
        return lambda: scan.look(next(looks), gate=gate, held=held)

    phones = [private_key_from_seed(n.to_bytes(32, "big")) for n in range(1, PHONES + 1)]
    again = ours(text_of(phones[0]))
    per = _in_turns({"bare": bare(), "paper": ours(text_of(None)), "again": again}, seconds)
    yield line("P9 verdict from a paper pass, Python", per["paper"], per["bare"], "1/s CPU", 0.5)
    # Two signatures, the pass's and the phone's.
    yield line("P9 verdict from a phone code, seen before", per["again"], per["bare"] / 2, "1/s CPU", 0.5)
    per = _in_turns({"bare": bare(), "first": ours(*map(text_of, phones))}, seconds)
    yield line("P9 verdict from a phone code, seen first", per["first"], per["bare"] / 2, "1/s CPU")


def _in_turns(runs: dict[str, Callable[[], object]], seconds: float) -> dict[str, float]:
    """How often a second of CPU each can be run; in turns, so that a machine that is busy for a moment slows all."""
    spent = dict.fromkeys(runs, 0.0)
    done = dict.fromkeys(runs, 0)
    until = time.process_time() + seconds
    while time.process_time() < until:
        for name, run in runs.items():
            began = time.process_time()
            for _ in range(50):
                run()
            spent[name] += time.process_time() - began
            done[name] += 50
    return {name: done[name] / spent[name] for name in runs}
