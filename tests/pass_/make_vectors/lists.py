"""What a gate holds: the list of keys, status lists and their changes."""

from __future__ import annotations

from typing import Any

from lianfang_pass import statuslist
from lianfang_pass.keylist import KeyList, ListedKey, Purpose, accept_key_list, sign_key_list
from lianfang_pass.keys import PublicKey
from lianfang_pass.statuslist import Change, ListStatus, ShardState
from tests.pass_ import theirs, world
from tests.pass_.world import DAY, HOUR, KEY_LIST, KEYS, NOON, URI

from .parts import Case, keys_json, resigned, shard_json

SIZE = 100_000


def keylist_file() -> Case:
    root, thumb = world.ROOT, PublicKey.of(world.ROOT).thumbprint
    old = world.listed()
    stolen = ListedKey(old[0].key, old[0].purpose, old[0].not_before, old[0].expires_at, NOON - HOUR)
    withdrawn = sign_key_list([stolen, *old[1:]], version=4, at=NOON, root=root)
    back = sign_key_list(old, version=5, at=NOON + HOUR, root=root)
    unknown = [*old, ListedKey(PublicKey.of(world.STRANGER), "future-purpose", NOON, NOON + DAY)]
    steps: list[tuple[str, bytes, str]] = [
        ("the first list", world.KEYS_BYTES, "ok"),
        ("the same again", world.KEYS_BYTES, "ok"),
        ("an older version", sign_key_list(old, version=2, at=NOON, root=root), "refused"),
        (
            "the same version with other content",
            sign_key_list(old[1:], version=3, at=NOON, root=root),
            "refused",
        ),
        ("another root key", sign_key_list(old, version=9, at=NOON, root=world.STRANGER), "refused"),
        (
            "an unknown format",
            resigned(world.KEYS_BYTES, root, payload={-65538: 9, -65541: {1: 2, 2: []}}),
            "refused",
        ),
        ("an unknown field", resigned(world.KEYS_BYTES, root, payload={-65538: 9, -65600: 0}), "refused"),
        ("another type", resigned(world.KEYS_BYTES, root, protected={16: "application/x"}), "refused"),
        ("a key withdrawn", withdrawn, "ok"),
        ("the withdrawn key listed again: accepted, and still withdrawn", back, "ok"),
        ("a purpose nobody knows yet", sign_key_list(unknown, version=6, at=NOON + HOUR, root=root), "ok"),
        (
            "written by another implementation",
            theirs.written(sign_key_list(old, version=7, at=NOON + HOUR, root=root), root),
            "ok",
        ),
    ]
    held: KeyList | None = None
    cases = []
    kid = old[0].key.kid
    for name, data, expect in steps:
        case: Case = {"name": name, "list": data.hex(), "expect": expect}
        if expect == "ok":
            held = accept_key_list(data, root=PublicKey.of(root), thumbprint=thumb, held=held)
            case |= {
                "version": held.version,
                "issued_at": held.issued_at,
                "expires_at": held.expires_at,
                "keys": len(held.keys),
                "withdrawn": sorted(print_.hex() for print_ in held.withdrawn),
                "pass_key_usable": bool(list(held.candidates(kid, Purpose.PASS, signed_at=NOON))),
            }
        cases.append(case)
    return {
        "about": "Key lists taken one after another by one device. `pass_key_usable`: whether the first key may "
        "still verify a pass signed at `at`.",
        "root": PublicKey.of(root).point().hex(),
        "root_thumbprint": thumb.hex(),
        "at": NOON,
        "cases": cases,
    }


def example_shard() -> tuple[dict[int, ListStatus], dict[int, int | None]]:
    statuses = {
        3: ListStatus.INVALID,
        7: ListStatus.REFER,
        4711: ListStatus.SUSPENDED,
        4712: ListStatus.SUSPENDED,
        99_999: ListStatus.SUSPENDED,
    }
    ends: dict[int, int | None] = {4711: 1_581_609_600, 4712: None, 99_999: NOON + 90 * 60}
    return statuses, ends


def whole(version: int, at: int, *, uri: str = URI) -> tuple[bytes, bytes]:
    statuses, ends = example_shard()
    key = KEYS[Purpose.STATUSLIST]
    bits = statuslist.pack(statuses, SIZE)
    return (
        statuslist.sign_list(bits, uri=uri, version=version, at=at, key=key),
        statuslist.sign_until(ends, uri=uri, version=version, at=at, key=key),
    )


def delta(
    changes: list[Change], begins: int, ends: int, at: int, *, uri: str = URI, key: Any = None
) -> bytes:
    return statuslist.sign_delta(
        changes, uri=uri, from_version=begins, to_version=ends, at=at, key=key or KEYS[Purpose.DELTA]
    )


def lists_file() -> Case:
    probe = [0, 3, 7, 4711, 4712, 4713, 99_999, 100_000, 100_003, 2**31]
    first, first_until = whole(17, NOON - 12 * HOUR)
    later, later_until = whole(19, NOON)
    lifted = [Change(4711, ListStatus.VALID), Change(4713, ListStatus.SUSPENDED, 1_581_609_600)]
    grown = [Change(100_001, ListStatus.SUSPENDED, None), Change(100_003, ListStatus.INVALID)]
    key = KEYS[Purpose.STATUSLIST]
    ok_delta = delta(lifted, 17, 18, NOON - HOUR)
    steps: list[tuple[str, str, list[bytes], str]] = [
        ("a delta before any list", "delta", [ok_delta], "refused"),
        ("list and until list", "list", [first, first_until], "ok"),
        ("the same again", "list", [first, first_until], "refused"),
        ("a list and the until list of another version", "list", [later, first_until], "refused"),
        ("a list of another shard", "list", list(whole(20, NOON, uri=world.OTHER_URI)), "refused"),
        (
            "a list signed with the key of deltas",
            "list",
            [resigned(later, KEYS[Purpose.DELTA]), later_until],
            "refused",
        ),
        (
            "one bit per index",
            "list",
            [resigned(later, key, payload={65533: {"bits": 1, "lst": b"x"}}), later_until],
            "refused",
        ),
        (
            "not zlib",
            "list",
            [resigned(later, key, payload={65533: {"bits": 2, "lst": b"x"}}), later_until],
            "refused",
        ),
        ("an unknown claim", "list", [resigned(later, key, payload={-65600: 1}), later_until], "refused"),
        (
            "until list of an unknown format",
            "list",
            [later, resigned(later_until, key, payload={-65540: {1: 2, 2: 0, 3: b""}})],
            "refused",
        ),
        ("a delta", "delta", [ok_delta], "ok"),
        ("the same delta again", "delta", [ok_delta], "refused"),
        ("a delta over a gap", "delta", [delta(grown, 19, 20, NOON)], "refused"),
        ("a delta backwards", "delta", [delta(grown, 18, 17, NOON)], "refused"),
        ("a delta of another shard", "delta", [delta(grown, 18, 19, NOON, uri=world.OTHER_URI)], "refused"),
        ("a delta signed with the key of lists", "delta", [delta(grown, 18, 19, NOON, key=key)], "refused"),
        (
            "a delta that ends inside a number",
            "delta",
            [resigned(ok_delta, KEYS[Purpose.DELTA], payload={-65539: {1: 1, 2: 18, 3: 19, 4: b"\x80"}})],
            "refused",
        ),
        (
            "a delta with a number in a longer form",
            "delta",
            [resigned(ok_delta, KEYS[Purpose.DELTA], payload={-65539: {1: 1, 2: 18, 3: 19, 4: b"\x80\x00"}})],
            "refused",
        ),
        ("a delta beyond the list", "delta", [delta(grown, 18, 19, NOON - 60)], "ok"),
        ("a whole list after deltas, not newer", "list", [later, later_until], "refused"),
        ("an older list", "list", [first, first_until], "refused"),
        ("a newer list", "list", list(whole(21, NOON + HOUR)), "ok"),
        (
            "both lists written by another implementation",
            "list",
            [theirs.written(data, key) for data in whole(22, NOON + 2 * HOUR)],
            "ok",
        ),
        (
            "a delta written by another implementation",
            "delta",
            [theirs.written(delta(lifted, 22, 23, NOON + 2 * HOUR), KEYS[Purpose.DELTA])],
            "ok",
        ),
    ]
    held: ShardState | None = None
    cases = []
    for name, kind, data, expect in steps:
        case: Case = {"name": name, "kind": kind, "expect": expect}
        case |= (
            {"list": data[0].hex(), "until": data[1].hex()} if kind == "list" else {"delta": data[0].hex()}
        )
        if expect == "ok":
            if kind == "list":
                held = statuslist.accept_list(*data, uri=URI, keys=KEY_LIST, held=held)
            else:
                assert held is not None
                held = statuslist.accept_delta(data[0], keys=KEY_LIST, held=held)
            case["held"] = shard_json(held, probe)
        cases.append(case)
    return {
        "about": "Status files taken one after another by one device for one shard; what is refused changes "
        "nothing. `held.rows`: index to status (0 VALID, 1 INVALID, 2 SUSPENDED, 3 REFER) and end; null = the list "
        "does not reach so far.",
        "keys": keys_json(),
        "uri": URI,
        "cases": cases,
    }
