"""What a gate writes and is told: rows and receipts, seals, sets of rules."""

from __future__ import annotations

from typing import Any

from lianfang_pass import evidence, passages, rules, sealing
from lianfang_pass.keylist import Purpose
from lianfang_pass.keys import PublicKey
from lianfang_pass.situation import Movement, Slip, Status
from lianfang_pass.verdict import Verdict
from tests.pass_ import theirs, world
from tests.pass_.world import DAY, HOME, HOUR, KEY_LIST, KEYS, NOON

from .parts import Case, keys_json, loose, outcome_of, resigned


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
        "withdrawals": [
            {"name": "said of this device", "said": (said := passages.sign_withdrawal(world.DEVICE_ID, at=NOON, key=key)).hex(), "expect": "withdrawn"},
            {"name": "said of another device", "said": passages.sign_withdrawal(other.device, at=NOON, key=key).hex(), "expect": "refused"},
            {"name": "a key of another purpose", "said": passages.sign_withdrawal(world.DEVICE_ID, at=NOON, key=KEYS[Purpose.PASS]).hex(), "expect": "refused"},
            {"name": "a stranger's key", "said": passages.sign_withdrawal(world.DEVICE_ID, at=NOON, key=world.STRANGER).hex(), "expect": "refused"},
            {"name": "a receipt", "said": receipt.hex(), "expect": "refused"},
            {"name": "the time", "said": passages.sign_time(NOON, key=key).hex(), "expect": "refused"},
            {"name": "one bit", "said": (said[:-1] + bytes([said[-1] ^ 1])).hex(), "expect": "refused"},
            {"name": "a captive portal", "said": b"<html>welcome</html>".hex(), "expect": "refused"},
        ],
        "cases": cases,
    }  # fmt: skip


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
