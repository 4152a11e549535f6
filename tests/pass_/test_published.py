"""Published examples of the standards that passes are built on (passes §3.6); `vectors/published` names the sources."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import cbor2
import pytest

from lianfang_chain import cbor
from lianfang_pass import cose, statuslist, tokens
from lianfang_pass.errors import Rejected
from lianfang_pass.keys import PublicKey
from lianfang_pass.statuslist import ListStatus

pytestmark = pytest.mark.conformance
FOLDER = Path(__file__).parents[2] / "vectors" / "published"


def published(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text())


def key_of(pair: list[str]) -> PublicKey:
    return PublicKey(*(bytes.fromhex(half) for half in pair))


def parts_of(token: str) -> list[Any]:
    read: Any = cbor.decode(bytes.fromhex(token))
    parts: Any = read.value if isinstance(read, cbor.Tag) else read
    assert isinstance(parts, list)
    return parts


def signed(token: str, key: PublicKey) -> bool:
    head, _, body, signature = parts_of(token)
    return cose.Sign1({}, head, body, signature).verified_by(key)


COSE = published("cose")


@pytest.mark.parametrize("case", COSE["cases"], ids=lambda case: case["name"])
def test_the_working_groups_signatures(case: dict[str, Any]) -> None:
    key = key_of(case["key"])
    if case["to_sign"]:
        assert not signed(case["cbor"], key)
        assert key.verifies(bytes.fromhex(case["to_sign"]), parts_of(case["cbor"])[3]) is case["signed"]
    else:
        assert signed(case["cbor"], key) is case["signed"]
    for headers in ({cose.ALG}, {cose.ALG, 3}, {cose.ALG, cose.KID}, set()):
        with pytest.raises(Rejected):
            cose.read1(bytes.fromhex(case["cbor"]), protected_keys=frozenset(headers))


@pytest.mark.parametrize("name", COSE["other_algorithms"])
def test_other_algorithms_are_refused(name: str) -> None:
    token = COSE["other_algorithms"][name]
    assert parts_of(token)[2] == b"This is the content."  # read whole, and refused for what it is
    with pytest.raises(Rejected):
        cose.read1(bytes.fromhex(token), protected_keys=frozenset({cose.ALG}))


def test_the_claims_of_the_signed_cwt() -> None:
    claims: Any = cbor.decode(parts_of(COSE["cases"][0]["cbor"])[2])
    assert (claims[1], claims[2], claims[7]) == ("coap://as.example.com", "erikw", bytes.fromhex("0b71"))
    assert [(claims[n].number, claims[n].value) for n in (4, 5, 6)] == [
        (1, 1444064944), (1, 1443944944), (1, 1443944944),
    ]  # fmt: skip


def loosely(data: bytes) -> dict[Any, Any]:
    """Claims that are not in the order of their encoding: ours refuses them, another reader gives the values."""
    with pytest.raises(cbor.NotCanonical):
        cbor.decode(data)
    claims: dict[Any, Any] = cbor2.loads(data)
    return claims


def test_the_two_tokens_of_the_status_list() -> None:
    shown = published("status_list")
    key = key_of(shown["key"])
    assert signed(shown["list"], key)
    assert signed(shown["referenced"], key)
    head: Any = cbor.decode(parts_of(shown["list"])[0])
    assert head == {cose.ALG: -7, cose.TYP: statuslist.LIST_TYPE}
    said, claims = shown["list_claims"], loosely(parts_of(shown["list"])[2])
    names = {"sub": 2, "iat": 6, "exp": 4, "ttl": 65534}
    assert {name: claims[n] for name, n in names.items()} == {name: said[name] for name in names}
    inner = claims[65533]
    assert (inner["bits"], zlib.decompress(inner["lst"]).hex()) == (said["bits"], said["bytes"])
    said, claims = shown["referenced_claims"], loosely(parts_of(shown["referenced"])[2])
    assert claims == {
        1: said["iss"], 2: said["sub"], 4: said["exp"], 6: said["iat"],
        65535: {"status_list": {"idx": said["idx"], "uri": said["uri"]}},
    }  # fmt: skip


def test_the_list_of_a_million_entries_is_ours_byte_for_byte() -> None:
    shown = published("status_list")["two_bits"]
    read = loosely(bytes.fromhex(shown["cbor"]))
    statuses = {int(index): ListStatus(value) for index, value in shown["set"].items()}
    bits = zlib.decompress(read["lst"])
    assert bytes(statuslist.pack(statuses, shown["entries"])) == bits
    assert zlib.compress(bits, 9) == read["lst"]
    held = statuslist.ShardState("", 1, 0, bits, {})
    for index in [*statuses, 1, 1992, 1994, shown["entries"] - 1]:
        row = held.row(index)
        assert row is not None
        assert row.status is statuses.get(index, ListStatus.VALID)
    assert held.row(shown["entries"]) is None


def test_the_token_with_key_binding() -> None:
    shown = published("kbt")
    assert signed(shown["cbor"], key_of(shown["key"]))
    head, unprotected, body, _ = parts_of(shown["cbor"])
    read: Any = cbor.decode(head)
    assert (sorted(read), read[cose.ALG], read[cose.TYP]) == (shown["headers"], shown["alg"], shown["typ"])
    assert read[cose.KCWT].number == 18
    assert unprotected == {}
    said = shown["claims"]
    assert cbor.decode(body) == {3: said["aud"], 6: said["iat"], 39: bytes.fromhex(said["cnonce"])}
    with pytest.raises(Rejected):
        tokens.read(bytes.fromhex(shown["cbor"]))
