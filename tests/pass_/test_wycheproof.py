"""The signatures of passes and of the chain against the cases of Wycheproof: what is valid counts, nothing else does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lianfang_chain.note import ED25519, NotSigned, VerifierKey
from lianfang_pass.keys import PublicKey

PUBLISHED = Path(__file__).parents[2] / "vectors" / "published"


def groups(name: str) -> Any:
    return json.loads((PUBLISHED / name).read_text())["groups"]


def test_a_pass_is_signed_by_what_wycheproof_calls_valid_and_by_nothing_else() -> None:
    seen = {True: 0, False: 0}
    for group in groups("wycheproof_p256.json"):
        key = PublicKey.from_point(bytes.fromhex("04" + group["x"] + group["y"]))
        for number, message, signature, result in group["cases"]:
            valid = result == "valid"
            assert key.verifies(bytes.fromhex(message), bytes.fromhex(signature)) is valid, number
            seen[valid] += 1
    assert sum(seen.values()) == 262
    assert all(seen.values())


def test_so_is_a_note_of_the_chain() -> None:
    seen = {True: 0, False: 0}
    for group in groups("wycheproof_ed25519.json"):
        key = VerifierKey("wycheproof", ED25519, bytes.fromhex(group["public"]))
        for number, message, signature, result in group["cases"]:
            try:
                key.verify_bytes(bytes.fromhex(message), bytes.fromhex(signature))
                signed = True
            except NotSigned:
                signed = False
            # "acceptable" are keys of small or mixed order, which RFC 8032 leaves open: a key here is one that was pinned.
            assert signed is (result != "invalid"), number
            seen[signed] += 1
    assert sum(seen.values()) == 210
    assert all(seen.values())
