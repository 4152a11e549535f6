"""`lianfang-verify`: every kind of proof, in words, with an exit code that a script can trust."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.chain.logs import LOG, SmallLog
from tests.chain.test_vectors import load

from lianfang_chain.evidence import ForkEvidence
from lianfang_chain.verify import main, one_file


@pytest.fixture
def files(tmp_path: Path) -> Any:
    vectors = load("paper.json")
    for name, content in [
        ("policy.txt", vectors["policy"]),
        ("strict.txt", vectors["strict_policy"]),
        ("organs.txt", vectors["organs"]),
    ]:
        (tmp_path / name).write_text(content, encoding="utf-8")
    return tmp_path


def verify(files: Any, data: Any, *words: Any, policy: Any = "policy.txt") -> Any:
    (files / "proof").write_bytes(data)
    return main(["--policy", str(files / policy), *words, str(files / "proof")])


def test_good_papers_are_proved_or_called_not_yet_witnessed(
    files: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    for case in load("paper.json")["good"]:
        for data in (bytes.fromhex(case["proof"]), case["qr"].encode(), case["qr"].encode() + b"\n"):
            code = verify(files, data, "--organs", str(files / "organs.txt"))
            words = capsys.readouterr().out
            assert code == (0 if case["quorum"] else 3)
            assert ("已证明" in words) == case["quorum"]
            assert ("NOT YET WITNESSED" in words) != case["quorum"]
            assert f"截至 as of          {case['size']} " in words
            assert "lawful" in words
            for value in case["disclosed"].values():
                assert str(value) in words
        assert verify(files, case["qr"].encode(), policy="strict.txt") == (0 if case["strict_quorum"] else 3)
        capsys.readouterr()


def test_bad_papers_are_not_proved(files: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for case in load("paper.json")["bad"]:
        assert verify(files, bytes.fromhex(case["proof"])) == 1, case["name"]
        assert "NOT PROVED" in capsys.readouterr().out


def test_it_says_whose_signature_the_act_carries(files: Any, capsys: pytest.CaptureFixture[str]) -> None:
    case = load("paper.json")["good"][0]
    assert verify(files, case["qr"].encode(), "--organs", str(files / "organs.txt")) == 0
    said = capsys.readouterr().out
    assert "✔ 东区疾病预防控制中心 / Disease control centre, East District (cdc) 本单位签名" in said
    assert "signed by cdc" in said

    others = load("paper.json")["shorter_organs"]
    (files / "organs.txt").write_text(others)
    assert verify(files, case["qr"].encode(), "--organs", str(files / "organs.txt")) == 3
    assert "the list has no such key" in capsys.readouterr().out

    (files / "organs.txt").write_text(others.replace("street-2", "street-3"))  # no longer what the log signed
    assert verify(files, case["qr"].encode(), "--organs", str(files / "organs.txt")) == 2


def test_a_proof_file_is_checked_against_its_entry(files: Any, capsys: pytest.CaptureFixture[str]) -> None:
    case, entries = load("paper.json")["good"][0], load("entries.json")["entries"]
    right = next(e for e in entries if e["leaf_hash"] == case["leaf_hash"])
    wrong = next(e for e in entries if e["leaf_hash"] != case["leaf_hash"])
    data = case["tlog_proof"].encode()
    (files / "entry").write_bytes(bytes.fromhex(right["bytes"]))
    assert verify(files, data, "--entry", str(files / "entry")) == 0
    (files / "entry").write_bytes(bytes.fromhex(wrong["bytes"]))
    assert verify(files, data, "--entry", str(files / "entry")) == 1
    assert verify(files, data) == 2
    capsys.readouterr()


def test_evidence_of_a_fork_is_checked(files: Any, capsys: pytest.CaptureFixture[str]) -> None:
    one, two = SmallLog().grow(5), SmallLog().grow(5, "other")
    evidence = str(ForkEvidence(one.note(), two.note(), one.roots[5], ()))
    (files / "policy.txt").write_text(f"log {LOG.key}\nquorum none\n")
    # `root` is the larger one's root at the smaller size; with equal sizes it is the larger one's own.
    assert verify(files, evidence.encode()) == 1
    evidence = str(ForkEvidence(one.note(), two.note(), two.roots[5], ()))
    assert verify(files, evidence.encode()) == 0
    assert "分叉属实" in capsys.readouterr().out


def test_wrong_calls_say_so(files: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert main(["--policy", str(files / "none"), str(files / "policy.txt")]) == 2
    (files / "bad.txt").write_text("quorum x\n")
    assert verify(files, b"x", policy="bad.txt") == 2
    capsys.readouterr()


def test_as_one_file_it_runs_without_this_project(files: Any) -> None:
    program = files / "verify.pyz"
    program.write_bytes(one_file())
    assert one_file() == program.read_bytes()
    case = load("paper.json")["good"][0]
    (files / "proof").write_text(case["qr"])
    done = subprocess.run(
        [sys.executable, "-I", str(program), "--policy", str(files / "policy.txt"), str(files / "proof")],
        capture_output=True,
        text=True,
        check=False,
        cwd=files,
        env={"PYTHONIOENCODING": "utf-8"},
    )
    assert done.returncode == 0, done.stderr
    assert "PROVED" in done.stdout
