"""Fills the papers of an order from the order's own facts; wording and layout are messaging's.

Whoever prints has the right to: the view checks it, and the reader of people records whom it opened.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from lianfang.accounts import queries as accounts
from lianfang.kernel.actor import lies_within
from lianfang.kernel.clock import legal_day
from lianfang.kernel.errors import NotFound
from lianfang.messaging.codes import Code
from lianfang.messaging.papers import (
    BoardSheet,
    Care,
    Cohabitant,
    Contact,
    DoorCard,
    EmployerCertificate,
    IsolationNotice,
    Lang,
    ReleaseNotice,
    Remedy,
    SpokenSheet,
    Words,
)
from lianfang.people import queries as people
from lianfang.people.reader import PersonField, PersonView, read
from lianfang.places import queries as places
from lianfang.rules import labels as rule_labels
from lianfang.rules import queries as rules

from . import labels, proofs, queries

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from uuid import UUID

    from lianfang.accounts.models import Organ
    from lianfang.kernel.actor import Actor
    from lianfang.messaging.papers import ChainLine
    from lianfang.messaging.press import Press
    from lianfang.rules.policy import IsolationRule

    from .queries import OrderView
    from .sheets import SheetView

_FIELDS = (PersonField.NAME, PersonField.PHONE, PersonField.ADDRESS)


class Offices:
    """The organs that papers name, read once."""

    def __init__(self) -> None:
        self._organs = {o.code: o for o in accounts.organs()}
        self._bodies: dict[str, str] = {}

    def get(self, code: str) -> tuple[str, str]:
        """Name and telephone of an organ; the code where it is not known."""
        organ = self._organs.get(code)
        return (organ.name, organ.phone) if organ else (code, "")

    def body(self, code: str) -> str:
        """In English, what kind of body it is."""
        if code not in self._bodies:
            _, self._bodies[code] = accounts.public_names(code)
        return self._bodies[code]

    def of(self, kind: str, area: str) -> Organ | None:
        """The organ of that kind whose area holds the place."""
        found = [o for o in self._organs.values() if o.kind == kind and o.area and lies_within(area, o.area)]
        return found[-1] if found else None

    def contacts(self, area: str, health: str) -> tuple[Contact, ...]:
        """Who is called for what: community, street, health organ."""
        wanted = [
            (Words("生活保障", "food and medicine"), self.of("community", area)),
            (Words("街道负责人", "street"), self.of("street", area)),
            (Words("健康咨询", "health questions"), self._organs.get(health)),
        ]
        return tuple(Contact(role, organ.name, organ.phone) for role, organ in wanted if organ is not None)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the notices of a print run say beyond the orders themselves, all of it read at once."""

    offices: Offices
    quoted: rules.Quoted
    said: labels.Reasons
    rules: Mapping[UUID, IsolationRule]
    households: Mapping[UUID, list[UUID]]
    persons: Mapping[UUID, PersonView]
    care: Mapping[UUID, list[queries.NeedView]]
    restricted: Collection[UUID]
    chain: Mapping[UUID, ChainLine]


def notices(orders: Sequence[OrderView], press: Press, *, by: Actor) -> list[IsolationNotice]:
    """The notices of many orders for one print run: a known number of queries, whatever their number.

    Each is the order with its reasons, counting, rights, and the slip that ends it. Everybody named on one is
    recorded as read. An order on somebody whom the reader may not open (who moved away) is left out.
    """
    households = people.households_of(o.person_id for o in orders)
    everybody = {pk for o in orders for pk in (o.person_id, *households[o.person_id])}
    quoted = rules.Quoted()
    facts = _Facts(
        offices=Offices(),
        quoted=quoted,
        said=labels.Reasons(quoted),
        rules=rules.rules_of({o.rule_id for o in orders}),
        households=households,
        persons=read(everybody, _FIELDS, by=by),
        care=queries.care_of_each([o.id for o in orders]),
        restricted=queries.restrictions(everybody, by.at).keys(),
        chain=proofs.lines(o.entry_id for o in orders),
    )
    return [_notice(o, facts, press) for o in orders if o.person_id in facts.persons]


def isolation_notice(order: OrderView, press: Press, *, by: Actor) -> IsolationNotice:
    """See `notices`.

    :raises NotFound: the reader may not open the person
    """
    found = notices([order], press, by=by)
    if not found:
        raise NotFound
    return found[0]


def _notice(order: OrderView, facts: _Facts, press: Press) -> IsolationNotice:
    day = legal_day(order.signed_at)
    person = facts.persons[order.person_id]
    rule = facts.rules[order.rule_id]
    wording = facts.quoted.wording(day, area=order.area)
    organ, phone = facts.offices.get(order.organ)
    is_second = order.phase == 2
    days = rule.follow_on_days if is_second else rule.days
    event = "first_phase_over" if is_second else rule.anchor_event
    return IsolationNotice(
        document_no=order.order_no,
        order_no=order.order_no,
        organ=Words(organ),
        organ_phone=phone,
        person_name=person.shown_name,
        id_hint=person.id_no_last2,
        residence=person.address or "",
        measure=Words(*labels.MEASURE_WORDS[order.measure]),
        reason=Words(*facts.said.words(order.reason, day, area=order.area)),
        basis=(
            *(Words(*pair) for pair in (wording.legal_basis if wording else ())),
            Words(f"{rule.origin.title}（{rule.version}）"),
        ),
        anchor_event=Words(*rule_labels.EVENT_WORDS.get(event, (event, ""))),
        # The second phase is counted from the end of the first, whenever it was signed.
        anchor_at=order.ends_at - timedelta(days=days) if is_second else order.anchor_at,
        days=days,
        starts_at=order.starts_at,
        ends_at=order.ends_at,
        duties=tuple(Words(*pair) for pair in (wording.duties if wording else ())),
        cohabitants=tuple(
            Cohabitant(
                facts.persons[h].shown_name,
                Words("另有本人的决定", "has an order of their own")
                if h in facts.restricted
                else Words("无隔离决定，可凭通行证出入", "no order; keeps a pass"),
            )
            for h in facts.households[order.person_id]
            if h != order.person_id and h in facts.persons
        ),
        care=tuple(_care(need, facts) for need in facts.care[order.id]),
        contacts=facts.offices.contacts(order.area, order.organ),
        protections=tuple(Words(*pair) for pair in (wording.protections if wording else ())),
        remedies=remedies(order, facts.quoted),
        order_slip=Code(order.order_slip),
        release_slip=Code(order.release_slip),
        status_url=f"{press.base_url}/me/order/",
        chain=facts.chain[order.entry_id],
        signed_on=day,
        signer=order.pseudonym,
        lang=press.lang,
        demo=press.demo,
    )


def _care(need: queries.NeedView, facts: _Facts) -> Care:
    who = labels.NEED_WORDS.get(need.why, need.why)
    if need.accepted_by:
        return Care(who, *facts.offices.get(need.accepted_by))
    carer = facts.persons.get(need.carer_id) if need.carer_id else None
    return Care(
        who, carer.shown_name if carer else need.carer_note or "—", carer.phone or "" if carer else ""
    )


def remedies(order: OrderView, quoted: rules.Quoted) -> tuple[Remedy, ...]:
    """The ways to object, with the terms of the day of signature."""
    known = quoted.remedies(legal_day(order.signed_at), area=order.area)
    return tuple(
        Remedy(Words(r.zh, r.en), r.to, Words(r.within_zh, r.within_en), r.reach)
        for r in (known.remedies if known else ())
    )


def release_notice(order: OrderView, press: Press, *, by: Actor) -> ReleaseNotice:
    """Says in writing that the order is over."""
    person = read([order.person_id], _FIELDS, by=by)[order.person_id]
    offices = Offices()
    organ, phone = offices.get(order.organ)
    community = offices.of("community", order.area)
    follow_on = rules.rule_of(order.rule_id).follow_on_measure if order.phase == 1 else None
    return ReleaseNotice(
        document_no=order.notice_no,
        organ=Words(organ),
        organ_phone=phone,
        person_name=person.shown_name,
        residence=person.address or "",
        measure=Words(*labels.MEASURE_WORDS[order.measure]),
        order_document_no=order.order_no,
        starts_at=order.starts_at,
        ends_at=order.ends_at,
        lifted_at=order.lifted_at,
        follow_on=Words(*labels.MEASURE_WORDS[follow_on]) if follow_on else None,
        slip=Code(order.lift_slip or order.release_slip),
        status_url=f"{press.base_url}/me/order/",
        chain=proofs.notice_line(order.id),
        signed_on=legal_day(by.at),
        copy_to=(community.name,) if community else (),
        lang=press.lang,
        demo=press.demo,
    )


def employer_certificate(order: OrderView, press: Press, *, by: Actor) -> EmployerCertificate:
    """For the employer: the days, and nothing else; its code leads to a page that says whether it is genuine."""
    person = read([order.person_id], (PersonField.NAME,), by=by)[order.person_id]
    organ, phone = Offices().get(order.organ)
    wording = rules.Quoted().wording(legal_day(order.signed_at), area=order.area)
    return EmployerCertificate(
        document_no=order.order_no,
        organ=Words(organ),
        organ_phone=phone,
        person_name=person.shown_name,
        id_hint=person.id_no_last2,
        employer="________________",
        first_day=legal_day(order.starts_at),
        # The last day on which the order kept the person from work, even for a part of it.
        last_day=legal_day(order.over_at - timedelta(microseconds=1)),
        protections=tuple(Words(*pair) for pair in (wording.protections[:1] if wording else ())),
        check=Code(f"{press.base_url}/open/orders/certificate/{order.id}/"),
        check_domain=press.domain,
        signed_on=legal_day(by.at),
        # Its number would lead anybody to the entry, which says what kind of order it was.
        chain=replace(proofs.line(order.entry_id), entry=None),
        lang=press.lang,
        demo=press.demo,
    )


def door_card(order: OrderView, press: Press) -> DoorCard:
    """For the inner side of the own door; it names nobody."""
    return DoorCard(
        ends_at=order.ends_at,
        contacts=Offices().contacts(order.area, order.organ),
        status_url=f"{press.base_url}/me/order/",
        check=Code(order.order_slip),
        chain=proofs.line(order.entry_id),
        lang=press.lang,
        demo=press.demo,
    )


def spoken_sheet(order: OrderView, press: Press, *, by: Actor) -> SpokenSheet:
    """The order in large print, to be read aloud in a minute."""
    person = read([order.person_id], (PersonField.NAME,), by=by)[order.person_id]
    offices = Offices()
    organ, phone = offices.get(order.organ)
    helper = offices.of("community", order.area)
    return SpokenSheet(
        address=person.shown_name,
        organ=Words(organ),
        reason=Words(*labels.Reasons().words(order.reason, legal_day(order.signed_at), area=order.area)),
        starts_at=order.starts_at,
        ends_at=order.ends_at,
        helper=Words(helper.name if helper else ""),
        helper_phone=helper.phone if helper else "",
        object_phone=phone,
        chain=proofs.line(order.entry_id),
        lang=press.lang,
        demo=press.demo,
    )


def board_sheet(sheet: SheetView, press: Press) -> BoardSheet:
    """The public sheet of a place: period and telephone. No person is read for it."""
    office = Offices().of("community", sheet.place)
    return BoardSheet(
        sheet_no=sheet.id.hex[:8].upper(),
        place=places.addresses([sheet.place]).get(sheet.place, ""),
        households=sheet.households,
        starts_at=sheet.starts_at,
        ends_at=sheet.ends_at,
        basis=Words("《中华人民共和国传染病防治法》", "Law on Infectious Diseases"),
        office=Words(office.name if office else ""),
        phone=office.phone if office else "",
        check=Code(f"{press.base_url}/open/orders/sheet/{sheet.id}/"),
        check_domain=press.domain,
        lang=Lang.BOTH,
        demo=press.demo,
    )
