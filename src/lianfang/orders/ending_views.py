"""The end of a case: the person has it kept longer, or the health organ destroys it when its term is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache

from lianfang.accounts.rights import Purpose, Right
from lianfang.accounts.web import actor, surface
from lianfang.kernel.clock import LEGAL_ZONE
from lianfang.kernel.errors import NotFound
from lianfang.kernel.surfaces import Repeat

from . import actions, ending, pages, queries
from .forms import DestroyForm, HoldForm

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse


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

    context = {"order": order, "kept_until": ending.kept_until(order_id)}
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
    }
    said = gettext("已记录：案卷保留到您要求的日期。")
    return pages.done(
        request, form, act, ("orders:order", order_id), "orders/one_form.html", context,
        about=order.person_id, said=said,
    )  # fmt: skip


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
        request, form, act, "orders:desk", "orders/destroy.html", context, about=order.person_id, said=said
    )
