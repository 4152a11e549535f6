"""The least true things that orders need: an incident with its rules, and officers of each kind."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

from lianfang.accounts.rights import Purpose, Role, rights_of
from lianfang.kernel.actor import Actor, Grant
from lianfang.kernel.ids import new_id
from lianfang.rules import actions as rules_actions

if TYPE_CHECKING:
    from uuid import UUID

ROOT: Final = "d510402"
#: The day of S1: a quarter past three in the afternoon of 30 January 2020.
S1_NOW: Final = datetime(2020, 1, 30, 7, 15, tzinfo=UTC)
#: She left the area at 14:20 that day.
S1_ANCHOR: Final = datetime(2020, 1, 30, 6, 20, tzinfo=UTC)

ORGANS: Final = {
    Role.CDC: ("D-CDC", "health"),
    Role.CMD_LEAD: ("D-COMMAND", "command"),
    Role.CMD_DUTY: ("D-COMMAND", "command"),
    Role.STREET: ("S-001", "street"),
    Role.COMMUNITY: ("C-001-003", "community"),
    Role.GRID: ("C-001-003", "community"),
    Role.PROPERTY: ("P-HEMU", "property"),
    Role.POLICE: ("D-POLICE", "police"),
    Role.AUDITOR: ("D-AUDIT", "department"),
}


def officer(
    role: Role,
    *,
    area: str = ROOT,
    at: datetime = S1_NOW,
    organ: str | None = None,
    user_id: UUID | None = None,
    verified: bool = True,
    purpose: Purpose = Purpose.ISOLATION,
) -> Actor:
    """Somebody holding one office of that role over `area`, second factor just given."""
    code, kind = ORGANS.get(role, ("", ""))
    code = organ or code
    user = user_id or new_id()
    return Actor(
        user_id=user,
        pseudonym=f"{role.value}-{str(user)[-6:]}",
        organ=code,
        organ_kind=kind,
        grants=frozenset(Grant(right, area, code, kind) for right in rights_of(role)),
        at=at,
        purpose=purpose,
        surface="test",
        request_id=new_id(),
        verified_at=at if verified else None,
    )


def resident(person_id: UUID, *, at: datetime = S1_NOW) -> Actor:
    """The login of a resident."""
    return Actor(
        user_id=new_id(),
        pseudonym="resident",
        organ="",
        organ_kind="",
        grants=frozenset(),
        at=at,
        purpose=Purpose.OWN_DATA,
        surface="test",
        request_id=new_id(),
        person_id=person_id,
    )


def an_incident(*, at: datetime = S1_NOW, shift_days: int = 0) -> None:
    """The demonstration incident with the documents that ship, in force from 20 January 2020."""
    by = officer(Role.CDC, at=at)
    rules_actions.declare_incident(
        new_id(),
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
        "id": new_id(),
        "kind": "isolation",
        "subject": "area_returnee_medium",
        "jurisdiction": "510402",
        "version": f"test/{new_id()}",
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
