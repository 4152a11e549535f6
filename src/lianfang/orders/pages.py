"""What the pages of the desk share: the lines of a list of orders, and one act run from a form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext

from lianfang.accounts.rights import Right
from lianfang.accounts.web import actor
from lianfang.kernel.clock import legal_day
from lianfang.kernel.errors import Refused
from lianfang.ledger import queries as ledger
from lianfang.people.reader import PersonField, read
from lianfang.rules import labels as rule_labels

from .queries import OrderView

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from uuid import UUID

    from django import forms
    from django.http import HttpRequest, HttpResponse

    from lianfang.kernel.actor import Actor
    from lianfang.people.reader import PersonView

    from . import labels, queries


def names_of(ids_: Iterable[UUID], *, by: Actor) -> dict[UUID, PersonView]:
    """Names for those who may read them; a commander's list has none."""
    return read(set(ids_), (PersonField.NAME,), by=by) if by.areas(Right.PEOPLE_PERSON_READ) else {}


def line_of(
    order: queries.OrderView, names: dict[UUID, PersonView], said: labels.Reasons
) -> dict[str, object]:
    view = None if order.is_sealed else names.get(order.person_id)
    return {
        "order": order,
        "name": view.shown_name if view else "",
        "door": view.door if view else "",
        "measure": rule_labels.MEASURES[order.measure],
        "reason": said.say(order.reason, legal_day(order.signed_at), area=order.area),
    }


def lines(
    orders: Sequence[queries.OrderView], names: dict[UUID, PersonView], said: labels.Reasons
) -> list[dict[str, object]]:
    """Lines of a list, each with how far its order has come in the chain."""
    chain = ledger.newest_states([o.entry_id for o in orders])
    return [line_of(o, names, said) | {"chain": chain[o.entry_id]} for o in orders]


def done(
    request: HttpRequest,
    form: forms.Form,
    act: Callable[[], object],
    to: str | tuple[str, UUID],
    template: str,
    context: Mapping[str, object],
    *,
    about: UUID | None = None,
    said: str = "",
) -> HttpResponse:
    """Run one act on a valid form and go on; a refusal becomes a sentence above the form.

    An `order` in the context is shown with how far it has come in the chain.

    :param about: whom the act concerns; who may read the name sees it above the form
    :param said: what the next page says, if more than that it is done
    """
    if form.is_valid():
        try:
            act()
        except Refused as refusal:
            form.add_refusal(refusal)  # type: ignore[attr-defined]  # every form here is refusable
        else:
            messages.success(request, said or gettext("已办理。"))
            return redirect(*to) if isinstance(to, tuple) else redirect(to)
    shown = names_of([about], by=actor(request)).get(about) if about else None
    order = context.get("order")
    chain = ledger.newest_states([order.entry_id])[order.entry_id] if isinstance(order, OrderView) else None
    return render(
        request,
        template,
        {"chain": chain, **context, "form": form, "who": shown},
        status=422 if form.errors else 200,
    )
