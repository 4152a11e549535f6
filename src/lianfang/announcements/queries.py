"""Questions about announcements: what waits, and what anybody reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db.models import F, Q

from lianfang.accounts import queries as accounts
from lianfang.accounts.rights import Right
from lianfang.kernel.actor import lies_within, outermost
from lianfang.kernel.fields import within_any
from lianfang.kernel.row_security import scope
from lianfang.ledger import queries as ledger
from lianfang.people import queries as people
from lianfang.places import queries as places

from . import policy
from .errors import NoSuchAnnouncement
from .models import Announcement
from .policy import LAPSES, PUBLIC, Acts, State

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.db.models import F, QuerySet

    from lianfang.kernel.actor import Actor

    from .models import Publication, Supersession, Withdrawal

#: So many are shown of one list; the rest is found by search, or on the next page.
MOST: Final = 50
PAGE: Final = 20
_DESK_RIGHTS: Final = (
    Right.ANNOUNCEMENTS_TEXT_DRAFT,
    Right.ANNOUNCEMENTS_TEXT_REVIEW,
    Right.ANNOUNCEMENTS_TEXT_SIGN,
)
_AFTER: Final = "supersession__later"
_UNDONE: Final = f"{_AFTER}__announcement__withdrawal"


@dataclass(frozen=True, slots=True)
class View:
    """One announcement and where it stands.

    :ivar publication: None before it is signed
    :ivar later: what took its place, or will
    """

    text: Announcement
    state: State
    publication: Publication | None
    later: Publication | None
    withdrawal: Withdrawal | None

    @property
    def is_public(self) -> bool:
        return self.state in PUBLIC


def whole() -> QuerySet[Announcement]:
    """Texts with everything that was done with them, in one query."""
    return Announcement.objects.select_related("review", "publication", "withdrawal", _UNDONE)


def acts_of(text: Announcement) -> Acts:
    """The instants from which the state follows."""
    review, published = getattr(text, "review", None), getattr(text, "publication", None)
    withdrawal: Withdrawal | None = getattr(text, "withdrawal", None)
    return Acts(
        drafted_at=text.drafted_at,
        ends_at=text.ends_at,
        reviewed_at=review.reviewed_at if review else None,
        approved=bool(review and review.approved),
        published_at=published.published_at if published else None,
        starts_at=published.starts_at if published else None,
        withdrawn_at=withdrawal.withdrawn_at if withdrawal else None,
        superseded_at=_superseded_at(text),
    )


def _superseded_at(text: Announcement) -> datetime | None:
    """When the later one begins; never, if it was withdrawn before it did."""
    supersession: Supersession | None = getattr(text, "supersession", None)
    if supersession is None:
        return None
    later = supersession.later
    undone: Withdrawal | None = getattr(later.announcement, "withdrawal", None)
    return None if undone and undone.withdrawn_at < later.starts_at else later.starts_at


def state_of(text: Announcement, at: datetime) -> State:
    return policy.state(acts_of(text), at)


def text_of(text: Announcement, row: Publication) -> policy.Text:
    """What was published, from the two rows as they are now."""
    return policy.Text(
        number=row.number,
        kind=text.kind,
        organ=row.organ,
        organ_name=row.organ_name,
        signatory=text.signatory,
        title=text.title,
        title_en=text.title_en,
        basis=text.basis,
        places=text.places,
        place_names=row.place_names,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        supersedes=row.superseded_numbers,
        body=text.body,
        plain=text.plain,
        body_en=text.body_en,
        aloud=text.aloud,
    )


def is_as_published(view: View) -> bool:
    """Whether the rows still say what the chain holds the hash of; a row edited in the database is found out here."""
    row = view.publication
    if row is None:
        return True
    terms = ledger.entry_view(row.entry_id)["terms"]
    return isinstance(terms, dict) and terms.get("sha256") == policy.hash_of(text_of(view.text, row))


# -- on the desk ----------------------------------------------------------------------------------------


def announcement(announcement_id: UUID, *, by: Actor) -> View:
    """One in the actor's areas, drafts too; a published one is everybody's.

    :raises NoSuchAnnouncement: none there
    """
    text = whole().filter(pk=announcement_id).first()
    if text is None:
        raise NoSuchAnnouncement
    view = _view(text, by.at)
    if not view.is_public and not any(by.may(right, over=text.area) for right in _DESK_RIGHTS):
        raise NoSuchAnnouncement
    return view


def on_desk(*, by: Actor, sought: str = "", page: int = 1) -> tuple[list[View], bool]:
    """What concerns the actor's areas, the newest first, by title or number; and whether there are more."""
    mine = outermost(area for right in _DESK_RIGHTS for area in by.areas(right))
    areas = outermost(g.area for g in by.grants)
    above = Q()
    for area in areas:
        above |= Q(area__contains_area=area)
    found = whole().filter(
        within_any("area", mine) | (Q(publication__isnull=False) & (within_any("area", areas) | above))
    )
    if sought:
        found = found.filter(Q(title__icontains=sought) | Q(publication__number__icontains=sought))
    return _page(found.order_by("-drafted_at", "pk"), page, by.at)


def to_review(*, by: Actor) -> list[View]:
    """Drafts of others that wait for this actor's review, the oldest first."""
    found = (
        _unsigned(by.at)
        .filter(within_any("area", by.areas(Right.ANNOUNCEMENTS_TEXT_REVIEW)), review=None)
        .exclude(drafted_by=by.user_id)
    )
    return [_view(text, by.at) for text in found[:MOST]]


def to_sign(*, by: Actor) -> list[View]:
    """Reviewed drafts of the actor's organ that wait for this actor's signature, the oldest first."""
    own = Q(pk__in=[])
    for grant in by.grants:
        if grant.right == Right.ANNOUNCEMENTS_TEXT_SIGN:
            own |= Q(organ=grant.organ) & within_any("area", [grant.area])
    found = _unsigned(by.at).filter(own, review__approved=True).exclude(review__reviewed_by=by.user_id)
    return [_view(text, by.at) for text in found[:MOST]]


def to_supersede(*, by: Actor) -> list[tuple[UUID, str, str]]:
    """Id, number and title of what the actor's organs have published and still holds: to be superseded."""
    organs = {g.organ for g in by.grants if g.right == Right.ANNOUNCEMENTS_TEXT_DRAFT}
    found = _current(by.at).filter(organ__in=organs, supersession=None)
    return [(text.pk, text.publication.number, text.title) for text in found[:MOST]]


def holds_for(text: Announcement, right: Right, *, by: Actor) -> bool:
    """Whether the actor holds the right in the text's own organ, over its area."""
    return any(
        g.right == right and g.organ == text.organ and lies_within(text.area, g.area) for g in by.grants
    )


def withdrawing_organ(text: Announcement, *, by: Actor) -> str | None:
    """The organ for which the actor may withdraw it: its own first, else one above."""
    own = accounts.organ(text.organ)
    fitting = [
        g.organ
        for g in by.grants
        if g.right == Right.ANNOUNCEMENTS_TEXT_SIGN
        and lies_within(text.area, g.area)
        and own is not None
        and policy.ends_it(g.organ, g.area, of=own.code, of_area=own.area)
    ]
    return min(fitting, key=lambda organ: (organ != text.organ, organ), default=None)


def _unsigned(at: datetime) -> QuerySet[Announcement]:
    """What may still be signed."""
    return (
        whole()
        .filter(Q(ends_at=None) | Q(ends_at__gt=at), publication=None, drafted_at__gt=at - LAPSES)
        .order_by("drafted_at", "pk")
    )


# -- for everybody --------------------------------------------------------------------------------------


def published(announcement_id: UUID, at: datetime) -> View:
    """:raises NoSuchAnnouncement: there is none, or it is not signed"""
    text = whole().filter(pk=announcement_id, publication__isnull=False).first()
    if text is None:
        raise NoSuchAnnouncement
    return _view(text, at)


def current(at: datetime, *, place: str = "") -> list[View]:
    """What holds or will hold, for everywhere or one place, the newest first."""
    return [_view(text, at) for text in _touching(_current(at), place)[:MOST]]


def past(at: datetime, *, place: str = "", page: int = 1) -> tuple[list[View], bool]:
    """What holds no more, the newest first, page by page; and whether there are more."""
    replaced = Q(supersession__later__starts_at__lte=at) & (
        Q(**{_UNDONE: None}) | Q(**{f"{_UNDONE}__withdrawn_at__gte": F(f"{_AFTER}__starts_at")})
    )
    done = Q(publication__ends_at__lte=at) | Q(withdrawal__isnull=False) | replaced
    found = whole().filter(done, publication__isnull=False).order_by("-publication__published_at", "pk")
    return _page(_touching(found, place), page, at)


def for_resident(*, by: Actor) -> list[View]:
    """What holds where the person lives; the own record is looked up for it, nobody else's."""
    if by.person_id is None:
        return []
    with scope(areas=(), persons=[by.person_id]):
        own = people.person_refs([by.person_id]).get(by.person_id)
    return current(by.at, place=own.area) if own else []


def divisions() -> dict[str, str]:
    """Streets and communities of the district of which there are announcements, by path, to choose one."""
    first = Announcement.objects.filter(publication__isnull=False).values_list("area", flat=True).first()
    if first is None:
        return {}
    kinds = (places.Kind.STREET, places.Kind.COMMUNITY)
    return dict(sorted(places.addresses_below([first.partition(".")[0]], kinds=kinds).items()))


def _current(at: datetime) -> QuerySet[Announcement]:
    still = (
        Q(supersession=None)
        | Q(supersession__later__starts_at__gt=at)
        | Q(**{f"{_UNDONE}__withdrawn_at__lt": F(f"{_AFTER}__starts_at")})
    )
    return (
        whole()
        .filter(
            still,
            Q(publication__ends_at=None) | Q(publication__ends_at__gt=at),
            publication__isnull=False,
            withdrawal=None,
        )
        .order_by("-publication__published_at", "pk")
    )


def _touching(found: QuerySet[Announcement], place: str) -> QuerySet[Announcement]:
    """Those that name a place at, around or below this one."""
    if not place:
        return found
    return found.extra(
        where=[
            "EXISTS (SELECT 1 FROM unnest(announcements_announcement.places::ltree[]) AS named(path)"
            " WHERE named.path @> %s::ltree OR named.path <@ %s::ltree)"
        ],
        params=[place, place],
    )


def _page(found: QuerySet[Announcement], page: int, at: datetime) -> tuple[list[View], bool]:
    rows = list(found[(page - 1) * PAGE : page * PAGE + 1])
    return [_view(text, at) for text in rows[:PAGE]], len(rows) > PAGE


def _view(text: Announcement, at: datetime) -> View:
    supersession: Supersession | None = getattr(text, "supersession", None)
    return View(
        text=text,
        state=state_of(text, at),
        publication=getattr(text, "publication", None),
        later=supersession.later if supersession and _superseded_at(text) else None,
        withdrawal=getattr(text, "withdrawal", None),
    )
