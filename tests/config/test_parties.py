"""The three parties on this machine: names and keys stay, ports give way."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

from lianfang.config import parties

if TYPE_CHECKING:
    from pathlib import Path


def test_a_second_start_changes_nothing(tmp_path: Path) -> None:
    first = parties.prepare(tmp_path, host="lianfang.test", first_port=28471)
    before = (tmp_path / "chain.json").read_bytes()
    assert parties.prepare(tmp_path, host="another.test", first_port=28600) == first
    assert (tmp_path / "chain.json").read_bytes() == before


def test_a_witness_moves_when_its_port_was_taken_and_keeps_its_key(tmp_path: Path) -> None:
    first = parties.prepare(tmp_path, host="lianfang.test", first_port=28471)
    keys = [w["vkey"] for w in json.loads((tmp_path / "chain.json").read_text())["witnesses"]]
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", first[1].port))
        stranger.listen()
        second = parties.prepare(tmp_path, host="lianfang.test", first_port=28471)
    assert [p.port for p in second][0::2] == [p.port for p in first][0::2]
    assert len({p.port for p in second}) == 3
    assert second[1].port != first[1].port
    assert [w["vkey"] for w in json.loads((tmp_path / "chain.json").read_text())["witnesses"]] == keys


def test_a_witness_of_this_machine_keeps_what_the_log_shows_it(tmp_path: Path) -> None:
    parties.prepare(tmp_path, host="lianfang.test", first_port=28471)
    file = tmp_path / "chain.json"
    content = json.loads(file.read_text())
    content["witnesses"][1]["places"] = "d1.s1,d1.s2"
    file.write_text(json.dumps(content))
    everything, own, _ = parties.prepare(tmp_path, host="lianfang.test", first_port=28471)
    words = own.command(python="python", log_url="u", log_vkey="v")
    assert words[-4:] == ["--place", "d1.s1", "--place", "d1.s2"]
    assert "--place" not in everything.command(python="python", log_url="u", log_vkey="v")
