"""Acts on announcements: draft, review, sign, withdraw. A signature publishes, and supersedes what the text names.

Nothing here restricts anybody. The acts on one organ's announcements queue (`_one_at_a_time`), so that numbers have no
gap and nothing ends twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import connection, transaction

from lianfang.accounts import queries as accounts
from lianfang.accounts.rights import Right
from lianfang.kernel.actor import lies_within
from lianfang.kernel.errors import NotAllowed, SameIdOtherContent
from lianfang.ledger import actions as ledger
from lianfang.messaging import spoken
from lianfang.people import queries as people
from lianfang.places import queries as places

from . import policy, queries
from .errors import (
    AlreadyReviewed,
    EndsBeforeItBegins,
    Lapsed,
    NamesAPerson,
    NoSuchAnnouncement,
    NoSuchPlaces,
    NotInForce,
    NotReviewed,
    NotToSupersede,
    OwnDraft,
    OwnReview,
    TooLongAloud,
)
from .models import Announcement, Publication, Review, Supersession, Withdrawal
from .policy import CURRENT, Kind, State

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from uuid import UUID

    from lianfang.kernel.actor import Actor, Grant


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A text as somebody wrote it (F15).

    :ivar starts_at: none: from its publication on; `ends_at` none: until further notice
    :ivar aloud: what a loudspeaker says, at most a minute; empty if none goes round
    :ivar signatory: who signs on paper, as the organ writes it
    """

    id: UUID
    kind: Kind
    title: str
    body: str
    basis: str
    places: tuple[str, ...]
    signatory: str
    title_en: str = ""
    body_en: str = ""
    plain: str = ""
    aloud: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    supersedes: tuple[UUID, ...] = ()


@transaction.atomic
def draft_announcement(draft: Draft, *, by: Actor) -> Announcement:
    """Write a text down, in the name of the organ whose office drafts over all its places. Nobody outside sees it.

    :raises NoSuchPlaces: no place, too many, or one that cannot be named
    :raises NotAllowed: no office of the actor drafts over all of them
    :raises EndsBeforeItBegins: its period is empty or past
    :raises TooLongAloud: the loudspeaker text takes longer than a minute
    :raises NamesAPerson: something in it looks like a citizen number
    :raises NotToSupersede: one to be superseded is another organ's, or holds no more
    :raises SameIdOtherContent: the id was used for another text
    """
    area = _named(draft.places)
    organ = _carrying(by, Right.ANNOUNCEMENTS_TEXT_DRAFT, over=area).organ
    supersedes = sorted(set(draft.supersedes))
    said: dict[str, object] = {
        "kind": str(draft.kind),
        "organ": organ,
        "area": area,
        "places": sorted(set(draft.places)),
        "title": policy.one_line(draft.title),
        "title_en": policy.one_line(draft.title_en),
        "body": policy.paragraphs(draft.body),
        "body_en": policy.paragraphs(draft.body_en),
        "plain": policy.paragraphs(draft.plain),
        "aloud": policy.paragraphs(draft.aloud),
        "basis": policy.one_line(draft.basis),
        "signatory": policy.one_line(draft.signatory),
        "starts_at": draft.starts_at,
        "ends_at": draft.ends_at,
        "supersedes": supersedes,
    }
    if earlier := Announcement.objects.filter(pk=draft.id).first():
        return _same_or_refuse(earlier, said)
    _one_at_a_time(organ)
    _check(draft, said, at=by.at)
    _to_supersede(supersedes, organ=organ, at=by.at)
    made, new = Announcement.objects.get_or_create(
        id=draft.id,
        defaults={
            "drafted_at": by.at,
            "drafted_by": by.user_id,
            "drafted_as": accounts.shown_as(organ, by=by),
            **said,
        },
    )
    return made if new else _same_or_refuse(made, said)


@transaction.atomic
def review_announcement(announcement_id: UUID, *, approved: bool, word: str = "", by: Actor) -> Review:
    """Say whether the law carries it. Once: a text that was returned is drafted anew.

    :raises NoSuchAnnouncement: there is none over which the actor reviews
    :raises OwnDraft: the actor drafted it
    :raises AlreadyReviewed: another finding stands
    :raises Lapsed: drafted too long ago, or past its own end
    """
    text = _locked(announcement_id, Right.ANNOUNCEMENTS_TEXT_REVIEW, by=by)
    word = policy.one_line(word)
    if earlier := Review.objects.filter(announcement=text).first():
        if (earlier.approved, earlier.word, earlier.reviewed_by) != (approved, word, by.user_id):
            raise AlreadyReviewed
        return earlier
    if text.drafted_by == by.user_id:
        raise OwnDraft
    if queries.state_of(text, by.at) is not State.DRAFT:
        raise Lapsed
    organ = _carrying(by, Right.ANNOUNCEMENTS_TEXT_REVIEW, over=text.area).organ
    return Review.objects.create(
        announcement=text,
        approved=approved,
        word=word,
        reviewed_at=by.at,
        reviewed_by=by.user_id,
        reviewed_as=accounts.shown_as(organ, by=by),
    )


@transaction.atomic
def sign_announcement(announcement_id: UUID, *, by: Actor) -> Publication:
    """Publish a reviewed text in the name of its organ: from now on anybody reads it and it never changes.

    It gets the organ's next number of the year, the chain its hash; what it supersedes ends when it begins.

    :raises NoSuchAnnouncement: there is none that the actor signs for its organ
    :raises NotReviewed: nobody else has approved it
    :raises OwnReview: the actor reviewed it
    :raises Lapsed: drafted too long ago, or past its own end
    :raises NotToSupersede: what it names holds no more
    """
    text = _locked(announcement_id, Right.ANNOUNCEMENTS_TEXT_SIGN, by=by, for_organ=True)
    if earlier := Publication.objects.filter(announcement=text).first():
        return earlier
    state = queries.state_of(text, by.at)
    if state is State.LAPSED:
        raise Lapsed
    if state is not State.REVIEWED:
        raise NotReviewed
    if text.review.reviewed_by == by.user_id:
        raise OwnReview
    before = _to_supersede(text.supersedes, organ=text.organ, at=by.at)
    row = _numbered(text, before, by=by)
    published = queries.text_of(text, row)
    row.text_hash = policy.hash_of(published)
    row.entry_id = ledger.append(
        kind="announcements:announcement:published",
        act_id=text.pk,
        organ=text.organ,
        scope=people.public_scope(text.area),
        basis=text.basis,
        terms={
            "number": row.number,
            "kind": text.kind,
            "sha256": row.text_hash,
            "from": row.starts_at.isoformat(timespec="seconds"),
            "until": row.ends_at.isoformat(timespec="seconds") if row.ends_at else "further notice",
        },
        secrets={"drafted_by": str(text.drafted_by), "reviewed_by": str(text.review.reviewed_by)},
        by=by,
    )
    row.save(force_insert=True)
    _supersede(before, row, by=by)
    return row


@transaction.atomic
def withdraw_announcement(announcement_id: UUID, *, reason: str, by: Actor) -> Withdrawal:
    """Take a published announcement back, now. It stays readable, with the reason.

    :raises NoSuchAnnouncement: there is none that the actor's organ or one above it has published
    :raises NotInForce: it has ended already
    """
    text = _locked(announcement_id, Right.ANNOUNCEMENTS_TEXT_SIGN, by=by)
    published = Publication.objects.filter(announcement=text).first()
    organ = queries.withdrawing_organ(text, by=by)
    if published is None or organ is None:
        raise NoSuchAnnouncement
    if earlier := Withdrawal.objects.filter(announcement=text).first():
        return earlier
    if queries.state_of(text, by.at) not in CURRENT:
        raise NotInForce
    entry = ledger.append(
        kind="announcements:announcement:withdrawn",
        act_id=text.pk,
        organ=organ,
        scope=people.public_scope(text.area),
        basis=text.basis,
        terms={"number": published.number, "reason": policy.one_line(reason)},
        secrets={},
        prior=published.entry_id,
        by=by,
    )
    return Withdrawal.objects.create(
        announcement=text,
        organ=organ,
        reason=policy.one_line(reason),
        withdrawn_at=by.at,
        withdrawn_by=by.user_id,
        withdrawn_as=accounts.shown_as(organ, by=by),
        entry_id=entry,
    )


def _numbered(text: Announcement, before: list[Announcement], *, by: Actor) -> Publication:
    """The row without its hash and entry: the organ's next number, and all names as they are today."""
    organ = accounts.organ(text.organ)
    assert organ is not None, "organs are never deleted"
    year = by.legal_day.year
    n = 1 + Publication.objects.filter(organ=text.organ, year=year).count()
    return Publication(
        announcement=text,
        organ=text.organ,
        organ_name=organ.name,
        year=year,
        n=n,
        number=policy.number(organ.name, year, n),
        place_names=_names(text.places),
        superseded_numbers=[one.publication.number for one in before],
        starts_at=max(text.starts_at or by.at, by.at),
        ends_at=text.ends_at,
        published_at=by.at,
        published_by=by.user_id,
        published_as=accounts.shown_as(text.organ, by=by),
    )


def _supersede(before: list[Announcement], later: Publication, *, by: Actor) -> None:
    for text in before:
        entry = ledger.append(
            kind="announcements:announcement:superseded",
            act_id=text.pk,
            organ=text.organ,
            scope=people.public_scope(text.area),
            basis=text.basis,
            terms={"number": text.publication.number, "by": later.number},
            secrets={},
            prior=text.publication.entry_id,
            by=by,
        )
        Supersession.objects.create(announcement=text, later=later, entry_id=entry)


def _to_supersede(ids: Iterable[UUID], *, organ: str, at: datetime) -> list[Announcement]:
    """Those texts, the oldest first.

    :raises NotToSupersede: one is another organ's, has ended, or is superseded already
    """
    wanted = set(ids)
    found = queries.whole().filter(pk__in=wanted, organ=organ, supersession=None, withdrawal=None)
    still = [text for text in found if queries.state_of(text, at) in CURRENT]
    if len(still) != len(wanted):
        raise NotToSupersede
    return sorted(still, key=lambda text: (text.publication.year, text.publication.n))


def _check(draft: Draft, said: dict[str, object], *, at: datetime) -> None:
    if draft.ends_at is not None and draft.ends_at <= max(draft.starts_at or at, at):
        raise EndsBeforeItBegins
    if (seconds := policy.seconds_aloud(draft.aloud)) > spoken.MINUTE:
        raise TooLongAloud(seconds=seconds)
    if policy.id_numbers_in(value for value in said.values() if isinstance(value, str)):
        raise NamesAPerson


def _named(paths: tuple[str, ...]) -> str:
    """The area around places that stand and may be named.

    :raises NoSuchPlaces: none, too many, or one of them is not
    """
    wanted = set(paths)
    found = places.places_at(wanted)
    if not 1 <= len(wanted) <= policy.MOST_PLACES or any(
        path not in found or found[path].kind not in policy.MAY_NAME for path in wanted
    ):
        raise NoSuchPlaces
    area = policy.area_of(wanted)
    if not area:
        raise NoSuchPlaces
    return area


def _names(paths: list[str]) -> list[str]:
    found = places.addresses(paths)
    return [policy.one_line(found.get(path, path)) for path in paths]


def _same_or_refuse(text: Announcement, said: dict[str, object]) -> Announcement:
    if any(getattr(text, column) != value for column, value in said.items()):
        raise SameIdOtherContent
    return text


def _locked(announcement_id: UUID, right: Right, *, by: Actor, for_organ: bool = False) -> Announcement:
    """The text, if the actor holds the right over its area, or, `for_organ`, holds it in the text's own organ."""
    text = queries.whole().filter(pk=announcement_id).first()
    if text is None or not by.may(right, over=text.area):
        raise NoSuchAnnouncement
    if for_organ and not queries.holds_for(text, right, by=by):
        raise NoSuchAnnouncement
    _one_at_a_time(text.organ)
    # Read again: what another has done while this one waited counts.
    return queries.whole().get(pk=announcement_id)


def _carrying(by: Actor, right: Right, *, over: str) -> Grant:
    """The office that carries the right over the place: the own organ's first, then the nearest.

    :raises NotAllowed: none does
    """
    fitting = [g for g in by.grants if g.right == right and lies_within(over, g.area)]
    if not fitting:
        raise NotAllowed(right=str(right))
    return min(fitting, key=lambda g: (g.organ != by.organ, -len(g.area), g.organ))


def _one_at_a_time(organ: str) -> None:
    # The trigger of publications takes the same lock.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"announcements:{organ}"])
