"""Acts on quotas and closed perimeters: propose, sign, end by a later act; and the rule set that gates get.

Without a signed act in force a gate only registers (G-9). Proposing restricts nobody. An act ends by itself; a
lift ends it earlier. Gates that are online take the new rule set within half a minute, others go by the act's end.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from django.db import connection, transaction
from django.db.models import Q

from lianfang.accounts import queries as accounts
from lianfang.accounts.rights import Right
from lianfang.concerns.policy import FEVER_FROM
from lianfang.credentials import queries as credentials
from lianfang.kernel.actor import lies_within
from lianfang.kernel.errors import NotAllowed, SameIdOtherContent
from lianfang.kernel.wake import wake
from lianfang.ledger import actions as ledger
from lianfang.people import queries as people
from lianfang.places import queries as places
from lianfang_pass.evidence import AGES
from lianfang_pass.keylist import Purpose
from lianfang_pass.rules import ActKind, sign_rules
from lianfang_pass.rules import GateAct as PublishedAct

from .errors import ActOver, ActTooLong, NoCompounds, NoSuchAct, OwnProposal, TooManyActs
from .models import GateAct, GateActLift, GateActSignature, RuleFile
from .queries import ages_in_force

if TYPE_CHECKING:
    from uuid import UUID

    from lianfang.kernel.actor import Actor

#: The longest act; a longer need is a new act with its own grounds.
LONGEST: Final = timedelta(days=14)
#: What a rule set holds (docs/gates.md).
MOST_ACTS: Final = 100
MOST_ZONES: Final = 600
_LOCK: Final = 0x6C66_7275  # "lfru": one publisher of rule sets at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class ActDraft:
    """A quota: `times` ways out in each `window` days for these classes. A perimeter: only these classes pass."""

    id: UUID
    kind: str
    area: str
    starts_at: datetime
    ends_at: datetime
    classes: str
    times: int = 0
    window: int = 0
    basis: str
    remedy: str


@transaction.atomic
def propose(draft: ActDraft, *, by: Actor) -> GateAct:
    """Ask the command for a quota or a closed perimeter. Counts for nothing until it is signed.

    :raises NotAllowed: the actor proposes no acts over this area
    :raises NoCompounds: no compound stands there, or more than a rule set can name
    :raises ActTooLong: longer than 14 days
    :raises ActOver: it would have ended already
    :raises SameIdOtherContent: the id was used for another act
    """
    by.require(Right.GATES_ACT_PROPOSE, over=draft.area)
    said = {
        "kind": draft.kind,
        "area": draft.area,
        "starts_at": draft.starts_at,
        "ends_at": draft.ends_at,
        "classes": draft.classes,
        "times": draft.times,
        "window": draft.window,
        "basis": draft.basis,
        "remedy": draft.remedy,
    }
    if earlier := GateAct.objects.filter(pk=draft.id).first():
        return _same_or_refuse(earlier, said)
    if draft.ends_at <= by.at:
        raise ActOver
    if draft.ends_at - draft.starts_at > LONGEST:
        raise ActTooLong
    compounds = places.standing_below(draft.area, kinds=[places.Kind.COMPOUND])
    if not 1 <= len(compounds) <= MOST_ZONES:
        raise NoCompounds
    made, new = GateAct.objects.get_or_create(
        id=draft.id,
        defaults={
            "no": f"{draft.kind[0].upper()}{by.legal_day:%Y%m%d}-{draft.id.hex[-6:]}",
            "zones": sorted(place.path.rpartition(".")[2] for place in compounds),
            "proposed_at": by.at,
            "proposed_by": by.user_id,
            "proposed_as": accounts.shown_as(by.organ, by=by),
            **said,
        },
    )
    return made if new else _same_or_refuse(made, said)


def _same_or_refuse(act: GateAct, said: dict[str, object]) -> GateAct:
    if any(getattr(act, column) != value for column, value in said.items()):
        raise SameIdOtherContent
    return act


@transaction.atomic
def sign(act_id: UUID, *, by: Actor) -> GateActSignature:
    """Put a proposed act in force from its start, never before this instant; the gates get it at once.

    :raises NoSuchAct: there is none over which the actor signs
    :raises OwnProposal: the actor proposed it
    :raises ActOver: its end has passed
    :raises TooManyActs: a rule set holds no more
    """
    act = _locked(act_id, by)
    if earlier := GateActSignature.objects.filter(act=act).first():
        return earlier
    if act.proposed_by == by.user_id:
        raise OwnProposal
    if act.ends_at <= by.at:
        raise ActOver
    one_publisher()
    if len(_current(by.at)) >= MOST_ACTS:
        raise TooManyActs
    entry = ledger.append(
        kind="gates:act:signed",
        act_id=act.pk,
        organ=organ_signing(act.area, by=by),
        scope=people.public_scope(act.area),
        basis=act.basis,
        terms={
            "no": act.no,
            "kind": act.kind,
            "from": max(act.starts_at, by.at).isoformat(timespec="seconds"),
            "until": act.ends_at.isoformat(timespec="seconds"),
            "classes": act.classes,
            "times": act.times,
            "days": act.window,
        },
        secrets={"proposed_by": str(act.proposed_by), "area": act.area, "zones": ",".join(act.zones)},
        by=by,
    )
    signature = GateActSignature.objects.create(
        act=act,
        signed_at=by.at,
        signed_by=by.user_id,
        signed_as=accounts.shown_as(by.organ, by=by),
        entry_id=entry,
    )
    publish(by.at)
    return signature


@transaction.atomic
def lift(act_id: UUID, *, reason: str, by: Actor) -> GateActLift:
    """End a signed act now, by an act of its own.

    :raises NoSuchAct: there is no signed one over which the actor signs
    :raises ActOver: it has ended by itself
    """
    act = _locked(act_id, by)
    if earlier := GateActLift.objects.filter(act=act).first():
        return earlier
    signature = GateActSignature.objects.filter(act=act).first()
    if signature is None:
        raise NoSuchAct
    if act.ends_at <= by.at:
        raise ActOver
    one_publisher()
    entry = ledger.append(
        kind="gates:act:lifted",
        act_id=act.pk,
        organ=organ_signing(act.area, by=by),
        scope=people.public_scope(act.area),
        basis=act.basis,
        terms={"no": act.no},
        secrets={"reason": reason},
        by=by,
        prior=signature.entry_id,
    )
    row = GateActLift.objects.create(
        act=act,
        reason=reason,
        lifted_at=by.at,
        lifted_by=by.user_id,
        lifted_as=accounts.shown_as(by.organ, by=by),
        entry_id=entry,
    )
    publish(by.at)
    return row


@transaction.atomic
def publish(at: datetime) -> int:
    """Sign the acts in force and to come as the next version of the rule set, and wake the front."""
    one_publisher()
    newest = RuleFile.objects.order_by("-version").first()
    version = newest.version + 1 if newest else 1
    # A fever is the same at a gate as in a report: no act of a command moves what medicine says.
    fever = round(FEVER_FROM * 10)
    ages = ages_in_force()
    sign = partial(
        sign_rules,
        _current(at),
        version=version,
        at=int(at.timestamp()),
        key=credentials.signing_key(Purpose.RULES, at),
        fever_tenths=fever,
    )
    RuleFile.objects.create(
        version=version,
        signed_at=at,
        fever_tenths=fever,
        day_hours=ages.day_hours,
        old_hours=ages.old_hours,
        data=sign(ages=ages),
        # A client that cannot read the ages keeps the usual ones, and hears of every act all the same.
        plain=sign() if ages != AGES else None,
    )
    wake("gates")
    return version


def _current(at: datetime) -> list[PublishedAct]:
    rows = (
        GateAct.objects.filter(~Q(signature=None), lift=None, ends_at__gt=at)
        .select_related("signature")
        .order_by("starts_at", "no")
    )
    return [
        PublishedAct(
            no=row.no,
            kind=ActKind(row.kind),
            zones=tuple(row.zones),
            start=int(max(row.starts_at, row.signature.signed_at).timestamp()),
            end=int(row.ends_at.timestamp()),
            classes=row.classes,
            times=row.times,
            window=row.window,
        )
        for row in rows
    ]


def _locked(act_id: UUID, by: Actor) -> GateAct:
    act = GateAct.objects.select_for_update().filter(pk=act_id).first()
    if act is None or not by.may(Right.GATES_ACT_SIGN, over=act.area):
        raise NoSuchAct
    return act


def organ_signing(area: str, *, by: Actor) -> str:
    """The organ whose office carries the signature over this area."""
    for grant in sorted(by.grants, key=lambda g: g.organ):
        if grant.right == Right.GATES_ACT_SIGN and lies_within(area, grant.area):
            return grant.organ
    raise NotAllowed(right=str(Right.GATES_ACT_SIGN))


def one_publisher() -> None:
    """Until the transaction ends, nobody else publishes a rule set or changes what is in it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
