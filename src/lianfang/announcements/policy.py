"""Kinds and states of announcements, their area, and the one text that is published, hashed and compared. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from lianfang.kernel.actor import lies_within
from lianfang.messaging import spoken
from lianfang.places.policy import Kind as PlaceKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: A draft that nobody has signed by then is not signed any more: law and facts have moved on. Our own choice.
LAPSES: Final = timedelta(days=30)
#: What an announcement may be about: the divisions, and compounds (domain.md F15). Never a building or a door.
MAY_NAME: Final = (PlaceKind.DISTRICT, PlaceKind.STREET, PlaceKind.COMMUNITY, PlaceKind.COMPOUND)
#: More places than this are better named by the division around them.
MOST_PLACES: Final = 60

_ID_NUMBER: Final = re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)")


class Kind(StrEnum):
    """F15: 公告 to everybody at home and outside, 通告 to those concerned, 通知 to those who must do something."""

    PROCLAMATION = "proclamation"
    ANNOUNCEMENT = "announcement"
    NOTICE = "notice"


class State(StrEnum):
    """Where an announcement stands. None of them is stored."""

    DRAFT = "draft"
    RETURNED = "returned"
    REVIEWED = "reviewed"
    LAPSED = "lapsed"
    TO_COME = "to_come"
    IN_FORCE = "in_force"
    ENDED = "ended"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"


#: What anybody may see. A text becomes public by its signature and stays so, whatever follows.
PUBLIC: Final = frozenset({State.TO_COME, State.IN_FORCE, State.ENDED, State.SUPERSEDED, State.WITHDRAWN})
CURRENT: Final = frozenset({State.TO_COME, State.IN_FORCE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Acts:
    """The instants of what was done with one text.

    :ivar ends_at: its own last instant; None until further notice
    :ivar starts_at: from when it holds, known once it is published
    :ivar superseded_at: when a later announcement takes its place
    """

    drafted_at: datetime
    ends_at: datetime | None = None
    reviewed_at: datetime | None = None
    approved: bool = False
    published_at: datetime | None = None
    starts_at: datetime | None = None
    withdrawn_at: datetime | None = None
    superseded_at: datetime | None = None


def state(acts: Acts, at: datetime) -> State:
    """Where it stands at an instant; what was done later does not count yet. Of several ends the first one counts."""
    if acts.published_at is None or at < acts.published_at:
        return _unpublished(acts, at)
    ends = (
        (acts.withdrawn_at, State.WITHDRAWN),
        (acts.superseded_at, State.SUPERSEDED),
        (acts.ends_at, State.ENDED),
    )
    reached = [(instant, n, how) for n, (instant, how) in enumerate(ends) if instant and instant <= at]
    if reached:
        return min(reached)[2]
    assert acts.starts_at is not None, "a published announcement has its first instant"
    return State.TO_COME if at < acts.starts_at else State.IN_FORCE


def _unpublished(acts: Acts, at: datetime) -> State:
    if acts.reviewed_at is not None and acts.reviewed_at <= at and not acts.approved:
        return State.RETURNED
    if at >= acts.drafted_at + LAPSES or (acts.ends_at is not None and at >= acts.ends_at):
        return State.LAPSED
    return State.REVIEWED if acts.reviewed_at is not None and acts.reviewed_at <= at else State.DRAFT


def area_of(places: Iterable[str]) -> str:
    """The smallest place that holds them all: over it every act asks for its right. Empty if there is none."""
    paths = [place.split(".") for place in places]
    if not paths:
        return ""
    common = []
    for labels in zip(*paths, strict=False):
        if len(set(labels)) > 1:
            break
        common.append(labels[0])
    return ".".join(common)


def ends_it(organ: str, area: str, *, of: str, of_area: str) -> bool:
    """Whether an office of `organ` over `area` may withdraw what the organ `of` published: its own, or an organ above.

    Restricting and ending are the same authority's acts (domain.md, "Closing and reopening").
    """
    return organ == of or (area != of_area and lies_within(of_area, area))


def seconds_aloud(text: str) -> int:
    """How long a calm voice needs for the loudspeaker text (`messaging.spoken`: 240 characters a minute)."""
    return spoken.seconds_zh((text,))


def id_numbers_in(texts: Iterable[str]) -> int:
    """How many of them hold what looks like a citizen number: a public text names nobody (N-1)."""
    return sum(bool(_ID_NUMBER.search(text)) for text in texts)


def number(organ_name: str, year: int, n: int) -> str:
    """As documents of organs are numbered, GB/T 9704-2012 7.2.5: organ, year in brackets, number without zeros."""
    return f"{organ_name}〔{year}〕{n}号"


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """What was published, field by field."""

    number: str
    kind: str
    organ: str
    organ_name: str
    signatory: str
    title: str
    title_en: str
    basis: str
    places: Sequence[str]
    place_names: Sequence[str]
    starts_at: datetime
    ends_at: datetime | None
    supersedes: Sequence[str]
    body: str
    plain: str
    body_en: str
    aloud: str


def published_text(text: Text) -> bytes:
    """The file that is hashed: `sha256sum` of it is what the chain holds.

    UTF-8, normal form C, lines end with LF. One line for each short field, in this order; then each long text after a
    line with its name and number of lines, so that no text can be taken for another field. Instants in UTC. Anybody
    can make it from the page, and the page hands it out.
    """
    short = (
        ("number", text.number),
        ("kind", text.kind),
        ("organ", f"{text.organ_name} [{text.organ}]"),
        ("signatory", text.signatory),
        ("title", text.title),
        ("title in English", text.title_en),
        ("basis", text.basis),
        (
            "places",
            "; ".join(f"{name} [{path}]" for path, name in zip(text.places, text.place_names, strict=True)),
        ),
        ("from", _instant(text.starts_at)),
        ("until", _instant(text.ends_at) if text.ends_at else "further notice"),
        ("supersedes", "; ".join(text.supersedes)),
    )
    long = (
        ("text", text.body),
        ("plain language", text.plain),
        ("text in English", text.body_en),
        ("loudspeaker", text.aloud),
    )
    lines = ["lianfang announcement 1", *(f"{name}: {value}".rstrip() for name, value in short)]
    for name, value in long:
        own = value.split("\n") if value else []
        lines += [f"{name}: {len(own)} lines", *own]
    return unicodedata.normalize("NFC", "\n".join(lines) + "\n").encode()


def hash_of(text: Text) -> str:
    """SHA-256 of the published text, in hexadecimal."""
    return sha256(published_text(text)).hexdigest()


def one_line(text: str) -> str:
    """A short field as it is kept: one line, single blanks, normal form C."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def paragraphs(text: str) -> str:
    """A long text as it is kept: LF, no blanks at ends of lines, at most one empty line in a row, normal form C."""
    lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in lines)).strip("\n")


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
