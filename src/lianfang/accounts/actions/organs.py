"""Organs: the bodies in whose name offices act."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from lianfang.accounts.models import Organ
from lianfang.accounts.rights import ENTERED_BY, GRANTS, Right
from lianfang.kernel.errors import NotAllowed, NotFound, SameIdOtherContent
from lianfang.places import queries as places
from lianfang.places.policy import Kind, at_level

from .offices import holds_over

if TYPE_CHECKING:
    from lianfang.kernel.actor import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganDraft:
    """A body to be entered; its level follows from its area. `parent` is the code of the organ above."""

    code: str
    name: str
    kind: str
    area: str
    parent: str = ""
    phone: str = ""


def _level(area: str) -> str:
    if at_level(area, Kind.COMMUNITY):
        return Organ.Level.COMMUNITY
    return Organ.Level.STREET if at_level(area, Kind.STREET) else Organ.Level.DISTRICT


@transaction.atomic
def enter_organ(draft: OrganDraft, *, by: Actor) -> Organ:
    """Enter a body; entering it again returns it.

    :raises NotAllowed: `by` may give no office of such a body over its area
    :raises SameIdOtherContent: the code stands for another body
    """
    _require_enterable(draft.kind, draft.area, by=by)
    return put_organ(draft)


@transaction.atomic
def enter_divisions(area: str, *, by: Actor) -> int:
    """Enter the office of each street and the committee of each community in `area` that has none; how many are new.

    Their telephones are not known here: they are filled in one by one (`describe_organ`).

    :raises NotAllowed: `by` may give no office of streets and communities over the area
    """
    kinds = (Organ.Kind.STREET, Organ.Kind.COMMUNITY)
    for kind in kinds:
        _require_enterable(kind, area, by=by)
    known = set(Organ.objects.filter(kind__in=kinds).values_list("kind", "area"))
    missing = [
        place
        for place in places.standing_below(area, kinds=[Kind.STREET, Kind.COMMUNITY])
        if (place.kind.value, place.path) not in known
    ]
    # Streets first, so that the communities find their parent.
    for place in sorted(missing, key=lambda place: place.path.count(".")):
        above = place.path.rpartition(".")[0]
        put_organ(
            OrganDraft(
                code=division_code(place.path), name=_division_name(place), kind=place.kind.value,
                area=place.path, parent=division_code(above) if place.kind is Kind.COMMUNITY else "",
            )
        )  # fmt: skip
    return len(missing)


def division_code(path: str) -> str:
    """The code of the body of a street or community."""
    kind = "community" if at_level(path, Kind.COMMUNITY) else "street"
    return f"{kind}-{path.rpartition('.')[2][1:]}"


def _division_name(place: places.PlaceView) -> str:
    if place.kind is Kind.STREET:
        return place.name + ("人民政府" if place.name.endswith(("镇", "乡")) else "办事处")
    return place.name + ("村民委员会" if place.name.endswith("村") else "居民委员会")


@transaction.atomic
def describe_organ(code: str, *, name: str, phone: str, by: Actor) -> Organ:
    """Change what a body is called and its telephone, as they stand on papers from now on.

    :raises NotFound: no such body
    :raises NotAllowed: `by` may give no office of such a body over its area
    """
    organ = Organ.objects.select_for_update().filter(code=code).first()
    if organ is None:
        raise NotFound()
    _require_enterable(organ.kind, organ.area, by=by)
    organ.name, organ.phone = name, phone
    organ.save(update_fields=["name", "phone"])
    return organ


def _require_enterable(kind: str, area: str, *, by: Actor) -> None:
    by.require(Right.ACCOUNTS_OFFICE_GRANT, over=area)
    if not any(holds_over(by.user_id, area, GRANTS, role, at=by.at) for role in ENTERED_BY[kind]):
        raise NotAllowed(right=str(Right.ACCOUNTS_OFFICE_GRANT), kind=kind)


def put_organ(draft: OrganDraft) -> Organ:
    """The organ with this content, made if missing. For the start of a system and its demonstration.

    :raises SameIdOtherContent: the code stands for another body
    """
    parent = Organ.objects.filter(code=draft.parent).first() if draft.parent else None
    organ, _ = Organ.objects.get_or_create(
        code=draft.code,
        defaults={
            "name": draft.name,
            "kind": draft.kind,
            "level": _level(draft.area),
            "area": draft.area,
            "parent": parent,
            "phone": draft.phone,
        },
    )
    if (organ.kind, organ.area) != (draft.kind, draft.area):
        raise SameIdOtherContent(organ=draft.code)
    return organ
