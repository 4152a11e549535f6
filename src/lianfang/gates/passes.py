"""Acts on passes of residents: give one on paper, put one on a phone, renew it, withdraw it (F09, passes.md §5).

`credentials` signs; what belongs together, who lives behind which door and whether an order is in force, is
known here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction

from lianfang.accounts import actions as accounts
from lianfang.accounts.rights import Right
from lianfang.credentials import actions as credentials
from lianfang.credentials import queries as credentials_queries
from lianfang.kernel.errors import NotFound, SameIdOtherContent
from lianfang.kernel.ids import new_id
from lianfang.orders import queries as orders
from lianfang.people import actions as people
from lianfang.people import queries as people_queries
from lianfang.places import queries as places
from lianfang.places.policy import Kind, at_level
from lianfang_chain import cbor
from lianfang_pass import base45, tokens
from lianfang_pass.errors import Rejected
from lianfang_pass.tokens import Flag

from .errors import CodeNotValid, EndsTooLate, NotAKey, NotAtHome, NoWorkPlaces, PhoneProofBad, UnderOrder
from .policy import REPLACED

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from lianfang.credentials.actions import IssuedPass
    from lianfang.credentials.queries import PassView
    from lianfang.kernel.actor import Actor
    from lianfang.people.queries import PersonRef
    from lianfang_pass.keys import PublicKey

#: passes.md §5.1: paper 31 days, a phone's pass 3 days, renewed while fewer than 2 are left.
PAPER_LIVES: Final = timedelta(days=31)
PHONE_LIVES: Final = timedelta(days=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperPassDraft:
    """A paper pass for a person, or for the whole household of the person. `id` is the client's."""

    id: UUID
    person_id: UUID
    for_household: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkPassDraft:
    """A paper pass for the work of a person, class W, S, V or M. `compounds` are paths; `id` is the client's."""

    id: UUID
    person_id: UUID
    kind: str
    compounds: tuple[str, ...]
    valid_until: datetime
    not_cleared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearanceDraft:
    """A worker with the pass `pass_id` is cleared. `id` is the client's, of the new pass."""

    id: UUID
    person_id: UUID
    pass_id: UUID


@transaction.atomic
def give_paper_pass(draft: PaperPassDraft, *, by: Actor) -> IssuedPass:
    """Issue a paper pass; an earlier one of the same kind for the same holder is withdrawn.

    Sending the same draft again returns the pass already made.

    :raises NotFound: no such person in reach
    :raises NotAllowed: `by` holds no office that issues passes over the home
    :raises NotAtHome: the person has no dwelling in a compound
    :raises UnderOrder: a household pass was asked for while a member is under an order; personal ones are given then
    """
    person = people.person_for_update(draft.person_id)
    by.require(Right.CREDENTIALS_PASS_ISSUE, over=person.area)
    holder, kind = draft.person_id, "P"
    if draft.for_household and person.household_id is not None:
        holder, kind = person.household_id, "H"
        members = people_queries.members_of(person.household_id)
        if any(orders.restrictions(members, by.at).values()):
            raise UnderOrder
    if draft.id not in {p.id for p in credentials_queries.passes_of([holder])}:
        # A repeat that comes late withdraws nothing that was given since.
        for earlier in _live(holder, kind, channel="printed", by=by):
            credentials.revoke_pass(earlier.id, reason=REPLACED, by=by)
    return credentials.issue_pass(_facts(draft.id, person, holder, kind, by=by), by=by)


@transaction.atomic
def give_work_pass(draft: WorkPassDraft, *, by: Actor) -> IssuedPass:
    """Issue a paper pass for somebody's work: worker, supply, volunteer, medical (F09). An earlier one of the same
    class is withdrawn.

    It holds for compounds, never for the home: at the own door the personal pass counts. Its row stands in the list
    that the gates of those compounds get, wherever the holder lives.
    Sending the same draft again returns the pass already made.

    :raises NotFound: no such person in reach
    :raises NotAllowed: `by` holds no office that issues passes over the home, or over one of the compounds
    :raises NoWorkPlaces: no compound, more than a pass can name, or of several streets
    :raises NotAtHome: the person has no dwelling in a compound
    :raises EndsTooLate: over already, or more than 31 days away
    :raises SameIdOtherContent: the id was used for another pass
    """
    person = people.person_for_update(draft.person_id)
    for area in (person.area, *draft.compounds):
        by.require(Right.CREDENTIALS_PASS_ISSUE, over=area)
    streets = {at_level(area, Kind.STREET) for area in draft.compounds}
    if not 0 < len(draft.compounds) <= tokens.MOST_ZONES or len(streets) > 1:
        raise NoWorkPlaces
    street = streets.pop()
    if street is None or any(at_level(area, Kind.COMPOUND) != area for area in draft.compounds):
        raise NoWorkPlaces
    facts = replace(
        _facts(draft.id, person, draft.person_id, draft.kind, by=by),
        shard=places.place(street).code,
        zones=tuple(area.rpartition(".")[2] for area in sorted(draft.compounds)),
        valid_until=draft.valid_until,
        flags=int(Flag.NOT_CLEARED) if draft.not_cleared else 0,
    )
    return _in_place_of_the_last(facts, by=by)


@transaction.atomic
def clear_worker(draft: ClearanceDraft, *, by: Actor) -> IssuedPass:
    """A worker is cleared: a pass without the mark takes the place of the marked one, for the same compounds and days.

    Sending the same draft again returns the pass already made.

    :raises NotFound: no such person in reach, or no such marked pass
    :raises NotAllowed: `by` holds no office that issues passes over the home
    :raises EndsTooLate: the marked pass is over
    :raises SameIdOtherContent: the id was used for another pass
    """
    person = people.person_for_update(draft.person_id)
    by.require(Right.CREDENTIALS_PASS_ISSUE, over=person.area)
    held = {p.id: p for p in credentials_queries.passes_of([draft.person_id])}
    marked = held.get(draft.pass_id)
    if marked is None or not is_marked(marked) or (draft.id not in held and marked.revoked_at is not None):
        raise NotFound
    facts = replace(
        _facts(draft.id, person, draft.person_id, marked.kind, by=by),
        shard=marked.shard,
        zones=marked.zones,
        valid_until=marked.valid_until,
    )
    return _in_place_of_the_last(facts, by=by)


def is_marked(held: PassView) -> bool:
    """Whether a worker's pass says that the holder is not yet cleared: nobody is let in at the work by it alone."""
    return held.kind == "W" and bool(Flag(held.flags) & Flag.NOT_CLEARED)


def _in_place_of_the_last(wanted: credentials.PassDraft, *, by: Actor) -> IssuedPass:
    """Issue a paper pass with an end of its own, and withdraw those of its class that the holder has."""
    held = {p.id: p for p in credentials_queries.passes_of([wanted.holder_id])}
    if (earlier := held.get(wanted.id)) is not None:
        # When it began is when the first of the requests came; what was asked for is the rest.
        asked = (wanted.kind, wanted.zones, wanted.valid_until, bool(wanted.flags))
        if asked != (earlier.kind, earlier.zones, earlier.valid_until, is_marked(earlier)):
            raise SameIdOtherContent
        return credentials.IssuedPass(
            earlier.id, earlier.pass_no, earlier.index, earlier.shard, credentials_queries.token(earlier.id)
        )
    if not by.at < wanted.valid_until <= by.at + PAPER_LIVES:
        raise EndsTooLate
    for other in _live(wanted.holder_id, wanted.kind, channel="printed", by=by):
        credentials.revoke_pass(other.id, reason=REPLACED, by=by)
    return credentials.issue_pass(wanted, by=by)


@transaction.atomic
def withdraw_pass(pass_id: UUID, *, person_id: UUID, reason: str, by: Actor) -> None:
    """Withdraw a pass that was lost or given in error. At the gate that is no proof, and no order either.

    :raises NotFound: the pass is not of this person or household
    :raises NotAllowed: `by` holds no office that withdraws passes over the home
    """
    person = people.person_for_update(person_id)
    by.require(Right.CREDENTIALS_PASS_REVOKE, over=person.area)
    if pass_id not in {p.id for p in of_person(person)}:
        raise NotFound
    credentials.revoke_pass(pass_id, reason=reason, by=by)


@transaction.atomic
def put_on_phone(code: str, cose_key: bytes, *, by: Actor) -> bytes:
    """Bind a pass to a key that only this phone has; returns the token.

    With two phones bound already, the one whose pass is older gives way: a web view whose storage was wiped
    has lost its key and cannot say so, and the code shows that the community stands behind the new one.

    :param code: one-time code that the community handed to this person
    :param cose_key: the phone's public key as a COSE_Key (RFC 9052 §7)
    :raises CodeNotValid: unknown, used, too old, or somebody else's
    :raises NotAKey: not a P-256 key
    :raises UnderOrder: an order is in force; the phone's pass is evidence that none is (passes.md §4.3)
    """
    person_id = _own(by)
    person = people.person_for_update(person_id)
    user = accounts.use_code(code.strip(), way="paper", at=by.at)
    if user is None or user.person_id != person_id:
        raise CodeNotValid
    try:
        point = credentials.phone_point(cbor.decode(cose_key))
    except (Rejected, cbor.NotCanonical) as error:
        raise NotAKey from error
    bound = sorted(_live(person_id, "P", channel="phone", by=by), key=lambda p: p.issued_at)
    for older in bound[: max(0, len(bound) + 1 - credentials.MOST_PHONES)]:
        credentials.revoke_pass(older.id, reason=REPLACED, by=by)
    return _phone_pass(person, point, by=by).token


@transaction.atomic
def renew_on_phone(proof: str, *, by: Actor) -> bytes:
    """A fresh pass for the phone that proves, by a rotating code of this instant, that it holds the key.

    The old pass is withdrawn, and the new one has another random index (passes.md §3.4). A phone that did not get
    the answer asks again with the old pass, and is given the one that took its place.

    :raises PhoneProofBad: no rotating code, of another time, of another person, or the pass was withdrawn
    :raises UnderOrder: an order is in force
    """
    person = people.person_for_update(_own(by))
    try:
        read = tokens.read(base45.from_text(proof))
    except Rejected as error:
        raise PhoneProofBad from error
    if not isinstance(read, tokens.ReadCode) or not read.holder_signed():
        raise PhoneProofBad
    if abs(read.signed_at - by.at.timestamp()) > tokens.CODE_WINDOW:
        raise PhoneProofBad
    held = [p for p in credentials_queries.passes_of([person.id]) if p.cti == read.within.claims.cti]
    key = read.within.claims.holder_key
    if not held or key is None:
        raise PhoneProofBad
    if held[0].revoked_at is not None:
        return _in_its_place(held[0], key, by=by)
    credentials.revoke_pass(held[0].id, reason=REPLACED, by=by)
    return _phone_pass(person, key.point(), by=by).token


def _in_its_place(old: PassView, key: PublicKey, *, by: Actor) -> bytes:
    """The live pass of the same phone that replaced this one.

    :raises PhoneProofBad: the old one was withdrawn for another reason, or nothing took its place
    """
    if old.revoked_reason == REPLACED:
        for newer in _live(old.holder_id, "P", channel="phone", by=by):
            token = credentials_queries.token(newer.id)
            if tokens.read_pass(token).claims.holder_key == key:
                return token
    raise PhoneProofBad


def of_person(person: PersonRef) -> list[PassView]:
    """The passes of the person and of the household, the newest first."""
    holders = [person.id, *([person.household_id] if person.household_id else [])]
    found = credentials_queries.passes_of(holders)
    return sorted(found, key=lambda p: p.issued_at, reverse=True)


def _phone_pass(person: PersonRef, point: bytes, *, by: Actor) -> IssuedPass:
    if any(orders.restrictions([person.id], by.at).values()):
        raise UnderOrder
    draft = _facts(new_id(), person, person.id, "P", by=by, cnf=point)
    return credentials.issue_pass(draft, by=by)


def _facts(
    pass_id: UUID, person: PersonRef, holder: UUID, kind: str, *, by: Actor, cnf: bytes | None = None
) -> credentials.PassDraft:
    compound = at_level(person.area, Kind.COMPOUND)
    street = at_level(person.area, Kind.STREET)
    facts = people_queries.pass_facts([person.id]).get(person.id)
    if compound is None or street is None or facts is None:
        raise NotAtHome
    household = kind == "H"
    return credentials.PassDraft(
        id=pass_id,
        holder_id=holder,
        kind=kind,
        shard=places.place(street).code,
        door=facts.door,
        member_no=None if household else facts.member_no or None,
        initials=facts.initials,
        birth_year=None if household else facts.birth_year or None,
        zones=(compound.rpartition(".")[2],),
        valid_from=by.at,
        valid_until=by.at + (PHONE_LIVES if cnf else PAPER_LIVES),
        channel="phone" if cnf else "printed",
        cnf=cnf,
    )


def _live(holder: UUID, kind: str, *, channel: str, by: Actor) -> list[PassView]:
    return [
        p
        for p in credentials_queries.passes_of([holder])
        if p.kind == kind and p.channel == channel and p.revoked_at is None and p.valid_until > by.at
    ]


def _own(by: Actor) -> UUID:
    if by.person_id is None:
        raise NotFound
    return by.person_id
