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
        newer = case["name"] == "a witness that is not in the policy"
        assert ("NOT YET CHECKED" if newer else "NOT PROVED") in capsys.readouterr().out


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


def test_a_key_that_was_replaced_is_not_called_the_organs(
    files: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """A stolen key goes on signing; what tells its entries is that they stand behind the announcement of the next."""
    vectors = load("paper.json")
    (files / "organs.txt").write_text(vectors["succession"]["organs"], encoding="utf-8")
    for case in vectors["good"][:4]:
        code = verify(files, case["qr"].encode(), "--organs", str(files / "organs.txt"))
        said = capsys.readouterr().out
        behind = case["index"] > 4
        assert code == (3 if behind else 0), case["name"]
        assert ("✔ 东区疾病预防控制中心" in said) != behind
        assert ("signed by a key of cdc that was already replaced: entry 4 announced" in said) == behind


def test_what_others_wrote_cannot_speak_for_the_verifier(
    files: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """A disclosure that cleared the screen and wrote "signed by the organ" underneath; a basis and a term alike."""
    assert verify(files, load("paper.json")["spoof"].encode()) == 0
    said = capsys.readouterr().out
    assert said.count("\n✔") == 1  # the other begins the first line
    assert [line for line in said.split("\n") if line.startswith("签名 organ")] == [
        "签名 organ          没有核对（用 --organs） not checked (give --organs)"
    ]
    assert "内容 Text (text) = 我不同意⏎签名 organ          ✔ 疾控 (cdc) 本单位签名�[2J�[H✔ 已证明\n" in said
    assert "依据 basis          �依据⏎截至 as of" in said
    assert "(why) = ⏎✔ 已证明⏎✔ PROVED\n" in said
    assert not [c for c in said if c != "\n" and not c.isprintable()]


def test_what_is_refused_cannot_speak_for_the_verifier_either(
    files: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """The name of a key, in a note that anybody can write and in a trust file."""
    paper = load("paper.json")
    note = paper["checkpoint_257"].replace("— chain.demo.example/d510402/community", "— x\x9b2J")
    (files / "three.txt").write_text(paper["policy"].replace("three 2", "three 3"))
    assert verify(files, note.encode(), policy="three.txt") == 1
    said = capsys.readouterr().out
    assert "x�2J is not in this trust file" in said
    (files / "bad.txt").write_text(f"log {LOG.key}\nquorum x\x9b2J\n")
    assert verify(files, b"x", policy="bad.txt") == 2
    assert "x�2J is not defined above" in capsys.readouterr().err


def test_where_the_trust_file_asks_for_no_witness_none_is_said_to_have_signed(
    files: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    paper = load("paper.json")
    (files / "none.txt").write_text(paper["policy"].replace("quorum three", "quorum none"))
    for case in (paper["good"][0], paper["good"][-1]):
        for data in (case["qr"], case["tlog_proof"].partition("\n\n")[2]):
            assert verify(files, data.encode(), policy="none.txt") == 0
            said = capsys.readouterr().out
            assert "The trust file asks for no witness" in said
            assert "a quorum saw it" not in said


def test_an_entry_beside_what_is_about_none_is_not_passed_over(
    files: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    case, entry = load("paper.json")["good"][0], files / "entry"
    entry.write_bytes(bytes.fromhex(load("entries.json")["entries"][0]["bytes"]))
    for data in (
        case["qr"].encode(),
        bytes.fromhex(case["proof"]),
        load("paper.json")["checkpoint_257"].encode(),
    ):
        assert verify(files, data, "--entry", str(entry)) == 2
        assert "Nothing was checked" in capsys.readouterr().out


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


def test_papers_of_all_times_are_judged_by_who_was_in_office(
    files: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = load("moved.json")
    for n, text in enumerate(moved["policies"]):
        (files / f"{n}.txt").write_text(text)
    for case in moved["papers"]:
        for n, expected in enumerate(case["by_file"]):
            code = verify(files, case["qr"].encode(), policy=f"{n}.txt")
            said = capsys.readouterr().out
            if expected == "unknown":
                assert (code, "your file may be the older one" in said) == (1, True), case["name"]
                continue
            quorum, changed = expected
            assert code == (0 if quorum else 3), case["name"]
            assert ("It holds under the witnesses before" in said) == bool(quorum and changed), case["name"]
            assert (f"(entry {changed})" in said) == bool(quorum and changed)


def test_a_proof_file_with_a_line_of_an_unknown_witness_is_not_called_unwitnessed(
    files: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whom an older trust file does not name may be the rest of the quorum; where there is one, the line is passed over."""
    moved = load("moved.json")
    for n, text in enumerate(moved["policies"]):
        (files / f"{n}.txt").write_text(text)
    for case in moved["papers"]:
        (files / "entry").write_bytes(bytes.fromhex(case["entry"]))
        for n, expected in enumerate(case["tlog_by_file"]):
            for data, words in (
                (case["tlog_proof"], ["--entry", str(files / "entry")]),
                (case["tlog_proof"].partition("\n\n")[2], []),  # the checkpoint alone
            ):
                code = verify(files, data.encode(), *words, policy=f"{n}.txt")
                said = capsys.readouterr().out
                unknown, few = "NOT YET CHECKED" in said, "NOT YET WITNESSED" in said
                if expected == "unknown":
                    assert (code, unknown, few) == (1, True, False), case["name"]
                else:
                    assert (code, unknown, few) == (0 if expected[0] else 3, False, not expected[0]), case[
                        "name"
                    ]
    assert (
        verify(files, data.replace("\n10\n", "\n11\n").encode(), policy="2.txt") == 1
    )  # what the log did not sign


def test_of_several_files_of_one_log_the_newest_judges_and_each_chain_by_its_own(
    files: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = load("moved.json")
    first, last = moved["policies"][0], moved["policies"][2]
    (files / "first.txt").write_text(first)
    (files / "last.txt").write_text(last)
    for case in moved["papers"]:
        for one, other in (("first.txt", "last.txt"), ("last.txt", "first.txt")):
            code = verify(files, case["qr"].encode(), "--policy", str(files / other), policy=one)
            # A key that left counts for nothing behind its change, although the older file is there too.
            assert code == (0 if case["by_file"][2][0] else 3), case["name"]
    (files / "another.txt").write_text(f"log {LOG.key}\nquorum none\n")
    case = load("paper.json")["good"][0]
    given = ("--policy", str(files / "policy.txt"), "--organs", str(files / "organs.txt"))
    assert verify(files, case["qr"].encode(), *given, policy="another.txt") == 0
    assert "本单位签名" in capsys.readouterr().out
    assert verify(files, case["qr"].encode(), policy="another.txt") == 1


def test_readings_and_evidence_of_forks(files: Any, capsys: pytest.CaptureFixture[str]) -> None:
    readings, evidence = load("readings.json"), load("evidence.json")
    assert verify(files, readings["good"].encode()) == 0
    said = capsys.readouterr().out
    assert readings["reading"]["pseudonym"] in said
    for case in readings["bad"]:
        assert verify(files, case["proof"].encode()) == 1, case["name"]
    for case in evidence["good"]:
        assert verify(files, case["file"].encode()) == 0, case["name"]
    for case in evidence["bad"]:
        assert verify(files, case["file"].encode()) == 1, case["name"]


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
