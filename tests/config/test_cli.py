"""What README and docs tell people to type is what the command understands."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest

from lianfang.config.cli import _parser, source_root

if TYPE_CHECKING:
    from collections.abc import Iterator


def _commands() -> Iterator[tuple[str, str]]:
    root = source_root()
    for page in [root / "README.md", root / "README.zh.md", *sorted((root / "docs").rglob("*.md"))]:
        text = page.read_text()
        quoted = re.findall(r"`(?:[A-Z_]+=\S+ )?(?:\./)?lianfang ([^`]+)`", text)
        blocks = re.findall(r"^(?:\./)?lianfang ([^\n#]+)", text, re.MULTILINE)
        for command in dict.fromkeys(quoted + blocks):
            yield str(page.relative_to(root)), " ".join(command.split())


COMMANDS = sorted(set(_commands()))


def test_there_are_commands_in_the_docs() -> None:
    assert len(COMMANDS) > 20


@pytest.mark.parametrize(("page", "command"), COMMANDS)
def test_a_command_of_the_docs_is_understood(
    page: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (
        re.sub(r"\[[^\]]*\]", "", command).replace("|release", "").replace("|district", "").replace("…", "")
    )
    words = re.sub(r"\b(N|PORT)\b", "1", words)
    try:
        _, rest = _parser().parse_known_args(shlex.split(words))
    except SystemExit:
        # A sentence may name a command by its first words; none may name what is not there.
        if "the following arguments are required" not in capsys.readouterr().err:
            pytest.fail(f"{page}: lianfang {command}")
        return
    if words.split()[0] not in {"test", "manage"}:
        assert rest == [], f"{page}: lianfang {command}"


def test_the_data_folder_may_stand_on_either_side() -> None:
    for words in (["--data", "a", "up"], ["up", "--data", "a"], ["--data", "b", "up", "--data", "a"]):
        assert str(_parser().parse_args(words).data) == "a"
    assert _parser().parse_args(["up"]).data is None
