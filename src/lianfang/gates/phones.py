"""Acts of a resident's phone: take the passes on, renew them (passes.md §5.2).

A phone has one key, and every pass on it is bound to that key: the personal one, and one for each grant for work. So
"at most two phones" counts keys, and a pass for work makes no third phone. What a phone should carry is computed from
home, orders and grants each time it asks; it asks as one, and keeps what it is given.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction

from lianfang.accounts import actions as accounts
from lianfang.credentials import actions as credentials
from lianfang.credentials import queries as credentials_queries
from lianfang.kernel import row_security
from lianfang.kernel.errors import NotFound
from lianfang.kernel.ids import new_id
from lianfang.orders import queries as orders
from lianfang.people import actions as people
from lianfang.people import queries as people_queries
from lianfang_chain import cbor
from lianfang_pass import base45, tokens
from lianfang_pass.errors import Rejected

from . import passes, work_passes
from .errors import CodeNotValid, NotAKey, PhoneProofBad, UnderOrder
from .policy import REPLACED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from lianfang.credentials.actions import PassDraft
    from lianfang.credentials.queries import PassView
    from lianfang.kernel.actor import Actor
    from lianfang.people.queries import PersonRef

#: passes.md §5.1: what has less than this left is renewed. A phone asks by its own clock, which may differ by the window
#: of a proof.
RENEWED_BELOW: Final = timedelta(days=2, seconds=tokens.CODE_WINDOW)


@transaction.atomic
def put_on_phone(code: str, cose_key: bytes, *, by: Actor) -> list[bytes]:
    """Bind passes to a key that only this phone has; returns their tokens, the personal one first.

    With two phones bound already, the one whose passes are older gives way: a web view whose storage was wiped
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
    held = [p for p in _on_phones(person_id) if p.revoked_at is None and p.cnf != point]
    # From the phone that was bound or renewed longest ago on.
    bound = list(dict.fromkeys(p.cnf for p in held if p.valid_until > by.at))
    for older in bound[credentials.MOST_PHONES - 1 :]:
        for each in held:
            if each.cnf == older:
                credentials.revoke_pass(each.id, reason=REPLACED, by=by)
    return _due(person, point, by=by)


@transaction.atomic
def renew_on_phone(proof: str, *, by: Actor) -> list[bytes]:
    """What the phone that proves, by a rotating code of this instant, that it holds the key, should carry now.

    The proof is all that is asked: a login ends after hours and the next one takes a slip from the community, a pass on
    a phone lives three days and is to be renewed without anybody's doing.

    A pass with enough time left that still says what is true stays. Another one is withdrawn, and the new one has
    another random index (passes.md §3.4). What was granted for work since comes along. A phone that did not get the
    answer asks again with the old pass, and gets the same.

    :raises PhoneProofBad: no rotating code, of another time, of no pass of ours, or the pass was withdrawn
    :raises UnderOrder: an order is in force
    """
    try:
        read = tokens.read(base45.from_text(proof))
    except Rejected as error:
        raise PhoneProofBad from error
    if not isinstance(read, tokens.ReadCode) or not read.holder_signed():
        raise PhoneProofBad
    if abs(read.signed_at - by.at.timestamp()) > tokens.CODE_WINDOW:
        raise PhoneProofBad
    cti = read.within.claims.cti
    holder = credentials_queries.holder_of(cti)
    if holder is None:
        raise PhoneProofBad
    with row_security.scope(areas=(), persons=people_queries.same_person([holder])):
        person = people.person_for_update(holder)
        on_phones = _on_phones(person.id)
        shown = next((p for p in on_phones if p.cti == cti), None)
        if shown is None or shown.cnf is None:
            raise PhoneProofBad
        if shown.revoked_at is not None:
            # Only of a pass that the phone renewed itself, and only while its next one stands.
            carried = [p for p in on_phones if p.cnf == shown.cnf and p.revoked_at is None]
            if shown.revoked_reason != REPLACED or not carried:
                raise PhoneProofBad
        return _due(person, shown.cnf, by=by)


def _due(person: PersonRef, point: bytes, *, by: Actor) -> list[bytes]:
    """The tokens of what this phone should carry now, made as far as it does not carry them."""
    if any(orders.restrictions([person.id], by.at).values()):
        raise UnderOrder
    held = [p for p in _on_phones(person.id) if p.cnf == point and p.revoked_at is None]
    wanted = list(_wanted(person, point, by=by))
    stays = {w.id: p for w in wanted for p in held if p.kind == w.kind and _still_good(p, w, by=by)}
    tokens_of = {key: credentials_queries.token(p.id) for key, p in stays.items()}
    # Home and work may stand in two lists. Whoever takes the locks of several takes them in one order (publisher.py).
    for missing in sorted((w for w in wanted if w.id not in stays), key=lambda w: w.shard):
        tokens_of[missing.id] = credentials.issue_pass(missing, by=by).token
    kept = {p.id for p in stays.values()}
    kinds = {w.kind for w in wanted}
    for other in held:
        if other.id not in kept and other.kind in kinds:
            credentials.revoke_pass(other.id, reason=REPLACED, by=by)
    return [tokens_of[w.id] for w in wanted]


def _wanted(person: PersonRef, point: bytes, *, by: Actor) -> Iterator[PassDraft]:
    home = passes.facts(new_id(), person, person.id, "P", by=by, cnf=point)
    yield home
    for grant in work_passes.in_force(person.id, at=by.at):
        yield replace(
            home,
            id=new_id(),
            kind=grant.kind,
            shard=grant.shard,
            zones=grant.zones,
            flags=grant.flags,
            valid_until=min(home.valid_until, grant.valid_until),
        )


def _still_good(held: PassView, wanted: PassDraft, *, by: Actor) -> bool:
    says = (held.door, held.member_no, held.initials, held.birth_year, held.shard, held.zones, held.flags)
    if says != (
        wanted.door, wanted.member_no, wanted.initials, wanted.birth_year, wanted.shard, wanted.zones, wanted.flags,
    ):  # fmt: skip
        return False
    lasts = held.valid_until - by.at >= RENEWED_BELOW
    return lasts or by.at < held.valid_until == wanted.valid_until.replace(microsecond=0)


def _on_phones(person_id: UUID) -> list[PassView]:
    """The passes that the person has or had on phones, the newest first."""
    return [p for p in credentials_queries.passes_of([person_id]) if p.channel == "phone"]


def _own(by: Actor) -> UUID:
    if by.person_id is None:
        raise NotFound
    return by.person_id
