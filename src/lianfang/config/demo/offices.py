"""Who acts in the demonstration: one login for each role, and the officers a larger district needs beside.

Everybody's password is printed when the system starts, and the codes of the second factor are shown on a
page: nobody in this district exists.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from lianfang.accounts import actions as accounts
from lianfang.accounts import queries as accounts_queries
from lianfang.accounts.rights import BY_TWO, Purpose, Role
from lianfang.kernel.actor import Actor, Grant
from lianfang.kernel.ids import new_id

from .calendar import REGISTERED_ON, at
from .estates import HEMU_COMMUNITY
from .numbers import TEST_PHONES

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime
    from uuid import UUID

    from lianfang.accounts.actions import DemoOfficer, OrganDraft

PASSWORD: Final = "hemu-yunling-2020"  # noqa: S105 - invented people only; printed on every start
#: Offices of the demonstration begin before its story and last the longest an office may.
_BEGAN: Final = at(REGISTERED_ON, 0)
_LAST: Final = timedelta(days=300)

#: (login, role, organ, area of the office, name, what to show): one for each role.
_LOGINS: Final = (
    ("cdc", Role.CDC, "cdc", "district", "沈玉岚", "疾控 health officer: signs, lifts"),
    ("cdc2", Role.CDC, "cdc", "district", "何立言", "疾控 second health officer"),
    ("commander", Role.CMD_LEAD, "command", "district", "高庭轩", "指挥长 commander: second signature"),
    ("duty", Role.CMD_DUTY, "command", "district", "唐若汐", "指挥部值班 duty officer: accepts care"),
    ("street", Role.STREET, "street", "street", "周启明", "街道 street office 炳草岗"),
    ("community", Role.COMMUNITY, "community", "community", "邓素芳", "社区 community worker 竹湖园"),
    ("grid", Role.GRID, "community", "grid", "谢春梅", "网格员 grid worker of 禾木花园"),
    ("medic", Role.MEDIC, "cdc", "district", "蒋文婷", "随访人员 medic"),
    ("property", Role.PROPERTY, "property", "compound", "廖国强", "物业 property manager of 禾木花园"),
    ("guard", Role.GUARD, "property", "compound", "曲比·尔布", "值守员 guard at 禾木花园"),
    ("police", Role.POLICE, "police", "district", "严东", "民警 police: is a paper genuine?"),
    ("auditor", Role.AUDITOR, "audit", "district", "梁静", "审计 auditor"),
    (
        "admin",
        Role.SYSTEM_ADMIN,
        "operations",
        "district",
        "向磊",
        "系统管理员 runs the system, reads nobody",
    ),
    ("security", Role.SECURITY_ADMIN, "operations", "district", "田甜", "安全管理员 gives offices"),
)
_RESIDENTS: Final = (
    ("luo", "居民罗女士 resident, isolating at home"),
    ("wu", "居民吴先生, 81, no phone: what the library's computer would show"),
)


def logins() -> list[tuple[str, str, str]]:
    """Login, password and whom it shows, for the list printed at the start."""
    rows = [(login, words) for login, _, _, _, _, words in _LOGINS]
    return [(login, PASSWORD, words) for login, words in [*rows, *_RESIDENTS]]


@dataclass(frozen=True, slots=True)
class Areas:
    """Paths of the places that the offices of the story lie over."""

    district: str
    street: str
    community: str
    grid: str
    compound: str


@dataclass(slots=True)
class Staff:
    """The officers, and actors in their name at an instant."""

    users: dict[str, UUID] = field(default_factory=dict)
    _held: dict[str, tuple[UUID, str, str, str, frozenset[Grant]]] = field(default_factory=dict)

    def actor(self, login: str, when: datetime, purpose: Purpose) -> Actor:
        """The officer as acts see them at `when`, the second factor given that minute."""
        if login not in self._held:
            offices = accounts_queries.offices_held(self.users[login], when)
            organ = offices[0].organ
            self._held[login] = (
                self.users[login], offices[0].user.pseudonym, organ.code, organ.kind,
                accounts_queries.grants_of(offices),
            )  # fmt: skip
        user_id, pseudonym, code, kind, grants = self._held[login]
        return Actor(
            user_id=user_id, pseudonym=pseudonym, organ=code, organ_kind=kind, grants=grants, at=when,
            purpose=purpose, surface="demo", request_id=new_id(), verified_at=when,
        )  # fmt: skip


def officer_login(number: int) -> str:
    """The login of the n-th health officer, from 0."""
    return "cdc" if number == 0 else f"cdc{number + 1}"


def community_login(code: str) -> str:
    """The login of the worker of a community."""
    return "community" if code == HEMU_COMMUNITY else f"community-{code}"


def street_login(code: str) -> str:
    """The login of the officer of a street, by its nine digits."""
    return "street" if code == HEMU_COMMUNITY[:9] else f"street-{code}"


def enter(
    *,
    areas: Areas,
    communities: Mapping[str, str],
    names: Mapping[str, str],
    health_officers: int,
    residents: Mapping[str, UUID],
    shift: timedelta,
    now: datetime,
) -> Staff:
    """Enter organs, logins and offices.

    :param communities: path by code, of those where people live
    :param names: name by path, of streets and communities
    :param residents: person of each resident's login
    """
    staff = Staff()
    organs = _organs(areas, communities, names)
    place = {"district": areas.district, "street": areas.street, "community": areas.community,
             "grid": areas.grid, "compound": areas.compound}  # fmt: skip
    codes = {"street": accounts.division_code(areas.street), "community": f"community-{HEMU_COMMUNITY}"}
    officers = [
        accounts.DemoOfficer(
            login=login, name=name, password=PASSWORD, role=role, organ=codes.get(organ, organ),
            area=place[level],
        )
        for login, role, organ, level, name, _ in _LOGINS
    ]  # fmt: skip
    staff.users.update(accounts.start_demo_logins([*officers, *_resident_logins(residents)], organs, at=now))
    _enter_others(staff, communities, health_officers=health_officers, district=areas.district, shift=shift)
    return staff


def _resident_logins(residents: Mapping[str, UUID]) -> list[DemoOfficer]:
    return [
        accounts.DemoOfficer(login=login, name="", password=PASSWORD, person_id=person)
        for login, person in residents.items()
    ]


def _organs(areas: Areas, communities: Mapping[str, str], names: Mapping[str, str]) -> list[OrganDraft]:
    streets = sorted({path.rpartition(".")[0] for path in communities.values()})
    rows = [
        ("cdc", "东区疾病预防控制中心（演示）", "health", areas.district, ""),
        ("command", "东区应急指挥部（演示）", "command", areas.district, ""),
        ("police", "东区公安分局（演示）", "police", areas.district, ""),
        ("audit", "东区审计局（演示）", "department", areas.district, ""),
        ("operations", "东区信息中心（演示）", "department", areas.district, ""),
        *(
            (accounts.division_code(path), f"{names[path]}办事处（演示）", "street", path, "command")
            for path in streets
        ),
        *(
            (f"community-{code}", f"{names[path]}委员会（演示）", "community", path,
             accounts.division_code(path.rpartition(".")[0]))
            for code, path in communities.items()
        ),
        ("property", "禾木物业（演示）", "property", areas.compound, ""),
    ]  # fmt: skip
    return [
        accounts.OrganDraft(
            code=code, name=name, kind=kind, area=area, parent=parent,
            phone=f"{TEST_PHONES}{20 + i:04d}",
        )
        for i, (code, name, kind, area, parent) in enumerate(rows)
    ]  # fmt: skip


def _enter_others(
    staff: Staff, communities: Collection[str], *, health_officers: int, district: str, shift: timedelta
) -> None:
    """Officers nobody logs in as: entered without a password, given their offices by the security admin."""
    # One minute after the story's first midnight; the security administrator's own office is older.
    when = _BEGAN + shift
    by = staff.actor("security", when, Purpose.ADMINISTRATION)
    second = staff.actor("cdc", when, Purpose.ADMINISTRATION)
    wanted = [
        *(
            (officer_login(n), f"疾控员{n + 1}", Role.CDC, "cdc", district)
            for n in range(2, health_officers)
        ),
        *(
            (street_login(code), f"街道干部{code[-3:]}", Role.STREET, f"street-{code}", "")
            for code in sorted({c[:9] for c in communities})
            if street_login(code) != "street"
        ),
        *(
            (community_login(code), f"社区干部{code[-6:]}", Role.COMMUNITY, f"community-{code}", "")
            for code in communities
            if code != HEMU_COMMUNITY
        ),
    ]  # fmt: skip
    for login, name, role, organ, area in wanted:
        user = accounts.create_user(accounts.UserDraft(user_id=new_id(), login=login, name=name), by=by)
        organ_row = accounts_queries.organ(organ)
        assert organ_row is not None, "entered above"
        draft = accounts.OfficeDraft(
            office_id=new_id(), user_id=user.pk, role=role, organ=organ, area=area or organ_row.area,
            starts_at=when, ends_at=when + _LAST,
        )  # fmt: skip
        if role in BY_TWO:
            accounts.propose_office(draft, by=by)
            accounts.confirm_office(draft.office_id, by=second)
        else:
            accounts.grant_office(draft, by=by)
        staff.users[login] = user.pk
