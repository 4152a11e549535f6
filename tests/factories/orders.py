"""The least true things that orders need: an incident with its rules, officers, a concern, an order."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from lianfang.accounts.rights import ORGAN_KIND_OF, Purpose, Role
from lianfang.concerns import actions as concerns
from lianfang.kernel.ids import random_id
from lianfang.kernel.row_security import scope
from lianfang.orders import actions
from lianfang.places.queries import at_level
from lianfang.rules import actions as rules_actions
from tests.factories.accounts import a_resident, an_officer, an_organ
from tests.factories.people import a_person

if TYPE_CHECKING:
    from uuid import UUID

    from lianfang.kernel.actor import Actor
    from lianfang.orders.models import IsolationOrder

ROOT: Final = "d510402"
#: The day of S1: a quarter past three in the afternoon of 30 January 2020.
S1_NOW: Final = datetime(2020, 1, 30, 7, 15, tzinfo=UTC)
#: She left the area at 14:20 that day; her fourteenth day is 13 February.
S1_ANCHOR: Final = datetime(2020, 1, 30, 6, 20, tzinfo=UTC)
S1_END: Final = datetime(2020, 2, 13, 16, 0, tzinfo=UTC)


def officer(
    role: Role, *, area: str = ROOT, at: datetime = S1_NOW, verified: bool = True, **more: Any
) -> Actor:
    """Somebody holding one office of that role over `area`, second factor just given."""
    organ = more.pop("organ", None) or an_organ(ORGAN_KIND_OF.get(role, "department"), area)
    return an_officer(role, area, at=at, organ=organ, verified=verified, **more)


def resident(person_id: UUID, *, at: datetime = S1_NOW) -> Actor:
    """The login of a resident."""
    return a_resident(person_id, at=at, purpose=Purpose.OWN_DATA)


def an_incident(*, at: datetime = S1_NOW, shift_days: int = 0) -> None:
    """The demonstration incident with the documents that ship, in force from 20 January 2020."""
    by = officer(Role.CDC, at=at)
    rules_actions.declare_incident(
        random_id(),
        code="DEMO",
        disease="covid19",
        name_zh="新冠肺炎疫情（演示）",
        name_en="COVID-19 (demonstration)",
        area=ROOT,
        by=by,
    )
    rules_actions.load_shipped(
        (*rules_actions.SHIPPED, rules_actions.DEMONSTRATION), shift_days=shift_days, by=by
    )


def a_rule_draft(**changes: object) -> rules_actions.DocumentDraft:
    """An isolation rule of the district for a reason that has none yet."""
    values: dict[str, object] = {
        "id": random_id(),
        "kind": "isolation",
        "subject": "area_returnee_medium",
        "jurisdiction": "510402",
        "version": f"test/{random_id()}",
        "effective_from": date(2020, 1, 20),
        "effective_to": None,
        "title": "测试",
        "document_no": "",
        "source": "",
        "content": {
            "measure": "home_isolation",
            "days": 7,
            "anchor_event": "left_area",
            "anchor_counts_as": 0,
            "release_at": "start_of_next_day",
            "legal_basis": "测试",
        },
    }
    return rules_actions.DocumentDraft(**{**values, **changes})  # type: ignore[arg-type]  # a test's draft


def a_concern(
    person_id: UUID,
    *,
    category: str = "area_returnee_high",
    anchor_at: datetime = S1_ANCHOR,
    by: Actor | None = None,
    at: datetime = S1_NOW,
) -> UUID:
    """What a case inquiry found, entered by a health officer. Needs a scope over the person."""
    return concerns.state_concern(
        concerns.ConcernDraft(
            id=random_id(),
            person_id=person_id,
            category=category,
            anchor_at=anchor_at,
            basis_kind="inquiry",
            basis_id=random_id(),
        ),
        by=by or officer(Role.CDC, at=at),
    )


def a_draft(person_id: UUID, **changes: Any) -> actions.IsolationDraft:
    """The draft of S1 for this person; makes its concern unless one is named."""
    values: dict[str, Any] = {
        "order_id": random_id(),
        "person_id": person_id,
        "reason": "area_returnee_high",
        "anchor_at": S1_ANCHOR,
    } | changes
    if "evidence_id" not in values:
        values["evidence_id"] = a_concern(
            person_id,
            category=values["reason"],
            anchor_at=values["anchor_at"],
            at=max(S1_NOW, values["anchor_at"]),
        )
    return actions.IsolationDraft(**values)


def an_order(
    person_id: UUID | None = None, *, by: Actor | None = None, at: datetime = S1_NOW, **changes: Any
) -> IsolationOrder:
    """An order in force on somebody; needs an incident. Sets its own scope over the district."""
    with scope(areas=[ROOT]):
        person_id = person_id or a_person()
        return actions.issue_isolation(a_draft(person_id, **changes), by=by or officer(Role.CDC, at=at))


def community_of(area: str) -> str:
    """The community around a dwelling."""
    found = at_level(area, "community")
    assert found
    return found
