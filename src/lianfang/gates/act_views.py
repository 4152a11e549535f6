"""Pages about quotas, closed perimeters and the ages of evidence: what is in force and why; propose, sign, end."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from lianfang.accounts.rights import Purpose, Right
from lianfang.accounts.saying import sentence
from lianfang.accounts.web import actor, surface
from lianfang.kernel.errors import NotFound, Refused
from lianfang.kernel.surfaces import Repeat
from lianfang.ledger import queries as ledger
from lianfang.places.policy import Kind, at_level

from . import ages, queries, rule_acts
from .act_lines import lines
from .forms import ActForm, AgesForm, WhyForm
from .views import places_of

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse


@never_cache
@surface(right=Right.GATES_POST_SEE, purpose=Purpose.GATE)
def acts(request: HttpRequest) -> HttpResponse:
    """All acts of the actor's areas, and how old evidence may be at every gate."""
    by = actor(request)
    said = queries.ages_acts()
    chain = ledger.newest_states([act.entry_id for act in said])
    return render(
        request,
        "gates/acts.html",
        {
            "rows": lines(queries.acts(by=by)),
            "ages": queries.ages_in_force(),
            "ages_acts": [{"act": act, "chain": chain[act.entry_id]} for act in said],
            "may_propose": bool(by.areas(Right.GATES_ACT_PROPOSE)),
            "may_set": ages.may_set(by),
        },
    )


@never_cache
@surface(right=Right.GATES_ACT_PROPOSE, purpose=Purpose.GATE, repeat=Repeat.SAME)
def propose(request: HttpRequest) -> HttpResponse:
    """Propose one."""
    by = actor(request)
    begins = by.at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    form = ActForm(
        request.POST or None,
        places=_with_compounds(places_of(by, Right.GATES_ACT_PROPOSE)),
        initial={"starts_at": begins, "ends_at": begins + timedelta(days=7), "kind": "quota"},
    )
    if form.is_valid():
        try:
            made = rule_acts.propose(form.draft(), by=by)
        except Refused as refusal:
            form.add_refusal(refusal)
        else:
            return redirect("gates:act", made.pk)
    return render(request, "gates/propose_act.html", {"form": form}, status=422 if form.errors else 200)


@never_cache
@surface(right=Right.GATES_POST_SEE, purpose=Purpose.GATE)
def act(request: HttpRequest, act_id: UUID) -> HttpResponse:
    """One act: its terms, who proposed and signed it, its grounds and the remedy."""
    view = queries.act(act_id, by=actor(request))
    (row,) = lines([view])
    signed, lifted = (
        ledger.state_of(said.entry_id) if said else None for said in (view.signature, view.lift)
    )
    return render(
        request, "gates/act.html", {"row": row, "why": WhyForm(), "signed": signed, "lifted": lifted}
    )


@require_POST
@surface(right=Right.GATES_ACT_SIGN, purpose=Purpose.GATE, fresh_factor=True, repeat=Repeat.SAME)
def sign(request: HttpRequest, act_id: UUID) -> HttpResponse:
    """Sign one; the gates get it at once."""
    try:
        rule_acts.sign(act_id, by=actor(request))
    except NotFound:
        raise
    except Refused as refusal:
        messages.error(request, sentence(refusal))
    else:
        messages.success(request, gettext("已签字，已发给卡口。"))
    return redirect("gates:act", act_id)


@require_POST
@surface(right=Right.GATES_ACT_SIGN, purpose=Purpose.GATE, fresh_factor=True, repeat=Repeat.SAME)
def lift(request: HttpRequest, act_id: UUID) -> HttpResponse:
    """End one before its time."""
    form = WhyForm(request.POST)
    if not form.is_valid():
        messages.error(request, gettext("请写明原因。"))
        return redirect("gates:act", act_id)
    try:
        rule_acts.lift(act_id, reason=form.cleaned_data["why"], by=actor(request))
    except NotFound:
        raise
    except Refused as refusal:
        messages.error(request, sentence(refusal))
    else:
        messages.success(request, gettext("已解除。联网的卡口半分钟内取到，其余的按到期时间。"))
    return redirect("gates:act", act_id)


@never_cache
@surface(right=Right.GATES_ACT_SIGN, purpose=Purpose.GATE, fresh_factor=True, repeat=Repeat.SAME)
def set_ages(request: HttpRequest) -> HttpResponse:
    """Sign how old evidence may be, in the place of what is in force."""
    by = actor(request)
    ages.signed_over(by)
    form = AgesForm(request.POST or None, initial=queries.ages_in_force()._asdict())
    if form.is_valid():
        try:
            ages.set_ages(form.draft(), by=by)
        except Refused as refusal:
            form.add_refusal(refusal)
        else:
            messages.success(request, gettext("已签字，已发给卡口。"))
            return redirect("gates:acts")
    return render(request, "gates/set_ages.html", {"form": form}, status=422 if form.errors else 200)


def _with_compounds(found: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Compounds, and the communities in which one stands: an act over any other would bind no gate."""
    holding = {at_level(path, Kind.COMMUNITY) for path, _ in found if at_level(path, Kind.COMPOUND)}
    return [(path, name) for path, name in found if path in holding or at_level(path, Kind.COMPOUND)]
