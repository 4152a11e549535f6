"""The vectors that TypeScript reads are what the code writes, and what the code reads of them."""

from __future__ import annotations

import json

import pytest

from lianfang_pass import base45, passages, rules, scan, sealing, tokens
from lianfang_pass.errors import Rejected
from lianfang_pass.evidence import Ages
from lianfang_pass.keylist import KeyList, Purpose, accept_key_list
from lianfang_pass.keys import PublicKey, private_key_from_seed
from lianfang_pass.numbers import read_pass_number
from lianfang_pass.statuslist import ShardState

from . import world
from .make_vectors import FILES, FOLDER, text_of
from .make_vectors.parts import Case, loose, pass_json, shard_json, slip_json
from .world import KEYS, NOON


def load(name: str) -> Case:
    loaded: Case = json.loads((FOLDER / f"{name}.json").read_text())
    return loaded


def keys_of(file: Case) -> KeyList:
    keys = file["keys"]
    root = PublicKey.from_point(bytes.fromhex(keys["root"]))
    return accept_key_list(
        bytes.fromhex(keys["list"]), root=root, thumbprint=bytes.fromhex(keys["root_thumbprint"])
    )


def cases(name: str) -> list[Case]:
    return list(load(name)["cases"])


@pytest.mark.parametrize("name", sorted(FILES))
def test_the_files_are_what_the_code_writes(name: str) -> None:
    assert (FOLDER / f"{name}.json").read_text() == text_of(name)


@pytest.mark.parametrize("case", cases("passes"), ids=lambda c: c["name"])
def test_passes(case: Case) -> None:
    keys = keys_of(load("passes"))

    def read() -> tokens.Pass:
        found = tokens.read_pass(bytes.fromhex(case["token"]))
        if not keys.signed(found.token, Purpose.PASS, signed_at=found.claims.issued_at):
            raise Rejected("signature")
        return found.claims

    if case["expect"] == "refused":
        with pytest.raises(Rejected):
            read()
    else:
        assert pass_json(read()) == case["pass"]


@pytest.mark.parametrize("case", cases("codes"), ids=lambda c: c["name"])
def test_codes(case: Case) -> None:
    keys = keys_of(load("codes"))

    def read() -> tokens.ReadCode:
        found = tokens.read(bytes.fromhex(case["token"]))
        if not isinstance(found, tokens.ReadCode) or not found.holder_signed():
            raise Rejected("signature")
        within = found.within
        if not keys.signed(within.token, Purpose.PASS, signed_at=within.claims.issued_at):
            raise Rejected("signature")
        return found

    if case["expect"] == "refused":
        with pytest.raises(Rejected):
            read()
    else:
        assert read().signed_at == case["signed_at"]
        assert pass_json(read().within.claims) == case["pass"]


@pytest.mark.parametrize("case", cases("slips"), ids=lambda c: c["name"])
def test_slips(case: Case) -> None:
    keys = keys_of(load("slips"))

    def read() -> tokens.SlipClaims:
        found = tokens.read_slip(bytes.fromhex(case["token"]))
        if not keys.signed(found.token, Purpose.SLIP, signed_at=found.claims.issued_at):
            raise Rejected("signature")
        return found.claims

    if case["expect"] == "refused":
        with pytest.raises(Rejected):
            read()
    else:
        assert slip_json(read()) == case["slip"]


def test_key_lists_one_after_another() -> None:
    file = load("keylist")
    root = PublicKey.from_point(bytes.fromhex(file["root"]))
    held: KeyList | None = None
    for case in file["cases"]:
        try:
            held = accept_key_list(
                bytes.fromhex(case["list"]),
                root=root,
                thumbprint=bytes.fromhex(file["root_thumbprint"]),
                held=held,
            )
        except Rejected:
            assert case["expect"] == "refused", case["name"]
        else:
            assert case["expect"] == "ok", case["name"]


def test_status_files_one_after_another() -> None:
    from lianfang_pass import statuslist

    file = load("lists")
    keys, held = keys_of(file), None
    for case in file["cases"]:
        try:
            if case["kind"] == "list":
                held = statuslist.accept_list(
                    bytes.fromhex(case["list"]),
                    bytes.fromhex(case["until"]),
                    uri=file["uri"],
                    keys=keys,
                    held=held,
                )
            elif held is None:
                raise Rejected("gap")
            else:
                held = statuslist.accept_delta(bytes.fromhex(case["delta"]), keys=keys, held=held)
        except Rejected:
            assert case["expect"] == "refused", case["name"]
        else:
            assert case["expect"] == "ok", case["name"]
            probe = [int(index) for index in case["held"]["rows"]]
            assert shard_json(held, probe) == case["held"], case["name"]


@pytest.mark.parametrize("case", cases("receipts"), ids=lambda c: c["name"])
def test_receipts(case: Case) -> None:
    file = load("receipts")
    batch = passages.decode_batch(bytes.fromhex(file["batch"]))
    if case["expect"] == "refused":
        with pytest.raises(Rejected):
            passages.accept_receipt(bytes.fromhex(case["receipt"]), keys=keys_of(file))
    else:
        receipt = passages.accept_receipt(bytes.fromhex(case["receipt"]), keys=keys_of(file))
        assert receipt.covers(batch) == (case["expect"] == "covers")


@pytest.mark.parametrize("case", load("rules")["ages"], ids=lambda c: str(c["hours"]))
def test_ages_of_a_rule_set(case: Case) -> None:
    """1 ≤ day ≤ old ≤ 720 hours; anything else refuses the set, and so does what we do not know."""
    hours = case["hours"]
    whole = isinstance(hours, list) and len(hours) == 2 and all(type(n) is int for n in hours)
    good = whole and 1 <= hours[0] <= hours[1] <= 720
    assert case["expect"] == ("ok" if good else "refused")
    data = bytes.fromhex(case["rules"])
    if good:
        assert list(rules.accept_rules(data, keys=keys_of(load("rules"))).ages) == hours
    else:
        with pytest.raises(Rejected):
            rules.accept_rules(data, keys=keys_of(load("rules")))


def test_ages_are_written_only_where_they_are_not_a_day_and_three() -> None:
    key, keys = KEYS[Purpose.RULES], keys_of(load("rules"))
    plain = rules.sign_rules([], version=9, at=NOON, key=key)
    assert rules.sign_rules([], version=9, at=NOON, key=key, ages=Ages(24, 72)) == plain
    assert 4 not in loose(loose(plain).value[2])[-65543]
    other = rules.sign_rules([], version=9, at=NOON, key=key, ages=Ages(12, 48))
    assert rules.accept_rules(other, keys=keys).ages == (12, 48)
    assert rules.accept_rules(plain, keys=keys).ages == (24, 72)


@pytest.mark.parametrize("hours", [None, Ages(12, 48), Ages(1, 720)])
def test_a_gate_goes_by_the_ages_of_its_rule_set(hours: Ages | None) -> None:
    day, old = hours or (24, 72)
    ruleset = rules.RuleSet(1, NOON, NOON + 1, (), ages=hours) if hours else None
    text = base45.to_text(
        world.pass_token(world.a_pass(issued_at=NOON - 40 * 86_400, expires_at=NOON - 9 * 86_400))
    )
    said = {}
    for age in (day * 3600, day * 3600 + 1, old * 3600, old * 3600 + 1):
        shard = ShardState(world.URI, 3, NOON - age, bytes(2048), {})
        held = scan.Held(world.KEY_LIST, {world.URI: shard}, rules=ruleset)
        look = scan.Look([text], inward=True, device_time=NOON)
        found = scan.look(look, gate=scan.Gate(frozenset({world.HOME})), held=held)
        said[age] = found.situation.evidence.value
    assert list(said.values()) == ["day", "three_days", "three_days", "old"]


@pytest.mark.parametrize("case", load("receipts")["withdrawals"], ids=lambda c: c["name"])
def test_withdrawals(case: Case) -> None:
    file = load("receipts")
    said, device = bytes.fromhex(case["said"]), bytes.fromhex(file["device"])
    if case["expect"] == "refused":
        with pytest.raises(Rejected):
            passages.accept_withdrawal(said, device=device, keys=keys_of(file))
    else:
        assert passages.accept_withdrawal(said, device=device, keys=keys_of(file)) == NOON


def test_sealed_rows_open_and_say_what_was_written() -> None:
    file = load("receipts")
    private = private_key_from_seed(bytes.fromhex(file["seal_private"]))
    device = bytes.fromhex(file["device"])
    for row in file["rows"]:
        sealed = bytes.fromhex(row["sealed"])
        passage = passages.open_passage(sealed, private, device=device, seq=row["seq"])
        assert passages.encode_passage(passage).hex() == row["plain"]
        for other in (bytes(16), device):
            with pytest.raises(Rejected):
                passages.open_passage(sealed, private, device=other, seq=row["seq"] + (other == device))


@pytest.mark.parametrize("case", cases("sealing"), ids=lambda c: c["name"])
def test_sealing(case: Case) -> None:
    private = private_key_from_seed(bytes.fromhex(load("sealing")["private"]))
    values = {name: bytes.fromhex(case[name]) for name in ("sealed", "info", "aad")}

    def opened() -> bytes:
        return sealing.unseal(values["sealed"], private, info=values["info"], aad=values["aad"])

    if case["expect"] == "refused":
        with pytest.raises(Rejected):
            opened()
    else:
        assert opened().hex() == case["plain"]


@pytest.mark.parametrize("case", cases("numbers") + cases("base45"), ids=lambda c: repr(c["text"]))
def test_texts(case: Case) -> None:
    if "number" in case:
        assert read_pass_number(case["text"]) == case["number"]
    elif "bytes" in case:
        assert base45.decode(case["text"]).hex() == case["bytes"]
        assert base45.encode(bytes.fromhex(case["bytes"])) == case["text"]
    else:
        for read in (read_pass_number, base45.decode):
            if case in cases("numbers" if read is read_pass_number else "base45"):
                with pytest.raises(Rejected):
                    read(case["text"])
