"""Pages about people: search, person, place; the own household and who looked. They decide nothing.

What is searched for travels in the body and never in the address: addresses end up in logs (N-1).
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from lianfang.accounts.labels import PURPOSES
from lianfang.accounts.rights import Purpose, Right
from lianfang.accounts.saying import sentence
from lianfang.accounts.web import actor, surface
from lianfang.kernel.clock import legal_day
from lianfang.kernel.errors import NotFound, Refused
from lianfang.kernel.fields import within_any
from lianfang.kernel.ids import new_id
from lianfang.kernel.surfaces import Rate, Repeat
from lianfang.ledger.errors import NotWitnessedYet
from lianfang.places import queries as places

from . import actions, own, queries, reader, search
from .errors import NotBatchedYet
from .forms import CorrectionForm, ExportForm, PersonForm, ReasonForm, SearchForm, SettleForm
from .labels import CARE, FIELDS, SEX
from .models import Correction
from .policy import PersonField
from .queries import household_members, person_refs
from .sealing import unseal

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest

    from .reader import PersonView

_LIST: Final = (PersonField.NAME,)
_CARD: Final = (
    PersonField.NAME,
    PersonField.SEX,
    PersonField.BIRTH_DATE,
    PersonField.PHONE,
    PersonField.ADDRESS,
    PersonField.HOUSEHOLD,
    PersonField.CARE,
)


def _seeks_a_number(request: HttpRequest) -> bool:
    """Whether somebody is looked for by telephone or document number: the way to try numbers out (T35)."""
    return search.kind_of(request.POST.get("q", "")) in (search.By.NUMBER, search.By.PHONE)


def _search(request: HttpRequest, *, inquiry: bool) -> HttpResponse:
    by = actor(request)
    form = SearchForm(request.POST or None)
    found, shown = None, []
    if form.is_valid():
        found = search.find(form.cleaned_data["q"], by=by, after=form.cleaned_data["after"])
        views = reader.read(found.ids, _LIST, by=by)
        shown = [views[pk] for pk in found.ids if pk in views]
    # Going from door to door is for those who keep the register; an inquiry asks for somebody.
    areas = [] if inquiry else by.areas(Right.PEOPLE_PERSON_SEARCH)
    return render(
        request,
        "people/search.html",
        {
            "form": form,
            "found": found,
            "people": shown,
            "person_page": "people:inquiry_person" if inquiry else "people:person",
            "areas": [{"path": a, "name": n} for a, n in places.names(areas).items()],
            "may_register": bool(by.areas(Right.PEOPLE_PERSON_REGISTER)),
            "page_size": search.PAGE,
        },
        status=422 if form.errors else 200,
    )


@never_cache
@surface(
    right=Right.PEOPLE_PERSON_SEARCH,
    purpose=Purpose.REGISTER_KEEPING,
    repeat=Repeat.ASKS,
    rate=Rate.EXACT_SEARCH,
    counts=_seeks_a_number,
)
def people(request: HttpRequest) -> HttpResponse:
    """Search in the own area, to keep the register."""
    return _search(request, inquiry=False)


@never_cache
@surface(
    right=Right.PEOPLE_PERSON_SEARCH,
    purpose=Purpose.CASE_INQUIRY,
    repeat=Repeat.ASKS,
    rate=Rate.EXACT_SEARCH,
    counts=_seeks_a_number,
)
def inquiry(request: HttpRequest) -> HttpResponse:
    """The same search for a case inquiry of the health office."""
    return _search(request, inquiry=True)


def _person(request: HttpRequest, person_id: UUID, *, inquiry: bool) -> HttpResponse:
    by = actor(request)
    form = ReasonForm(request.POST or None)
    fields, reason = list(_CARD), ""
    if request.method == "POST" and form.is_valid():
        fields, reason = [*_CARD, PersonField.ID_NO], form.cleaned_data["reason"]
    views = reader.read([person_id], fields, by=by, reason=reason)
    if person_id not in views:
        raise NotFound()
    person = views[person_id]
    others = [pk for pk in household_members(person_id) if pk != person_id]
    shown = reader.read(others, (PersonField.NAME, PersonField.HOUSEHOLD), by=by)
    return render(
        request,
        "people/person.html",
        {
            "person": person,
            "rows": _card(person),
            "others": [shown[pk] for pk in others if pk in shown],
            "form": form,
            "person_page": "people:inquiry_person" if inquiry else "people:person",
            "back": "people:inquiry" if inquiry else "people:people",
            "may_reveal": by.may(Right.PEOPLE_PERSON_REVEAL, over=person.area),
            "may_correct": not inquiry and by.may(Right.PEOPLE_PERSON_CORRECT, over=person.area),
            "correctable": [
                (f.value, FIELDS[f]) for f in (PersonField.NAME, PersonField.PHONE, PersonField.CARE)
            ],
        },
        status=422 if form.errors else 200,
    )


def _card(person: PersonView) -> list[tuple[Any, str]]:
    number = person.id_no if person.id_no is not None else f"＊＊＊{person.id_no_last2}"
    return [
        (FIELDS["name"], person.shown_name),
        (FIELDS["sex"], str(SEX[person.sex or "U"])),
        (FIELDS["birth_date"], person.birth_date.isoformat() if person.birth_date else "—"),
        (FIELDS["id_no"], number if number.strip("＊") else "—"),
        (FIELDS["phone"], person.phone or "—"),
        (FIELDS["address"], f"{person.address or ''}（{person.door}）"),
        (FIELDS["care"], "、".join(str(CARE[c]) for c in person.care or ()) or "—"),
    ]


@never_cache
@surface(right=Right.PEOPLE_PERSON_READ, purpose=Purpose.REGISTER_KEEPING, repeat=Repeat.ASKS)
def person(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """One person; the number is opened by a written reason."""
    return _person(request, person_id, inquiry=False)


@never_cache
@surface(right=Right.PEOPLE_PERSON_READ, purpose=Purpose.CASE_INQUIRY, repeat=Repeat.ASKS)
def inquiry_person(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """One person in a case inquiry."""
    return _person(request, person_id, inquiry=True)


@never_cache
@surface(right=Right.PEOPLE_PERSON_CORRECT, purpose=Purpose.REGISTER_KEEPING, repeat=Repeat.SAME)
def correct(request: HttpRequest, person_id: UUID, field: str) -> HttpResponse:
    """Correct one field; what somebody else changed meanwhile is kept beside it."""
    by = actor(request)
    wanted = PersonField(field)
    form = CorrectionForm(request.POST or None, field=wanted)
    if request.method == "POST" and form.is_valid():
        try:
            done = actions.correct_person(form.draft(person_id), by=by)
        except Refused as refusal:
            form.add_refusal(refusal)
        else:
            if done.state == Correction.State.CONFLICT:
                messages.warning(
                    request, gettext("这一项刚被别人改过，两个值都已保留，请到“待处理更正”中选择。")
                )
                return redirect("people:corrections")
            messages.success(request, gettext("已更正。"))
            return redirect("people:person", person_id)
    views = reader.read([person_id], (wanted, PersonField.NAME), by=by)
    if person_id not in views:
        raise NotFound()
    current = _value(views[person_id], wanted)
    if request.method != "POST":
        form.initial = {
            "id": new_id(),
            "base": actions.base_of(person_id, wanted, current).hex(),
            "value": current.split(",") if wanted is PersonField.CARE else current,
        }
    return render(
        request,
        "people/correct.html",
        {"form": form, "person": views[person_id], "what": FIELDS[wanted]},
        status=422 if form.errors else 200,
    )


def _value(view: PersonView, field: PersonField) -> str:
    if field is PersonField.NAME:
        return view.name or ""
    if field is PersonField.PHONE:
        return view.phone or ""
    return ",".join(sorted(view.care or ()))


@never_cache
@surface(right=Right.PEOPLE_PERSON_CORRECT, purpose=Purpose.REGISTER_KEEPING)
def corrections(request: HttpRequest) -> HttpResponse:
    """What people asked to have corrected, and where two values clash."""
    by = actor(request)
    areas = by.areas(Right.PEOPLE_PERSON_CORRECT)
    waiting = list(
        Correction.objects.filter(within_any("area", areas), state__in=["asked", "conflict"]).order_by(
            "asked_at"
        )[: search.PAGE]
    )
    # The fields at stake are shown, so they are what is read and recorded, besides the name.
    fields = {PersonField(c.field) for c in waiting} | {PersonField.NAME}
    views = reader.read([c.person_id for c in waiting], fields, by=by)
    rows = [
        {
            "id": c.pk,
            "person": views[c.person_id],
            "field": FIELDS[c.field],
            "value": _said(c.field, unseal(c.value, of=c.pk, field="value")),
            "now": _said(c.field, _value(views[c.person_id], PersonField(c.field))),
            "conflict": c.state == "conflict",
            "reason": c.reason,
            "asked_at": c.asked_at,
            "by_the_person": c.by_the_person,
        }
        for c in waiting
        if c.person_id in views
    ]
    return render(request, "people/corrections.html", {"rows": rows})


def _said(field: str, value: str) -> str:
    if field == PersonField.CARE:
        return "、".join(str(CARE[v]) for v in value.split(",") if v) or "—"
    return value or "—"


@never_cache
@surface(right=Right.PEOPLE_PERSON_CORRECT, purpose=Purpose.REGISTER_KEEPING, repeat=Repeat.SAME)
def settle(request: HttpRequest, correction_id: UUID) -> HttpResponse:
    """Accept or refuse one correction."""
    form = SettleForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        accept = form.cleaned_data["accept"] == "1"
        actions.settle_correction(
            correction_id, accept=accept, answer=form.cleaned_data["answer"], by=actor(request)
        )
        messages.success(request, gettext("已处理。"))
    return redirect("people:corrections")


@never_cache
@surface(right=Right.PEOPLE_PERSON_SEARCH, purpose=Purpose.REGISTER_KEEPING, repeat=Repeat.ASKS)
def place(request: HttpRequest, path: str) -> HttpResponse:
    """A place: what stands in it; from a building down also who lives there."""
    by = actor(request)
    by.require(Right.PEOPLE_PERSON_SEARCH, over=path)
    here = places.place(path)
    close = here.kind in (
        places.Kind.COMPOUND,
        places.Kind.BUILDING,
        places.Kind.STAIRWELL,
        places.Kind.DWELLING,
    )
    after = request.POST.get("after", "")
    found = search.list_people(path, by=by, after=after) if close else None
    views = reader.read(found.ids, _LIST, by=by) if found else {}
    ancestors = [path.rsplit(".", n)[0] for n in range(path.count("."), -1, -1)]
    known = places.places_at(ancestors)
    return render(
        request,
        "people/place.html",
        {
            "here": here,
            "trail": [
                {"path": a, "name": known[a].name, "open": by.may(Right.PEOPLE_PERSON_SEARCH, over=a)}
                for a in ancestors
                if a in known and a != path
            ],
            "inside": places.children(path),
            "people": [views[pk] for pk in (found.ids if found else ()) if pk in views],
            "found": found,
            "may_register": here.kind is places.Kind.DWELLING
            and by.may(Right.PEOPLE_PERSON_REGISTER, over=path),
        },
    )


@never_cache
@surface(right=Right.PEOPLE_PERSON_REGISTER, purpose=Purpose.REGISTER_KEEPING, repeat=Repeat.SAME)
def register(request: HttpRequest, path: str) -> HttpResponse:
    """Register one person at a door; people who live there already share a household if there is one."""
    by = actor(request)
    by.require(Right.PEOPLE_PERSON_REGISTER, over=path)
    form = PersonForm(request.POST or None)
    living = search.list_people(path, by=by).ids
    households = {r.household_id for r in person_refs(living).values() if r.household_id}
    if request.method == "POST" and form.is_valid():
        household = next(iter(households)) if len(households) == 1 else None
        try:
            person_id = actions.register_person(form.draft(area=path, household_id=household), by=by)
        except Refused as refusal:
            form.add_refusal(refusal)
        else:
            messages.success(request, gettext("已登记。"))
            return redirect("people:person", person_id)
    return render(
        request,
        "people/register.html",
        {"form": form, "here": places.place(path), "address": places.addresses([path]).get(path, "")},
        status=422 if form.errors else 200,
    )


# --- exports ---------------------------------------------------------------------------------------


@never_cache
@surface(
    right=Right.PEOPLE_PERSON_EXPORT, purpose=Purpose.CASE_INQUIRY, fresh_factor=True, repeat=Repeat.SAME
)
def export(request: HttpRequest, path: str) -> HttpResponse:
    """Ask for the people of a place as a file; a second person agrees."""
    by = actor(request)
    by.require(Right.PEOPLE_PERSON_EXPORT, over=path)
    form = ExportForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        value = form.cleaned_data
        try:
            actions.ask_export(value["id"], area=path, purpose=value["purpose"], by=by)
        except Refused as refusal:
            form.add_refusal(refusal)
        else:
            messages.success(request, gettext("已申请。另一位有权导出的人员同意后，一天之内可以下载。"))
            return redirect("people:exports")
    return render(
        request,
        "people/export.html",
        {
            "form": form,
            "address": places.addresses([path]).get(path, places.place(path).name),
            "inside": places.children(path),
        },
        status=422 if form.errors else 200,
    )


@never_cache
@surface(right=Right.PEOPLE_PERSON_EXPORT, purpose=Purpose.CASE_INQUIRY)
def exports(request: HttpRequest) -> HttpResponse:
    """What was asked for in the last days: to agree to, to fetch, or over."""
    by = actor(request)
    rows = queries.export_requests(by)
    areas = by.areas(Right.PEOPLE_PERSON_EXPORT)
    names = places.addresses([*areas, *(row.area for row in rows)])
    return render(
        request,
        "people/exports.html",
        {
            "rows": [(row, names.get(row.area, row.area)) for row in rows],
            "areas": [(area, names.get(area, area)) for area in areas],
        },
    )


@require_POST
@surface(
    right=Right.PEOPLE_PERSON_EXPORT, purpose=Purpose.CASE_INQUIRY, fresh_factor=True, repeat=Repeat.SAME
)
def agree(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Agree to somebody else's export."""
    try:
        actions.agree_to_export(request_id, by=actor(request))
    except Refused as refusal:
        messages.error(request, sentence(refusal))
    else:
        messages.success(request, gettext("已同意。"))
    return redirect("people:exports")


@never_cache
@require_POST
@surface(
    right=Right.PEOPLE_PERSON_EXPORT, purpose=Purpose.CASE_INQUIRY, fresh_factor=True, repeat=Repeat.ANEW
)
def export_file(request: HttpRequest, request_id: UUID, form: str) -> HttpResponse:
    """The file: cap, mark; everybody on it sees the reading."""
    by = actor(request)
    try:
        made = actions.export_people(request_id, form=form, by=by)
    except Refused as refusal:
        messages.error(request, sentence(refusal))
        return redirect("people:exports")
    response = HttpResponse(made.content, content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="people-{by.legal_day}.{form}"'
    return response


# --- the person themselves -------------------------------------------------------------------------


@never_cache
@surface(resident=True, purpose=Purpose.OWN_DATA)
def household(request: HttpRequest) -> HttpResponse:
    """My record and my household."""
    mine = own.my_household(by=actor(request))
    return render(
        request,
        "people/household.html",
        {
            "me": mine.me,
            "rows": _card(mine.me),
            "others": mine.others,
            "wards": [(w, _card(w)) for w in mine.wards],
            "correctable": [
                (f.value, FIELDS[f]) for f in (PersonField.NAME, PersonField.PHONE, PersonField.CARE)
            ],
            "corrections": [
                {"field": FIELDS[c.field], "state": c.state, "answer": c.answer} for c in mine.corrections
            ],
        },
    )


@never_cache
@surface(resident=True, purpose=Purpose.OWN_DATA)
def reads(request: HttpRequest) -> HttpResponse:
    """Who looked at my data: what one officer looked at on one day for one purpose stands together."""
    before = request.GET.get("before", "")
    shown = own.my_reads(
        by=actor(request), before=int(before) if before.isdigit() and len(before) < 19 else None
    )
    order = {field: n for n, field in enumerate(FIELDS)}
    rows = []
    for (organ, pseudonym, purpose, reason, _day), group in groupby(
        shown, key=lambda row: (row[1], row[0].pseudonym, row[0].purpose, row[0].reason, legal_day(row[0].at))
    ):
        looks = [r for r, _ in group]
        fields = sorted({f for r in looks for f in r.fields}, key=lambda f: order.get(f, len(order)))
        rows.append(
            {
                "first": looks[-1].at,
                "last": looks[0].at,
                "count": len(looks),
                "organ": organ,
                "pseudonym": pseudonym,
                "purpose": PURPOSES[Purpose(purpose)] if purpose in set(Purpose) else purpose,
                "fields": "、".join(str(FIELDS.get(f, f)) for f in fields),
                "reason": reason,
                "looks": looks,
            }
        )
    return render(
        request, "people/reads.html", {"rows": rows, "next": shown[-1][0].id if len(shown) == 50 else None}
    )


@never_cache
@surface(resident=True, purpose=Purpose.OWN_DATA)
def read_proof(request: HttpRequest, read_id: int) -> HttpResponse:
    """That one reading of my data stands in the chain's digest of its hour."""
    try:
        text = own.my_read_proof(read_id, by=actor(request))
    except (NotBatchedYet, NotWitnessedYet) as not_yet:
        messages.info(request, sentence(not_yet))
        return redirect("people:reads")
    answer = HttpResponse(text, content_type="text/plain; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="read-proof-{read_id}.txt"'
    return answer


@never_cache
@surface(resident=True, purpose=Purpose.OWN_DATA, repeat=Repeat.SAME)
def ask(request: HttpRequest, field: str) -> HttpResponse:
    """Ask for one field of the own record to be corrected."""
    by = actor(request)
    wanted = PersonField(field)
    me = own.my_household(by=by).me
    current = _value(me, wanted)
    form = CorrectionForm(
        request.POST or None,
        field=wanted,
        initial={
            "id": new_id(),
            "base": actions.base_of(me.id, wanted, current).hex(),
            "value": current.split(",") if wanted is PersonField.CARE else current,
        },
    )
    if request.method == "POST" and form.is_valid():
        try:
            actions.ask_correction(form.draft(me.id), by=by)
        except Refused as refusal:
            form.add_refusal(refusal)
        else:
            messages.success(request, gettext("已提交，社区会核实并答复。"))
            return redirect("people:household")
    return render(
        request, "people/ask.html", {"form": form, "what": FIELDS[wanted]}, status=422 if form.errors else 200
    )
