"""Sets papers: records or mappings in, pages out. The same input gives the same bytes.

Public to the rooms above: `pdf`, `bundle`, `pictures`. Nothing here reads the clock, the network or the
machine's own fonts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from enum import Enum
from functools import cache
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Final, Literal

import typst
from pypdf import PdfWriter

from lianfang.kernel.clock import LEGAL_ZONE

from . import fonts
from .codes import Code
from .errors import GlyphMissing
from .papers import Paper
from .spoken import MONTHS

_FOLDER: Final = Path(__file__).parent / "typst"
_WEEKDAYS_ZH: Final = "一二三四五六日"
_WEEKDAYS_EN: Final = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

_TITLE: Final = "联防联控文书 Lianfang papers"

#: So many papers are laid out in one go; more at once only takes memory.
_AT_ONCE: Final = 50
#: For so many further runs the typesetter keeps what it has laid out.
_KEPT_RUNS: Final = 10
#: Papers of which each copy is one sheet.
_ON_BOTH_SIDES: Final = frozenset({"isolation_notice"})

#: The compiler keeps its fonts and what it has laid out; it is not made for two threads at once.
_one_at_a_time: Final = Lock()


def pdf(template: str, data: Mapping[str, object], *, at: datetime) -> bytes:
    """One paper as PDF.

    :param template: the name of a file in `typst/`, without its suffix
    :param at: the instant the paper is dated to; two papers of one instant and content are equal
    :raises GlyphMissing: no typeface holds a character of it
    """
    (page,) = _compile([_described(template, data)], at=at, form="pdf")
    return page


def bundle(papers: Iterable[Paper], *, at: datetime) -> bytes:
    """Any number of papers as one PDF for the printer, each counting its own pages.

    It carries no structure for screen readers, which would double its size; `pdf` does.

    :raises GlyphMissing: no typeface holds a character of one of them; none is printed
    :raises ValueError: there is no paper
    """
    told = [described(p) for p in papers]
    _refuse_missing_glyphs(told)
    if len(told) <= _AT_ONCE:
        (whole,) = _compile(told, at=at, form="pdf", tagged=False)
        return whole
    return _joined(
        (
            (_compile(part, at=at, form="pdf", tagged=False)[0], part[0]["template"] in _ON_BOTH_SIDES)
            for part in (told[n : n + _AT_ONCE] for n in range(0, len(told), _AT_ONCE))
        ),
        at=at,
    )


def pictures(papers: Iterable[Paper], *, at: datetime, ppi: int = 96) -> list[bytes]:
    """Every page of the papers as a PNG, for previews.

    :raises GlyphMissing: see `bundle`
    """
    return _compile([described(p) for p in papers], at=at, form="png", ppi=ppi)


def described(paper: Paper) -> dict[str, object]:
    """What the template is told of a paper: its fields and computed properties, dates already in words."""
    told = {f.name: getattr(paper, f.name) for f in fields(paper)}
    told |= {
        name: getattr(paper, name) for name, kind in vars(type(paper)).items() if isinstance(kind, property)
    }
    return _described(paper.TEMPLATE, told)


def _described(template: str, data: Mapping[str, object]) -> dict[str, object]:
    if not (_FOLDER / f"{template}.typ").is_file():
        raise ValueError(f"there is no template {template}")
    return {"lang": "zh", "demo": False} | {k: _plain(v) for k, v in data.items()} | {"template": template}


def _plain(value: object) -> object:
    """A value as the templates read it: JSON, every date and instant in both languages."""
    match value:
        case None | bool() | int():
            return value
        case Enum():
            return value.value
        case str():
            return value
        case datetime():
            return _moment(value)
        case date():
            return _day(value)
        case Code():
            return {"svg": value.svg(), "mm": value.mm}
        case Mapping():
            return {str(k): _plain(v) for k, v in value.items()}
        case list() | tuple():
            return [_plain(v) for v in value]
        case _ if is_dataclass(value) and not isinstance(value, type):
            return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
        case _:
            raise TypeError(f"a paper cannot print a {type(value).__name__}")


def _day(day: date) -> dict[str, object]:
    return {
        "zh": f"{day.year}年{day.month}月{day.day}日",
        "en": f"{day.day} {MONTHS[day.month - 1]} {day.year}",
        "weekday": {"zh": f"星期{_WEEKDAYS_ZH[day.weekday()]}", "en": _WEEKDAYS_EN[day.weekday()]},
    }


def _moment(at: datetime) -> dict[str, object]:
    local = at.astimezone(LEGAL_ZONE)
    day = _day(local.date())
    clock = f"{local:%H:%M}"
    return {
        "zh": f"{day['zh']}{clock}",
        "en": f"{day['en']}, {clock}",
        "day": day,
        "clock": clock,
    }


def _compile(
    told: Sequence[dict[str, object]],
    *,
    at: datetime,
    form: Literal["pdf", "png"],
    ppi: int = 96,
    tagged: bool = True,
) -> list[bytes]:
    if not told:
        raise ValueError("there is no paper to print")
    _refuse_missing_glyphs(told)
    with _one_at_a_time:
        made = _compiler().compile(
            input=str(_FOLDER / "bundle.typ"),
            format=form,
            ppi=float(ppi),
            pdf_tags=tagged,
            sys_inputs={
                "papers": json.dumps(told, ensure_ascii=False),
                "families": json.dumps(fonts.families()),
            },
            # The compiler takes whole seconds only.
            timestamp=at.astimezone(UTC).replace(microsecond=0),
        )
        if len(told) > _KEPT_RUNS:
            _forget()
    if made is None:
        raise RuntimeError("the typesetter gave nothing back")
    return [made] if isinstance(made, bytes) else made


def _forget() -> None:
    """Let go of what was laid out. The typesetter keeps it for ten runs, 3 MB a notice: 500 took 1.6 GB."""
    for n in range(_KEPT_RUNS + 1):
        _compiler().compile(input=f"#v({n}pt)".encode(), format="pdf")


def _joined(parts: Iterable[tuple[bytes, bool]], *, at: datetime) -> bytes:
    """The parts as one file. One whose papers are printed on both sides begins on a new sheet."""
    whole = PdfWriter()
    for part, on_both_sides in parts:
        if on_both_sides and len(whole.pages) % 2:
            whole.add_blank_page()
        whole.append(BytesIO(part), import_outline=False)
    whole.add_metadata({"/Title": _TITLE, "/CreationDate": f"D:{at.astimezone(UTC):%Y%m%d%H%M%S}Z"})
    out = BytesIO()
    whole.write(out)
    return out.getvalue()


def _refuse_missing_glyphs(told: Sequence[dict[str, object]]) -> None:
    """:raises GlyphMissing: no typeface holds a character of what a reader will see"""
    if lacking := fonts.missing("".join(_texts(list(told)))):
        raise GlyphMissing(characters="、".join(f"{c}（U+{ord(c):04X}）" for c in lacking))


def _texts(told: object) -> Iterator[str]:
    """Every text that a reader will see; the pictures of codes are not text."""
    match told:
        case str():
            yield told
        case Mapping():
            for key, value in told.items():
                if key != "svg":
                    yield from _texts(value)
        case list():
            for value in told:
                yield from _texts(value)


@cache
def _compiler() -> typst.Compiler:
    return typst.Compiler(root=str(_FOLDER), font_paths=fonts.typefaces())
