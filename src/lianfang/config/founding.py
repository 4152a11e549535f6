"""The first run of an empty system: incident, district, first officers; one act, possible once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import transaction

from lianfang.accounts import actions as accounts
from lianfang.accounts import queries
from lianfang.accounts.rights import Purpose, Role
from lianfang.kernel.actor import Actor
from lianfang.kernel.clock import legal_day
from lianfang.kernel.ids import new_id
from lianfang.places import actions as places
from lianfang.rules import actions as rules

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

#: The offices a system begins with: who orders about persons, who commands, who admits further officers.
FIRST: Final[Mapping[Role, tuple[str, str]]] = {
    # role: (kind of organ, name of organ)
    Role.CDC: ("health", "区疾病预防控制中心"),
    Role.CMD_LEAD: ("command", "区应急指挥部"),
    Role.SECURITY_ADMIN: ("department", "区信息安全管理处"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Founding:
    """What the first-run page asks for.

    :ivar edition: the dated edition of administrative divisions the district begins with
    :ivar officers: role → login, name, password
    """

    incident_code: str
    disease: str
    name_zh: str
    name_en: str
    edition: str
    officers: Mapping[Role, tuple[str, str, str]]


@transaction.atomic
def found(draft: Founding, *, at: datetime) -> None:
    """Enter the district, the first officers and the incident, and publish the rules that ship with exact dates.

    :raises SystemInUse: an office exists
    :raises WeakPassword: one of the passwords is weak
    :raises NoSuchEdition: no such edition of divisions
    """
    places.load_editions()
    root = places.open_district(edition_id=draft.edition, from_on=legal_day(at))
    organs = [
        accounts.OrganDraft(code=str(role), name=name, kind=kind, area=root)
        for role, (kind, name) in FIRST.items()
    ]
    officers = [
        accounts.FirstOfficer(login=login, name=name, password=password, role=role, organ=str(role))
        for role, (login, name, password) in draft.officers.items()
    ]
    users = accounts.found_system(officers, organs, at=at)
    commander = next(
        user for user, officer in zip(users, officers, strict=True) if officer.role == Role.CMD_LEAD
    )
    offices = queries.offices_held(commander.pk, at)
    by = Actor(
        user_id=commander.pk,
        pseudonym=commander.pseudonym,
        organ=offices[0].organ.code,
        organ_kind=offices[0].organ.kind,
        grants=queries.grants_of(offices),
        at=at,
        purpose=Purpose.ADMINISTRATION,
        surface="config.first_run",
        request_id=new_id(),
    )
    rules.declare_incident(
        new_id(),
        code=draft.incident_code,
        disease=draft.disease,
        name_zh=draft.name_zh,
        name_en=draft.name_en,
        area=root,
        by=by,
    )
    rules.load_shipped(by=by)
