"""Fixed keys, instants and people (all invented) for vectors and tests of passes."""

from __future__ import annotations

import hashlib
from typing import Any

from lianfang_pass.keylist import KeyList, ListedKey, Purpose, accept_key_list, sign_key_list
from lianfang_pass.keys import PublicKey, private_key_from_seed
from lianfang_pass.tokens import (
    Flag,
    Identity,
    Pass,
    PassClass,
    SlipClaims,
    SlipKind,
    sign_pass,
    sign_slip,
)

#: 2020-02-05T04:00:00Z, noon in the district.
NOON = 1_580_875_200
HOUR, DAY = 3600, 86_400
URI = "lf:s/510402003"
OTHER_URI = "lf:s/510402004"
HOME = "m1k"


def seed(name: str) -> bytes:
    return hashlib.sha256(f"lianfang vector key {name}".encode()).digest()


def key(name: str) -> Any:
    return private_key_from_seed(seed(name))


ROOT = key("root")
HOLDER = key("holder")
DEVICE_ID = bytes.fromhex("0190f3a57c0e7000800000000000d001")
GATE_ID = bytes.fromhex("0190f3a57c0e700080000000000006a7")
KEYS = {purpose: key(purpose.value) for purpose in Purpose}
STRANGER = key("stranger")


def listed(**changes: Any) -> list[ListedKey]:
    return [
        ListedKey(PublicKey.of(KEYS[purpose]), purpose.value, NOON - 40 * DAY, NOON + 60 * DAY)
        for purpose in Purpose
    ]


KEYS_BYTES = sign_key_list(listed(), version=3, at=NOON - DAY, root=ROOT)
KEY_LIST: KeyList = accept_key_list(
    KEYS_BYTES, root=PublicKey.of(ROOT), thumbprint=PublicKey.of(ROOT).thumbprint
)

LUO = Identity("5-2-603", 1, "LXM", 1988)
WU = Identity("3-1-101", 1, "WDF", 1939)


def a_pass(**changes: Any) -> Pass:
    """A paper pass of an invented person, issued ten days before noon."""
    values: dict[str, Any] = {
        "cti": bytes.fromhex("0102030405060708"),
        "issued_at": NOON - 10 * DAY,
        "expires_at": NOON + 21 * DAY,
        "list_uri": URI,
        "index": 4711,
        "kind": PassClass.PERSON,
        "identity": LUO,
        "zones": (HOME,),
        "flags": Flag.PAPER,
    }
    values.update(changes)
    return Pass(**values)


def a_phone_pass(**changes: Any) -> Pass:
    values: dict[str, Any] = {
        "cti": bytes.fromhex("a1a2a3a4a5a6a7a8"),
        "issued_at": NOON - 2 * HOUR,
        "expires_at": NOON - 2 * HOUR + 3 * DAY,
        "index": 90_210,
        "flags": Flag.NONE,
        "holder_key": PublicKey.of(HOLDER),
    }
    return a_pass(**{**values, **changes})


def a_slip(kind: SlipKind = SlipKind.RELEASE, **changes: Any) -> SlipClaims:
    """A slip of the order of 2020-01-31 00:00 to 2020-02-14 00:00 in Asia/Shanghai."""
    start, end = 1_580_400_000, 1_581_609_600
    lifted = NOON - HOUR
    not_before = {SlipKind.RELEASE: end, SlipKind.ORDER: start, SlipKind.LIFT: lifted}[kind]
    values: dict[str, Any] = {
        "cti": bytes.fromhex("b1b2b3b4b5b6b7b8"),
        "kind": kind,
        "issued_at": lifted if kind is SlipKind.LIFT else start - 5 * HOUR,
        "not_before": not_before,
        "expires_at": end + 31 * DAY,
        "order_no": "DEMO-999999-F04-20200130-0000427",
        "identity": LUO,
        "start": start,
        "end": end,
    }
    values.update(changes)
    return SlipClaims(**values)


def pass_token(claims: Pass) -> bytes:
    return sign_pass(claims, key=KEYS[Purpose.PASS])


def slip_token(claims: SlipClaims) -> bytes:
    return sign_slip(claims, key=KEYS[Purpose.SLIP])
