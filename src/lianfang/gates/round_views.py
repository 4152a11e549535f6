"""Pages of paper passes by the compound: give everybody a card, print them in stacks, withdraw a stack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from lianfang.accounts import queries as accounts
from lianfang.accounts.rights import Purpose, Right
from lianfang.accounts.web import actor, surface
from lianfang.credentials import queries as credentials
from lianfang.kernel.errors import NotFound, Refused
from lianfang.kernel.surfaces import Repeat
from lianfang.ledger import queries as ledger
from lianfang.messaging import press
from lianfang.people import reader
from lianfang.people.policy import PersonField
from lianfang.places import queries as places
from lianfang.places.policy import Kind, at_level

from . import rounds
from .cards import pass_card
from .forms import RoundForm, WhyForm

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest

    from lianfang.kernel.actor import Actor

#: Cards in one PDF: a stack that a clerk can carry and a printer does not choke on.
_STACK: Final = 200


@never_cache
@surface(right=Right.CREDENTIALS_PASS_ISSUE, purpose=Purpose.PASSES)
def compounds(request: HttpRequest) -> HttpResponse:
    """The compounds of the actor's areas, and when cards were last made for each."""
    by, asked = actor(request), request.GET.get("q", "").strip()
    found = places.addresses_below(by.areas(Right.CREDENTIALS_PASS_ISSUE), kinds=[Kind.COMPOUND])
    newest = rounds.newest(by=by)
    rows = [
        {"area": area, "name": name, "round": newest.get(area)}
        for area, name in sorted(found.items(), key=lambda item: item[1])
        if asked in name
    ]
    return render(request, "gates/compounds.html", {"rows": rows, "asked": asked})


@never_cache
@surface(right=Right.CREDENTIALS_PASS_ISSUE, purpose=Purpose.PASSES, repeat=Repeat.SAME)
def compound(request: HttpRequest, area: str) -> HttpResponse:
    """One compound: who has no card, a card for each of them, the stacks that were made."""
    by = actor(request)
    _require_compound(area, by=by)
    form = RoundForm(request.POST or None)
    if form.is_valid():
        try:
            made = rounds.give_passes(form.draft(area), by=by)
        except Refused as refusal:
            form.add_refusal(refusal)
        else:
            said = gettext("已制 {count} 张，请打印后发到住户。").format(count=made.count)
            messages.success(request, said)
            return redirect("gates:compound", area)
    living, without = rounds.count(area, by=by)
    found = rounds.rounds_of(area)
    ends = [r.end for r in found if r.end is not None]
    chain = ledger.newest_states([*(r.given.entry_id for r in found), *(end.entry_id for end in ends)])
    return render(
        request,
        "gates/compound.html",
        {
            "name": places.addresses([area])[area],
            "living": living,
            "without": without,
            "form": form,
            "rows": [
                {
                    "round": r.given,
                    "end": r.end,
                    "live": r.end is None and r.given.valid_until > by.at,
                    "stacks": range(1, -(-r.given.count // _STACK) + 1),
                    "chain": chain[r.given.entry_id],
                    "end_chain": r.end and chain[r.end.entry_id],
                }
                for r in found
            ],
            "why": WhyForm(),
        },
        status=422 if form.errors else 200,
    )


@require_POST
@surface(right=Right.CREDENTIALS_PASS_REVOKE, purpose=Purpose.PASSES, fresh_factor=True, repeat=Repeat.SAME)
def withdraw(request: HttpRequest, round_id: UUID) -> HttpResponse:
    """Withdraw a whole round."""
    form = WhyForm(request.POST)
    by = actor(request)
    given = rounds.round_of(round_id, by=by, right=Right.CREDENTIALS_PASS_REVOKE)
    if form.is_valid():
        ended = rounds.withdraw_passes(round_id, reason=form.cleaned_data["why"], by=by)
        messages.success(request, gettext("已作废 {count} 张。").format(count=ended.count))
    else:
        messages.error(request, gettext("请写明原因。"))
    return redirect("gates:compound", given.area)


@never_cache
@surface(right=Right.CREDENTIALS_PASS_PRINT, purpose=Purpose.PASSES)
def cards(request: HttpRequest, round_id: UUID, part: int) -> HttpResponse:
    """One stack of cards of a round, as PDF, in the order of the doors."""
    by = actor(request)
    given = rounds.round_of(round_id, by=by, right=Right.CREDENTIALS_PASS_PRINT)
    stack = rounds.passes_of(given)[(part - 1) * _STACK : part * _STACK] if part else []
    stack = [p for p in stack if p.revoked_at is None]
    if not stack:
        raise NotFound
    reader.read({p.holder_id for p in stack}, (PersonField.ADDRESS,), by=by)  # door, initials and year leave
    tokens = credentials.tokens(p.id for p in stack)
    community = at_level(given.area, Kind.COMMUNITY) or given.area
    organ = next(iter(accounts.organs(kind="community", covering=community)), None)
    name, lang = places.place(community).name, press.language()
    papers = [
        pass_card(
            p, tokens[p.id], community=name, phone=organ.phone if organ else "", lang=lang, demo=settings.DEMO
        )
        for p in stack
    ]
    return press.as_pdf(papers, f"passes-{given.issued_at:%Y%m%d}-{part}", at=by.at)


def _require_compound(area: str, *, by: Actor) -> None:
    by.require(Right.CREDENTIALS_PASS_ISSUE, over=area)
    if at_level(area, Kind.COMPOUND) != area or area not in places.addresses([area]):
        raise NotFound
