"""The end of a case: the person has it kept longer or takes that back; past its term the health organ destroys it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache

from lianfang.accounts.rights import Purpose, Right
from lianfang.accounts.web import actor, surface
from lianfang.kernel.clock import LEGAL_ZONE
from lianfang.kernel.errors import NotFound, Refused
from lianfang.kernel.surfaces import Repeat
from lianfang.messaging.press import as_pdf, press_for

from . import actions, ending, pages, prints, queries
from .forms import DestroyForm, HoldForm, OpenForm, WithdrawalForm

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse

    from lianfang.kernel.actor import Actor

    from .models import Hold


@never_cache
@surface(resident=True, purpose=Purpose.OWN_DATA, repeat=Repeat.SAME)
def hold(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Have the own case kept beyond its term (D-5)."""
    by = actor(request)
    order = queries.order(order_id, by=by)
    if order is None or order.person_id != by.person_id:
        raise NotFound
    form = HoldForm(request.POST or None)

    def act() -> object:
        return actions.hold_case(form.draft(order_id), by=by)

    context = {
        "order": order,
        "kept_until": ending.kept_until(order_id),
        "holds": ending.holds_of(order_id, by.at),
    }
    said = gettext("已记录：案卷保留到您要求的日期。")
    return pages.done(request, form, act, "orders:own", "orders/own_hold.html", context, said=said)


@never_cache
@surface(right=Right.ORDERS_NOTICE_SERVE, purpose=Purpose.SERVICE_OF_NOTICE, repeat=Repeat.SAME)
def hold_for(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """The same for somebody who comes to the counter."""
    by = actor(request)
    order = queries.order(order_id, by=by)
    if order is None:
        raise NotFound
    form = HoldForm(request.POST or None)

    def act() -> object:
        return actions.hold_case(form.draft(order_id), by=by)

    kept_until = ending.kept_until(order_id)
    context = {
        "order": order,
        "title": gettext("代为要求保留案卷"),
        "button": gettext("要求保留"),
        "note": gettext("现在保留至 %(at)s。") % {"at": f"{kept_until.astimezone(LEGAL_ZONE):%Y-%m-%d %H:%M}"}
        if kept_until
        else gettext("有申诉还没有答复，答复之前不会销毁。"),
        "holds": ending.holds_of(order_id, by.at),
    }
    said = gettext("已记录：案卷保留到您要求的日期。")
    return pages.done(
        request, form, act, ("orders:order", order_id), "orders/one_form.html", context,
        about=order.shown_person, said=said,
    )  # fmt: skip


@never_cache
@surface(resident=True, purpose=Purpose.OWN_DATA, repeat=Repeat.SAME)
def withdraw(request: HttpRequest, hold_id: UUID) -> HttpResponse:
    """Take the own hold back before its end."""
    by = actor(request)
    hold, order = _held(hold_id, by=by)
    if order.person_id != by.person_id:
        raise NotFound
    form = WithdrawalForm(request.POST or None)

    def act() -> object:
        return actions.withdraw_hold(form.draft(hold_id), by=by)

    context = {"order": order, "hold": hold}
    said = gettext("已撤回：案卷只按规定期限保留。")
    return pages.done(request, form, act, "orders:own", "orders/own_withdraw.html", context, said=said)


@never_cache
@surface(right=Right.ORDERS_NOTICE_SERVE, purpose=Purpose.SERVICE_OF_NOTICE, repeat=Repeat.SAME)
def withdraw_for(request: HttpRequest, hold_id: UUID) -> HttpResponse:
    """The same for somebody who comes to the counter; what the person asked for themselves is not taken back here."""
    by = actor(request)
    hold, order = _held(hold_id, by=by)
    if not hold.on_behalf:
        raise NotFound
    form = WithdrawalForm(request.POST or None)

    def act() -> object:
        return actions.withdraw_hold(form.draft(hold_id), by=by)

    context = {
        "order": order,
        "title": gettext("代为撤回保留"),
        "button": gettext("撤回保留"),
        "note": gettext("撤回后案卷按规定期限销毁，不能恢复。"),
    }
    said = gettext("已撤回：案卷只按规定期限保留。")
    return pages.done(
        request, form, act, ("orders:order", order.id), "orders/one_form.html", context,
        about=order.shown_person, said=said,
    )  # fmt: skip


def _held(hold_id: UUID, *, by: Actor) -> tuple[Hold, queries.OrderView]:
    hold = ending.hold(hold_id)
    order = None if hold is None else queries.order(hold.order_id, by=by)
    if hold is None or order is None:
        raise NotFound
    return hold, order


@never_cache
@surface(
    right=Right.ORDERS_NOTICE_PRINT, purpose=Purpose.SERVICE_OF_NOTICE, fresh_factor=True, repeat=Repeat.SAME
)
def open_sealed(request: HttpRequest) -> HttpResponse:
    """Whose an order was that ended long ago: for an appeal or a court. Shown once; nothing stays open."""
    by = actor(request)
    form = OpenForm(request.POST or None, initial={"order_no": request.GET.get("no", "")})
    context: dict[str, object] = {"form": form}
    if form.is_valid():
        said = form.cleaned_data
        try:
            order, person = actions.open_identity(said["order_no"].strip(), reason=said["reason"], by=by)
        except Refused as refusal:
            form.add_refusal(refusal)
        else:
            if said["with_notice"]:
                notice = prints.isolation_notice(order, press_for(request), by=by)
                return as_pdf([notice], f"notice-{order.order_no}", at=by.at)
            context |= {"order": order, "person": person}
    return render(request, "orders/open_sealed.html", context, status=422 if form.errors else 200)


@never_cache
@surface(right=Right.ORDERS_CASE_DESTROY, purpose=Purpose.ISOLATION, fresh_factor=True, repeat=Repeat.SAME)
def destroy(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Destroy one case whose term is over; the hourly job does the same without anybody."""
    by = actor(request)
    order = queries.order(order_id, by=by)
    if order is None:
        if request.method != "POST":
            raise NotFound
        actions.destroy_case(order_id, by=by)  # sent twice: it was destroyed by the first
        return redirect("orders:desk")
    form = DestroyForm(request.POST if request.method == "POST" else None)

    def act() -> object:
        return actions.destroy_case(order_id, by=by)

    context = {"order": order, "kept_until": ending.kept_until(order_id)}
    said = gettext("案卷已销毁，信息链上留有记录。")
    return pages.done(
        request, form, act, "orders:desk", "orders/destroy.html", context, about=order.shown_person, said=said
    )
