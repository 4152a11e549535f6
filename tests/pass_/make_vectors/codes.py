"""What is shown at a gate: texts, pass numbers, passes, rotating codes, slips."""

from __future__ import annotations

from lianfang_chain import cbor
from lianfang_pass import base45, cose, numbers, tokens
from lianfang_pass.keylist import Purpose
from lianfang_pass.keys import PublicKey
from lianfang_pass.tokens import Flag, PassClass, SlipKind
from tests.pass_ import theirs, world
from tests.pass_.world import DAY, HOME, KEYS, NOON, URI

from .parts import Case, keys_json, loose, pass_json, raw_sign1, refused_tokens, resigned, slip_json


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
