"""How long the worst garbage takes to its verdict, in Python and in the gate's bundle: the guard waits at most 300 ms."""

from __future__ import annotations

import json
import random  # noqa: TID251 - seeded: the same garbage on every run
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lianfang.config.islands import WEB, ensure_built, node_executable

from .rows import line

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_MS: Final = 300
COUNT: Final = 10_000
#: One in so many is as large as a code may be, or far beyond: up to 900,000 characters.
HUGE: Final = 100
_SEED: Final = 45
_VECTORS: Final = Path(__file__).parents[2] / "vectors" / "pass"
_SIGNS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


def garbage() -> Iterable[dict[str, Any]]:
    """The slowest and the 99th of a hundred of 10,000 texts that no gate may take for a proof."""
    texts = list(_texts())
    for where, (slowest, p99) in (("Python", _by_python(texts)), ("gate bundle", _by_bundle(texts))):
        unit = f"ms, the slowest of {COUNT:,} (seed {_SEED}; 99 of 100 within {p99:.2f}; limit: the promise)"
        yield line(f"verdict of garbage, {where}", slowest, LONGEST_MS, unit, 1.0, most=True)


def _vector(name: str) -> Any:
    return json.loads((_VECTORS / f"{name}.json").read_text())


def _texts() -> Iterable[str]:
    from lianfang_pass import base45

    dice = random.Random(_SEED)
    good = [_vector(name)["cases"][0]["text"] for name in ("passes", "codes")]
    for number in range(COUNT):
        if number % HUGE == 0:
            size = dice.choice((dice.randrange(2_000, 2_860), dice.randrange(10_000, 600_000)))
            filling = dice.choice(
                (b"\x81", b"\xa1\x01", b"\xd2", b"\x5a\x00\xff\xff\xff", dice.randbytes(97))
            )
            yield base45.to_text((filling * size)[:size])
            continue
        text = dice.choice(good)
        kind = number % 4
        if kind == 0:  # one sign of a good code is another
            at = dice.randrange(len(text))
            yield text[:at] + dice.choice([sign for sign in _SIGNS if sign != text[at]]) + text[at + 1 :]
        elif kind == 1:  # one byte of a good token is another
            token = bytearray(base45.from_text(text))
            token[dice.randrange(len(token))] ^= dice.randrange(1, 256)
            yield base45.to_text(bytes(token))
        elif kind == 2:  # signs of a code in no order
            yield "LF1:" + "".join(dice.choices(_SIGNS, k=dice.randrange(4_000)))
        else:  # anything a scanner can type
            yield "".join(chr(dice.choice((dice.randrange(128), dice.randrange(0xD000)))) for _ in range(200))


def _by_python(texts: list[str]) -> tuple[float, float]:
    from lianfang_pass import scan, statuslist
    from lianfang_pass.keylist import accept_key_list
    from lianfang_pass.keys import PublicKey

    of = _vector("scan")
    root = PublicKey.from_point(bytes.fromhex(of["keys"]["root"]))
    keys = accept_key_list(
        bytes.fromhex(of["keys"]["list"]),
        root=root,
        thumbprint=bytes.fromhex(of["keys"]["root_thumbprint"]),
    )
    shard = statuslist.accept_list(
        bytes.fromhex(of["list"]), bytes.fromhex(of["until"]), uri=of["uri"], keys=keys
    )
    held, gate = scan.Held(keys, {shard.uri: shard}, floor=of["held_floor"]), scan.Gate(frozenset({"m1k"}))
    spent = []
    for text in texts:
        began = time.perf_counter()
        out = scan.look(scan.Look([text], inward=False, device_time=of["held_floor"]), gate=gate, held=held)
        spent.append((time.perf_counter() - began) * 1000)
        assert out.decision.verdict == "CALL", text
    return _worst(spent)


def _by_bundle(texts: list[str]) -> tuple[float, float]:
    ensure_built()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "texts.json"
        file.write_text(json.dumps(texts))
        command = [str(node_executable()), str(WEB / "bench" / "garbage.mjs"), str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return _worst(json.loads(done.stdout))


def _worst(spent: list[float]) -> tuple[float, float]:
    assert len(spent) == COUNT
    return max(spent), sorted(spent)[COUNT * 99 // 100]
