"""What each paper says: one frozen record per paper, filled by the room that owns the facts.

The records hold facts; wording and layout are in `typst/<template>.typ`. Instants are UTC, the page shows
legal time. A record refuses what must never be printed, whoever asks for it.
"""

from __future__ import annotations

import re
from dataclasses import Field, dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar, Final, Protocol, runtime_checkable
from urllib.parse import urlsplit

from lianfang.kernel.clock import legal_day

from . import spoken
from .codes import Code, Correction
from .errors import PlaceTooSmall, TooLongToReadAloud

#: Anything public names a place of at least so many households (product decision 9).
FEWEST_HOUSEHOLDS: Final = 5
#: Millimetres: at A3, and read with a telephone over other people's shoulders (ledger.md 6.5).
SMALLEST_ON_A_BOARD: Final = 60


#: What a place looks like that is one dwelling.
_DOOR: Final = re.compile(r"\d\s*[室户]|\d+-\d+-\d+")


def _same_domain(code: Code, domain: str) -> None:
    """People compare the printed domain with the one that opens: the two must be one."""
    if not isinstance(code.content, str) or urlsplit(code.content).hostname != domain:
        raise ValueError(f"the code does not lead to {domain}")


class Lang(StrEnum):
    """The language of a paper. Where both are printed, the Chinese text is the one that counts."""

    ZH = "zh"
    EN = "en"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class ChainLine:
    """How far the act on a paper has come in the information chain.

    :ivar entry: its number there; None where the paper must not lead to the entry, or there is no number yet
    :ivar seen: how many parties have signed; nothing is said of them before a quorum has
    """

    entry: int | None
    witnessed: bool
    seen: int
    of: int


@dataclass(frozen=True, slots=True)
class Words:
    """A wording from dated data in both languages; without English the Chinese is printed."""

    zh: str
    en: str = ""


@dataclass(frozen=True, slots=True)
class Contact:
    """Who answers for what, by telephone."""

    role: Words
    name: str
    phone: str


@dataclass(frozen=True, slots=True)
class Remedy:
    """One way to object: what it is, to whom, until when, how to reach them. All of it is dated data."""

    what: Words
    to: str
    within: Words
    reach: str


@dataclass(frozen=True, slots=True)
class Cohabitant:
    """Somebody who lives in the dwelling, and what they chose: to leave or to isolate together."""

    name: str
    choice: Words


@dataclass(frozen=True, slots=True)
class Care:
    """A dependent member of the household and who cares for them during the order."""

    who: str
    by: str
    phone: str


@runtime_checkable
class Paper(Protocol):
    """A record that has a template."""

    TEMPLATE: ClassVar[str]
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def lang(self) -> Lang: ...

    @property
    def demo(self) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class IsolationNotice:
    """The order, served with its reasons, counting, duties, rights and the slip that ends it (F04).

    Each copy fills two pages, so that printing on both sides gives one sheet per copy: one stays with the
    person, one comes back with the receipt.
    """

    TEMPLATE: ClassVar[str] = "isolation_notice"

    document_no: str
    order_no: str
    organ: Words
    organ_phone: str
    person_name: str
    id_hint: str
    residence: str
    measure: Words
    reason: Words
    basis: tuple[Words, ...]
    anchor_event: Words
    anchor_at: datetime
    days: int
    starts_at: datetime
    ends_at: datetime
    duties: tuple[Words, ...]
    cohabitants: tuple[Cohabitant, ...]
    care: tuple[Care, ...]
    contacts: tuple[Contact, ...]
    protections: tuple[Words, ...]
    remedies: tuple[Remedy, ...]
    order_slip: Code
    release_slip: Code
    status_url: str
    chain: ChainLine
    signed_on: date
    signer: str
    copies: int = 2
    lang: Lang = Lang.ZH
    demo: bool = False

    @property
    def last_full_day(self) -> date:
        """The last day that is wholly inside the order: the day before the one on which it ends."""
        return legal_day(self.ends_at) - timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseNotice:
    """Says in writing that an order has ended (F06). It frees nobody: the end did, at its instant.

    :ivar lifted_at: given where the order was lifted before its end
    """

    TEMPLATE: ClassVar[str] = "release_notice"

    document_no: str
    organ: Words
    organ_phone: str
    person_name: str
    residence: str
    measure: Words
    order_document_no: str
    starts_at: datetime
    ends_at: datetime
    lifted_at: datetime | None
    follow_on: Words | None
    slip: Code
    status_url: str
    chain: ChainLine
    signed_on: date
    copy_to: tuple[str, ...]
    lang: Lang = Lang.ZH
    demo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EmployerCertificate:
    """For the employer: who was kept from work by an order, and on which days. No reason, no measure.

    :raises ValueError: the code leads elsewhere than the domain in the text (T38)
    """

    TEMPLATE: ClassVar[str] = "employer_certificate"

    document_no: str
    organ: Words
    organ_phone: str
    person_name: str
    id_hint: str
    employer: str
    first_day: date
    last_day: date
    protections: tuple[Words, ...]
    check: Code
    check_domain: str
    signed_on: date
    chain: ChainLine
    lang: Lang = Lang.ZH
    demo: bool = False

    def __post_init__(self) -> None:
        _same_domain(self.check, self.check_domain)


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorCard:
    """For the inner side of the own door: until when, whom to call, when to leave at once. It names nobody."""

    TEMPLATE: ClassVar[str] = "door_card"

    ends_at: datetime
    contacts: tuple[Contact, ...]
    status_url: str
    check: Code
    chain: ChainLine
    lang: Lang = Lang.ZH
    demo: bool = False

    @property
    def last_full_day(self) -> date:
        """See `IsolationNotice.last_full_day`."""
        return legal_day(self.ends_at) - timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenSheet:
    """The order in 22-point print, to be read aloud in a minute to somebody who reads with difficulty.

    The sentences are made in `spoken.py`, so that their length is known before anything is printed.

    :raises TooLongToReadAloud: the whole text holds more than a minute of speech
    """

    TEMPLATE: ClassVar[str] = "spoken_sheet"

    address: str
    organ: Words
    reason: Words
    starts_at: datetime
    ends_at: datetime
    helper: Words
    helper_phone: str
    object_phone: str
    chain: ChainLine
    lang: Lang = Lang.ZH
    demo: bool = False

    def __post_init__(self) -> None:
        if (count := spoken.seconds_zh(self.lines_zh)) > spoken.MINUTE:
            raise TooLongToReadAloud(seconds=count, most=spoken.MINUTE)

    @property
    def lines_zh(self) -> tuple[str, ...]:
        """The sentences in Chinese, one idea each, the end first."""
        return spoken.chinese(self)

    @property
    def lines_en(self) -> tuple[str, ...]:
        """The same in English."""
        return spoken.english(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class PassCard:
    """A pass on paper, A6 (passes.md §5.3): the code, the number, and what the guard compares."""

    TEMPLATE: ClassVar[str] = "pass_card"

    token: str
    pass_no: str
    door: str
    initials: str
    kind: Words
    valid_from: date
    valid_until: date
    community: str
    community_phone: str
    lang: Lang = Lang.BOTH
    demo: bool = False

    @property
    def code(self) -> Code:
        """Never narrower than 40 mm, or an old phone in the dusk does not read it."""
        return Code(self.token, mm=52, correction=Correction.M)


@dataclass(frozen=True, slots=True)
class DayHead:
    """The state of the information chain at the beginning of the day: two sheets that disagree show a fork."""

    on: date
    size: int
    short: str  # sixteen characters, in fours
    code: Code


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardSheet:
    """The public sheet of one building or stairwell: place, period, telephone, and how to check it.

    `households` is a condition of printing, never printed.

    :raises PlaceTooSmall: the place holds fewer than five households
    :raises ValueError: the place is a door, or the code leads elsewhere than the domain in the text (T38)
    """

    TEMPLATE: ClassVar[str] = "board_sheet"

    sheet_no: str
    place: str
    households: int
    starts_at: datetime
    ends_at: datetime
    basis: Words
    office: Words
    phone: str
    check: Code
    check_domain: str
    head: DayHead | None = None
    lang: Lang = Lang.BOTH
    demo: bool = False

    def __post_init__(self) -> None:
        if self.households < FEWEST_HOUSEHOLDS:
            raise PlaceTooSmall(households=self.households, fewest=FEWEST_HOUSEHOLDS)
        if _DOOR.search(self.place):
            raise ValueError("a public sheet names no door")
        _same_domain(self.check, self.check_domain)


@dataclass(frozen=True, slots=True)
class Seen:
    """One party that has countersigned, and when."""

    who: Words
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainProof:
    """That an act stands in the information chain, as codes that any verifier reads; goes with the act's own paper.

    Without `public` there is no proof yet: recorded, not yet witnessed. `own` is there where the code with the
    person's own content (`shown`) can still be read off paper.

    :raises ValueError: a code leads to another domain than the text (T38)
    """

    TEMPLATE: ClassVar[str] = "chain_proof"

    about: Words
    document_no: str
    organ: Words
    entry: int | None
    size: int | None
    seen: tuple[Seen, ...]
    parties: int
    public: Code | None
    own: Code | None
    shown: tuple[Words, ...]
    page: Code
    check_domain: str
    lang: Lang = Lang.ZH
    demo: bool = False

    def __post_init__(self) -> None:
        _same_domain(self.page, self.check_domain)


@dataclass(frozen=True, slots=True)
class PostedSheet:
    """A public sheet that hangs somewhere."""

    sheet_no: str
    place: str
    copies: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeDownSheet:
    """The task to take sheets down after an order ended (N-3), with the lines to report it done."""

    TEMPLATE: ClassVar[str] = "take_down_sheet"

    to: str
    sheets: tuple[PostedSheet, ...]
    ended_at: datetime
    done_by: datetime
    office: Words
    phone: str
    check_domain: str
    lang: Lang = Lang.ZH
    demo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncementSheet:
    """An announcement for notice boards (F15), A3: the whole text, its period, and two codes of 6 cm at least.

    `check` opens its page, which says whether it still holds; `proof` shows without network that this text stands in
    the chain, and is there once a quorum has seen it. What holds no more says so across the page.

    :raises ValueError: the code leads elsewhere than the domain in the text (T38), or is too small to be read
    """

    TEMPLATE: ClassVar[str] = "announcement_sheet"

    kind: Words
    number: str
    title: Words
    body: Words
    plain: str
    basis: str
    places: str
    organ: str
    signatory: str
    starts_at: datetime
    ends_at: datetime | None
    supersedes: tuple[str, ...]
    published_at: datetime
    is_current: bool
    text_hash: str
    chain: ChainLine
    check: Code
    proof: Code | None
    check_domain: str
    lang: Lang = Lang.ZH
    demo: bool = False

    def __post_init__(self) -> None:
        _same_domain(self.check, self.check_domain)
        if any(c.mm < SMALLEST_ON_A_BOARD for c in (self.check, self.proof) if c):
            raise ValueError("a code on a board is read from an arm's length")

    @property
    def points(self) -> int:
        """The largest size at which the text fits one page; the smallest, on several pages, if none does."""
        return next((size for size in (30, 26, 22, 19, 17, 15, 13) if self._height(size) <= 1), 12)

    def _height(self, points: int) -> float:
        """How much of the room for the text it takes: 241 mm wide, 152 mm high, less with English below."""
        em = points * 0.353
        wide = 241 / em  # a Latin letter is half as wide
        zh, en = self.body.zh.split("\n"), self.body.en.split("\n") if self.body.en else []
        lines = sum(-(-(len(p) + 2) // wide) for p in zh) if self.lang is not Lang.EN or not en else 0.0
        if self.plain and self.lang is not Lang.EN:
            lines += 2 + sum(-(-len(p) // wide) for p in self.plain.split("\n"))
        if self.lang is Lang.EN:
            lines += sum(-(-len(p) // (2 * wide)) for p in en)
        if self.lang is Lang.BOTH:
            lines += 0.62 * sum(-(-len(p) // (2 * wide / 0.62)) for p in en)
        below = 3 * 0.9 * 1.6 * em  # who signs
        return (lines * 1.65 * em + below) / (152 - 30 * (self.lang is Lang.BOTH))

    @property
    def hash_lines(self) -> tuple[str, str]:
        """The hash in groups of eight, on two lines, to be compared by eye."""
        groups = [self.text_hash[i : i + 8] for i in range(0, 64, 8)]
        return " ".join(groups[:4]), " ".join(groups[4:])


@dataclass(frozen=True, slots=True, kw_only=True)
class LoudspeakerSheet:
    """What a loudspeaker car or a caretaker reads out, in large print; a minute at most (`spoken`).

    :raises TooLongToReadAloud: the text holds more than a minute of speech
    """

    TEMPLATE: ClassVar[str] = "loudspeaker_sheet"

    number: str
    title: str
    aloud: str
    places: str
    starts_at: datetime
    ends_at: datetime | None
    chain: ChainLine
    lang: Lang = Lang.ZH
    demo: bool = False

    def __post_init__(self) -> None:
        if self.seconds > spoken.MINUTE:
            raise TooLongToReadAloud(seconds=self.seconds, most=spoken.MINUTE)

    @property
    def seconds(self) -> int:
        """How long a calm voice needs."""
        return spoken.seconds_zh((self.aloud,))
