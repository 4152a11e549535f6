"""Chinese is the source of every sentence and English is complete: nothing untranslated, nothing hidden from it."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from babel.messages.pofile import read_po

import lianfang

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE: Final = Path(lianfang.__file__).parent
HAN: Final = re.compile(r"[\u3400-\u9fff]")
TEMPLATES: Final = sorted(SOURCE.rglob("templates/**/*.html"))
_GETTEXT: Final = {"gettext", "gettext_lazy", "_", "ngettext", "pgettext", "pgettext_lazy", "ngettext_lazy"}
#: `{% trans %}` and `{% translate %}` in either quote, with or without a filter or `as`.
_TRANS: Final = re.compile(
    r"""\{%-?\s*trans(?:late)?\s+(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')[^%]*%\}"""
)
_BLOCK: Final = re.compile(
    r"\{%-?\s*blocktrans(?:late)?\b([^%]*)%\}(.*?)\{%\s*endblocktrans(?:late)?\s*%\}", re.S
)
_FILTER: Final = re.compile(r"""_\((?:"([^"]*)"|'([^']*)')\)""")
_COMMENT: Final = re.compile(r"\{#.*?#\}|\{%\s*comment\s*%\}.*?\{%\s*endcomment\s*%\}|<!--.*?-->", re.S)
_FOREIGN: Final = re.compile(r"<(\w+)[^>]*\blang=\"[^\"]+\"[^>]*>.*?</\1>", re.S)

#: Files whose Chinese is no sentence for a reader of the page, each with the reason.
DATA: Final = {
    "accounts/actions/organs.py": "names of organs, which are Chinese in every language",
    "config/founding.py": "names of organs, which are Chinese in every language",
    "people/naming.py": "surnames",
    "people/pinyin.py": "a table of characters",
    "audit/actions.py": "what an entry of the chain names as its basis",
    "audit/check.py": "goes into the evidence as it is; each line says it in both languages",
    "orders/actions/holding.py": "what an entry of the chain names as its basis",
    "gates/policy.py": "reasons as the gates write them into rows; labels.py says them",
    "ledger/actions.py": "what an entry of the chain names as its basis",
    "ledger/policy.py": "what an entry of the chain names as its basis",
}
#: Folders whose Chinese is content: invented names of the demonstration, words on papers that are Chinese by law.
CONTENT: Final = ("config/demo", "messaging", "people/roster", "rules", "gates/files")
#: Stands alone, before any translation could be loaded; says everything in both languages.
BOTH: Final = {"500.html"}


def _messages(template: str) -> Iterator[str]:
    for quoted in (*_TRANS.finditer(template), *_FILTER.finditer(template)):
        yield quoted.group(1) if quoted.group(1) is not None else quoted.group(2)
    for block in _BLOCK.finditer(template):
        text = block.group(2).split("{% plural %}")[0]
        text = re.sub(r"\{\{\s*(\w+)[^}]*\}\}", r"%(\1)s", text)
        yield (
            " ".join(line.strip() for line in text.split("\n")).strip()
            if "trimmed" in block.group(1)
            else text
        )


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda f: str(f.relative_to(SOURCE)))
def test_no_template_says_anything_outside_translation(file: Path) -> None:
    if file.name in BOTH:
        return
    bare = _COMMENT.sub("", file.read_text())
    for known in (_BLOCK, _TRANS, _FILTER, _FOREIGN):
        bare = known.sub("", bare)
    left = [line.strip() for line in bare.splitlines() if HAN.search(line)]
    assert not left, left


def _docstrings(tree: ast.AST) -> set[int]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body
            if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
                found.add(id(body[0].value))
    return found


def _with_english(tree: ast.AST) -> set[int]:
    """Strings that carry their English with them, inside or beside: for papers and machines, which show both."""
    found: set[int] = set()
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and re.search("[A-Za-z]{3}", node.value)
        ):
            found.add(id(node))
        sides = node.elts if isinstance(node, ast.Tuple) else node.args if isinstance(node, ast.Call) else []
        words = [n for n in sides if isinstance(n, ast.Constant) and isinstance(n.value, str)]
        if len(words) == 2 and HAN.search(str(words[0].value)) and not HAN.search(str(words[1].value)):
            found.add(id(words[0]))
    return found


def _python() -> list[Path]:
    def is_content(file: Path) -> bool:
        name = file.relative_to(SOURCE).as_posix()
        return name in DATA or name.startswith(CONTENT) or "/migrations/" in name

    return [f for f in sorted(SOURCE.rglob("*.py")) if not is_content(f)]


@pytest.mark.parametrize("file", _python(), ids=lambda f: str(f.relative_to(SOURCE)))
def test_no_code_says_anything_outside_translation(file: Path) -> None:
    tree = ast.parse(file.read_text())
    told = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in _GETTEXT
        for inner in ast.walk(node)
    }
    told |= _docstrings(tree) | _with_english(tree)
    messages = {n.value for n in ast.walk(tree) if id(n) in told and isinstance(n, ast.Constant)}
    left = [
        (node.lineno, node.value)
        for node in ast.walk(tree)
        # One or two characters are marks of masking, separators and units, which no language translates.
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told
        if len(HAN.findall(node.value)) > 2
        # A paper that is Chinese by law may say untranslated what the file's pages say translated.
        and node.value not in messages
    ]
    assert not left, left


def msgids(room: Path) -> set[str]:
    """Every message of a room's templates and code."""
    found: set[str] = set()
    for file in room.rglob("*.html"):
        found |= set(_messages(_COMMENT.sub("", file.read_text())))
    for file in room.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            first = node.args[1] if called.startswith("pgettext") and len(node.args) > 1 else node.args[0]
            if called in _GETTEXT and isinstance(first, ast.Constant) and isinstance(first.value, str):
                found.add(first.value)
    return {m for m in found if HAN.search(m)}


def _english() -> dict[str, str]:
    """All rooms' English: Django looks through all of them."""
    found: dict[str, str] = {}
    for po in SOURCE.glob("*/locale/en/LC_MESSAGES/django.po"):
        with po.open("rb") as file:
            for message in read_po(file, abort_invalid=True):
                key = message.id[0] if isinstance(message.id, tuple) else message.id
                value = message.string[0] if isinstance(message.string, tuple) else message.string
                if key and not message.fuzzy:
                    found[str(key)] = str(value or "")
    return found


ROOMS: Final = sorted(p for p in SOURCE.iterdir() if p.is_dir() and p.name != "__pycache__")


@pytest.mark.parametrize("room", ROOMS, ids=lambda p: str(p.name))
def test_english_is_complete(room: Path) -> None:
    english = _english()
    missing = sorted(m for m in msgids(room) if not english.get(m))
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize("room", ROOMS, ids=lambda p: str(p.name))
def test_english_keeps_what_is_filled_in(room: Path) -> None:
    """`{order_no}` and `%(n)s` of a message stand in its translation too, and no Chinese is left in it."""
    english = _english()
    slots = re.compile(r"%\(\w+\)[sd]|\{\w*\}")
    for message in msgids(room):
        if told := english.get(message):
            assert sorted(slots.findall(message)) == sorted(slots.findall(told)), message
            # A name given as an example stays Chinese, and so do words, in quotes, that a sheet must hold.
            assert len(HAN.findall(re.sub("“[^”]*”", "", told))) <= 3, told
