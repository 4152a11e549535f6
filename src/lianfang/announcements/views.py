"""Pages of the desk: what waits and what was published; draft, review, sign, withdraw, print."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache

from lianfang.accounts.rights import Purpose, Right
from lianfang.accounts.web import actor, surface
from lianfang.kernel.errors import NotFound, Refused
from lianfang.kernel.ids import id_in
from lianfang.kernel.surfaces import Repeat
from lianfang.ledger import queries as ledger
from lianfang.messaging.press import as_pdf, press_for
from lianfang.places import queries as places

from . import actions, policy, prints, queries
from .forms import DraftForm, ReviewForm, SignForm, WithdrawForm, initial_of
from .lines import line, lines
from .policy import CURRENT, State

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest

    from lianfang.accounts.web import RefusableForm
    from lianfang.kernel.actor import Actor

    from .queries import View

#: More compounds than this are no list to choose from; the divisions are.
_MOST_COMPOUNDS: Final = 40


def page_of(request: HttpRequest) -> int:
    given = request.GET.get("page", "")
    return min(max(int(given), 1), 1000) if given.isascii() and given.isdigit() and len(given) < 5 else 1


@never_cache
@surface(staff=True, purpose=Purpose.ADMINISTRATION)
def desk(request: HttpRequest) -> HttpResponse:
    """What waits for the actor, and what concerns the actor's areas; any officer sees what is published."""
    by = actor(request)
    sought, page = request.GET.get("q", "").strip()[:80], page_of(request)
    found, more = queries.on_desk(by=by, sought=sought, page=page)
    return render(
        request,
        "announcements/desk.html",
        {
            "rows": lines(found),
            "to_review": lines(queries.to_review(by=by)),
            "to_sign": lines(queries.to_sign(by=by)),
            "asked": sought,
            "page": page,
            "next": page + 1 if more else None,
            "may_draft": bool(by.areas(Right.ANNOUNCEMENTS_TEXT_DRAFT)),
        },
    )


@never_cache
@surface(right=Right.ANNOUNCEMENTS_TEXT_DRAFT, purpose=Purpose.ADMINISTRATION, repeat=Repeat.SAME)
def draft(request: HttpRequest) -> HttpResponse:
    """Write one, anew or after an earlier text."""
    by = actor(request)
    like = id_in(request.GET.get("like", ""))
    form = DraftForm(
        request.POST or None,
        places=_places(by),
        supersedable=queries.to_supersede(by=by),
        initial=initial_of(queries.announcement(like, by=by).text) if like else {},
    )
    if form.is_valid():
        try:
            made = actions.draft_announcement(form.draft(), by=by)
        except Refused as refusal:
            form.add_refusal(refusal)
        else:
            messages.success(request, gettext("已存为草稿，等另一人做合法性审核。"))
            return redirect("announcements:announcement", made.pk)
    return render(request, "announcements/draft.html", {"form": form}, status=422 if form.errors else 200)


@never_cache
@surface(staff=True, purpose=Purpose.ADMINISTRATION)
def announcement(request: HttpRequest, announcement_id: UUID) -> HttpResponse:
    """One announcement: its text, its acts, and what the actor may do with it now."""
    return _page(request, announcement_id)


@never_cache
@surface(right=Right.ANNOUNCEMENTS_TEXT_REVIEW, purpose=Purpose.ADMINISTRATION, repeat=Repeat.SAME)
def review(request: HttpRequest, announcement_id: UUID) -> HttpResponse:
    """Say whether the law carries it."""
    return _page(request, announcement_id, ReviewForm(request.POST or None))


@never_cache
@surface(
    right=Right.ANNOUNCEMENTS_TEXT_SIGN,
    purpose=Purpose.ADMINISTRATION,
    fresh_factor=True,
    repeat=Repeat.SAME,
)
def sign(request: HttpRequest, announcement_id: UUID) -> HttpResponse:
    """Publish it."""
    return _page(request, announcement_id, SignForm(request.POST if request.method == "POST" else None))


@never_cache
@surface(
    right=Right.ANNOUNCEMENTS_TEXT_SIGN,
    purpose=Purpose.ADMINISTRATION,
    fresh_factor=True,
    repeat=Repeat.SAME,
)
def withdraw(request: HttpRequest, announcement_id: UUID) -> HttpResponse:
    """Take it back."""
    return _page(request, announcement_id, WithdrawForm(request.POST or None))


@never_cache
@surface(staff=True, purpose=Purpose.ADMINISTRATION)
def paper(request: HttpRequest, announcement_id: str, paper: str) -> HttpResponse:
    """The sheet for the notice board, or the one for the loudspeaker. Of what is published alone."""
    by = actor(request)
    wanted = id_in(announcement_id)
    view = queries.announcement(wanted, by=by) if wanted else None
    if view is None or view.publication is None or (paper == "loudspeaker" and not view.text.aloud):
        raise NotFound
    press = press_for(request)
    made = prints.sheet(view, press) if paper == "sheet" else prints.loudspeaker(view, press)
    return as_pdf([made], f"announcement-{paper}-{view.text.pk}", at=by.at)


def _page(request: HttpRequest, announcement_id: UUID, form: RefusableForm | None = None) -> HttpResponse:
    by = actor(request)
    view = queries.announcement(announcement_id, by=by)
    if form is not None and form.is_valid():
        try:
            said = _do(form, announcement_id, by=by)
        except NotFound:
            raise
        except Refused as refusal:
            form.add_refusal(refusal)
        else:
            messages.success(request, said)
            return redirect("announcements:announcement", announcement_id)
    entries = [e for e in (view.publication, view.withdrawal, getattr(view.text, "supersession", None)) if e]
    context: dict[str, Any] = {
        "row": line(view),
        "states": ledger.newest_states([e.entry_id for e in entries]),
        "where": _where(view),
        "seconds": policy.seconds_aloud(view.text.aloud),
        "intact": queries.is_as_published(view),
        "form": form,
        **_offers(view, by=by),
    }
    context["signed"] = view.publication and context["states"][view.publication.entry_id]
    context["taken_back"] = view.withdrawal and context["states"][view.withdrawal.entry_id]
    return render(
        request, "announcements/announcement.html", context, status=422 if form and form.errors else 200
    )


def _do(form: RefusableForm, announcement_id: UUID, *, by: Actor) -> str:
    if isinstance(form, ReviewForm):
        approved = form.cleaned_data["finding"] == "approved"
        actions.review_announcement(announcement_id, approved=approved, word=form.cleaned_data["word"], by=by)
        return gettext("审核通过，等签发。") if approved else gettext("已退回起草人。")
    if isinstance(form, WithdrawForm):
        actions.withdraw_announcement(announcement_id, reason=form.cleaned_data["reason"], by=by)
        return gettext("已撤回，公开页面上写明了原因。")
    published = actions.sign_announcement(announcement_id, by=by)
    return gettext("已签发并公布：{number}。").format(number=published.number)


def _offers(view: View, *, by: Actor) -> dict[str, bool]:
    """What this actor may do with it now; the acts ask again."""
    text, review = view.text, getattr(view.text, "review", None)
    return {
        "may_review": view.state is State.DRAFT
        and text.drafted_by != by.user_id
        and by.may(Right.ANNOUNCEMENTS_TEXT_REVIEW, over=text.area),
        "may_sign": view.state is State.REVIEWED
        and review is not None
        and review.reviewed_by != by.user_id
        and queries.holds_for(text, Right.ANNOUNCEMENTS_TEXT_SIGN, by=by),
        "may_withdraw": view.state in CURRENT and queries.withdrawing_organ(text, by=by) is not None,
        "may_draft": bool(by.areas(Right.ANNOUNCEMENTS_TEXT_DRAFT)),
    }


def _where(view: View) -> list[str]:
    """The names of the places: as published, else as they are now."""
    if view.publication:
        return list(view.publication.place_names)
    found = places.addresses(view.text.places)
    return [found.get(path, path) for path in view.text.places]


def _places(by: Actor) -> list[tuple[str, str]]:
    """What the actor may announce for, from the whole area down; compounds only where they are few."""
    areas = by.areas(Right.ANNOUNCEMENTS_TEXT_DRAFT)
    large = places.addresses_below(areas, kinds=policy.MAY_NAME[:3])
    small = places.addresses_below(areas, kinds=policy.MAY_NAME[3:])
    return sorted({**large, **(small if len(small) <= _MOST_COMPOUNDS else {})}.items())
