"""A small district in which every person carries a marker that occurs nowhere else, and what fills addresses."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import product
from typing import TYPE_CHECKING, Any, Final

from django.apps import apps
from django.urls import reverse

from lianfang.accounts.models import User
from lianfang.accounts.rights import Role
from lianfang.accounts.web import Audience
from lianfang.gates import actions as gates
from lianfang.kernel import clock
from lianfang.kernel.actor import lies_within
from lianfang.kernel.ids import new_id, random_id
from lianfang.kernel.row_security import scope
from lianfang.orders import actions as order_actions
from tests.factories import orders
from tests.factories.accounts import DISTRICT, a_user, an_office, log_in
from tests.factories.people import a_citizen_number, a_community, a_dwelling, a_person

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from django.test import Client

    from .addresses import Address

STAFF: Final = [r for r in Role if r not in (Role.RESIDENT, Role.SYSTEM)]
OWN: Final = "510402001003"
SIBLING: Final = "510402001004"
#: Characters nobody's page contains by chance; one pair per person.
_FIRST: Final = 0x7FA0
_SECOND: Final = 0x8A40


@dataclass(frozen=True)
class Marked:
    """A person whose name, telephone and number stand for nobody else."""

    id: UUID
    area: str
    name: str
    phone: str
    id_no: str

    def seen_in(self, text: str) -> bool:
        """Whether any of the markers is there."""
        return self.name in text or self.phone in text or self.id_no in text


@dataclass
class World:
    """The district of the crawl."""

    people: list[Marked] = field(default_factory=list)
    users: dict[str, User] = field(default_factory=dict)
    areas: dict[str, str] = field(default_factory=dict)

    def browser(self, who: str) -> Client:
        """A browser in which this role is logged in, second factor fresh."""
        return log_in(self.users[who])

    def reach(self, who: str, marked: Marked) -> bool:
        """Whether the person lives in the area of this role's office."""
        return who in self.areas and lies_within(marked.area, self.areas[who])


def a_world(*, households: int = 2) -> World:
    """Two communities of one street and one of another, an order in each, an officer of each role in the first.

    District offices are held over the first street only, so that for them too there is an outside.
    """
    world = World()
    now = clock.now()
    own = a_community(OWN)
    street = own.rpartition(".")[0]
    elsewhere = next(
        p
        for p in apps.get_model("places.Place")
        .objects.filter(kind="community")
        .order_by("path")
        .values_list("path", flat=True)
        if not lies_within(p, street)
    )
    orders.an_incident(at=now, shift_days=(clock.legal_day(now) - date(2020, 2, 10)).days)
    for community in (own, a_community(SIBLING), elsewhere):
        for house in range(households):
            a_household(world, a_dwelling(f"{house + 1}-1-0101", community=community))
    for role in STAFF:
        area = own if role in (Role.GUARD, Role.PROPERTY, Role.GRID, Role.COMMUNITY) else street
        world.users[role] = an_office(role, area).user
        world.areas[role] = area
    world.users[Role.RESIDENT] = a_user(person_id=world.people[0].id)
    return world


def a_household(world: World, area: str) -> None:
    """Two people behind one door: the first under an order and appealing, the second known of or proposed."""
    household = new_id()
    first = somebody(world, area, household=household)
    somebody(world, area, household=household, relation="配偶")
    now = clock.now()
    before = now - timedelta(hours=3)
    order = orders.an_order(first.id, at=now, anchor_at=before)
    community = orders.community_of(area)
    by = orders.officer(Role.COMMUNITY, area=community, at=now)
    with scope(areas=[DISTRICT]):
        order_actions.appeal(
            order_actions.AppealDraft(id=random_id(), order_id=order.pk, text="日期不对"), by=by
        )
        order_actions.hold_case(
            order_actions.HoldDraft(
                id=new_id(), order_id=order.pk, until=now + timedelta(days=90), reason="行政复议"
            ),
            by=by,
        )
        # Of the second person a fact is known: proposed in one household, undecided in the next.
        concern = orders.a_concern(world.people[-1].id, at=now, anchor_at=before)
        if len(world.people) % 4 == 0:
            order_actions.propose_isolation(
                order_actions.ProposalDraft(
                    id=new_id(),
                    person_id=world.people[-1].id,
                    reason="area_returnee_high",
                    anchor_at=before,
                    evidence_id=concern,
                    home_is_suitable=True,
                ),
                by=by,
            )
        elif len(world.people) == 2:
            gates.set_up_gate(
                gates.GateDraft(
                    id=new_id(),
                    name="和睦花园东门",
                    kind="road",
                    area=community,
                    shards=(community.split(".")[1][1:],),
                    phone="19900009999",
                    zones=(),
                ),
                by=by,
            )


def somebody(
    world: World,
    area: str,
    *,
    household: UUID | None = None,
    relation: str = "户主",
    born: date | None = None,
) -> Marked:
    """A person of the district with markers of the own."""
    n = len(world.people)
    born = born or date(1960 + n % 40, 1, 11)
    name = f"罗{chr(_FIRST + n)}{chr(_SECOND + n)}"
    phone, id_no = f"1990000{8000 + n}", a_citizen_number(born, order=300 + n)
    person_id = a_person(
        name,
        area=area,
        born=born,
        phone=phone,
        id_no=id_no,
        household_id=household or new_id(),
        relation=relation,
        at=clock.now() - timedelta(hours=2),
    )
    made = Marked(person_id, area, name, phone, id_no)
    world.people.append(made)
    return made


#: Argument of an address → the table whose rows fill it.
TABLES: Final = {
    "person_id": "people.Person",
    "correction_id": "people.Correction",
    "order_id": "orders.IsolationOrder",
    "hold_id": "orders.Hold",
    "proposal_id": "orders.IsolationProposal",
    "appeal_id": "orders.Appeal",
    "sheet_id": "orders.BoardSheet",
    "concern_id": "concerns.PersonOfConcern",
    "entry_id": "ledger.Entry",
    "office_id": "accounts.Office",
    "proposed_id": "accounts.OfficeProposal",
    "pass_id": "credentials.Pass",
    "work_id": "credentials.WorkGrant",
    "round_id": "gates.PassRound",
    "document_id": "rules.Document",
    "device_id": "gates.Device",
    "gate_id": "gates.Gate",
    "duplicate_id": "people.SuspectedDuplicate",
    "run_id": "people.ImportRun",
    "act_id": "gates.GateAct",
    "dependant_id": "people.Person",
    "grant_id": "audit.Grant",
    "organ_code": "accounts.Organ",
    "request_id": "people.ExportRequest",
    "announcement_id": "announcements.Announcement",
}
#: Which of those rows, where most would fill nothing.
ONLY: Final[dict[str, Callable[[World], dict[str, Any]]]] = {
    "office_id": lambda world: {"user__in": list(world.users.values())},
    "organ_code": lambda _: {"kind": "property"},
    "dependant_id": lambda _: {"birth_date__gt": date(2006, 1, 1)},
}


#: Arguments that no table fills.
WORDS: Final[dict[str, list[Any]]] = {
    "path": ["no/such/file"],
    "name": ["no/such/file"],
    "code": ["ABCDEFGHJK"],
    "signal_id": [1],
    "ticket_id": [1],
    "code_id": [1],
    "read_id": [1, 2],
    "part": [1],
    "size": [1],
    "witness": ["property"],
    "ended": ["0123456789abcdef"],
    "old": [1],
    "new": [1],
    "index": [1],
    "leaf": ["00" * 32],
    "fingerprint": ["00" * 32],
    "file_id": ["00000000-0000-7000-8000-000000000000"],
    "kind": ["health", "street"],
    "form": ["xlsx"],
    "field": ["name", "phone", "care"],
}


def fillings(address: Address, world: World, *, most: int = 4) -> list[dict[str, Any]]:
    """Values for the arguments of an address; one empty filling for an address without.

    :raises LookupError: an argument is called something these tables do not know
    """
    if address.arguments == ("person_id", "pass_id"):
        with scope(areas=[DISTRICT]):
            passes = apps.get_model("credentials.Pass")._default_manager.order_by("pk")
            pairs = list(passes.values_list("holder_id", "pk")) or [(new_id(), new_id())]
        return [dict(zip(address.arguments, pair, strict=True)) for pair in (pairs[:1] + pairs[-1:])]
    columns = [_values(argument, address, world, most) for argument in address.arguments]
    rows = [dict(zip(address.arguments, row, strict=True)) for row in product(*columns)]
    if len(rows) <= 2 * most:
        return rows
    # Spread over all of them: from the first, which is at home, to the last, in the other street.
    return [rows[n * (len(rows) - 1) // (2 * most - 1)] for n in range(2 * most)]


def _values(argument: str, address: Address, world: World, most: int) -> list[Any]:
    if listed := re.search(rf"\(\?P<{argument}>([a-z_|]+)\)", address.route):
        return listed.group(1).split("|")
    if argument == "path" and "area_path" in address.route:
        building = [p.area.rpartition(".")[0] for p in (world.people[0], world.people[-1])]
        return [building[0], world.people[0].area, building[1]]
    if argument == "area":
        return [p.area.partition(".b")[0] for p in (world.people[0], world.people[-1])]
    if argument in TABLES:
        app, _, model = TABLES[argument].partition(".")
        only = ONLY[argument](world) if argument in ONLY else {}
        with scope(areas=[DISTRICT]):
            rows = apps.get_model(app, model)._default_manager.filter(**only).order_by(_by_age(app, model))
            keys = list(rows.values_list("code" if argument == "organ_code" else "pk", flat=True))
        spread = [*keys[: most // 2], *keys[-(most - most // 2) :]] if len(keys) > most else keys
        return list(dict.fromkeys(spread)) or [new_id()]
    if argument in WORDS:
        return list(WORDS[argument])
    raise LookupError(f"say in tests/access/world.py how to fill {argument!r} of {address}")


def _by_age(app: str, model: str) -> str:
    """By which column the oldest comes first. The id of an act on a person is random, that of its entry tells."""
    entered = app == "orders" and any(f.name == "entry" for f in apps.get_model(app, model)._meta.fields)
    return "entry" if entered else "pk"


def url(address: Address, values: dict[str, Any]) -> str:
    """The address with its arguments filled."""
    if address.name:
        return reverse(address.name, kwargs=values)
    path = "/" + address.route
    for argument, value in values.items():
        path = path.replace(next(p for p in path.split("<") if f":{argument}>" in p).split(">")[0], "@")
        path = path.replace("<@>", str(value))
    return path


def readable_by(address: Address) -> list[str]:
    """Who can open this address at all: roles, the resident, or anybody."""
    assert address.surface is not None
    audience = address.surface.audience
    if audience == Audience.STAFF:
        return sorted(str(r) for r in address.surface.roles())
    return [str(Role.RESIDENT)]
