"""The acts of one order as they stand in the information chain, and the proofs that go with their papers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from lianfang.kernel.clock import legal_day
from lianfang.kernel.row_security import scope
from lianfang.ledger import queries as ledger
from lianfang.messaging.codes import Code, Correction
from lianfang.messaging.papers import ChainLine, ChainProof, DayHead, Seen, Words
from lianfang.places import queries as places
from lianfang_chain.proof import to_qr_text
from lianfang_chain.words import words_of

from .models import (
    Appeal,
    AppealDecision,
    DestroyedAct,
    DestroyedCase,
    DestroyedOrder,
    HoldWithdrawal,
    IsolationOrder,
    Lift,
    ReleaseNotice,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date, datetime
    from uuid import UUID

    from lianfang.ledger.queries import ChainState
    from lianfang.messaging.press import Press

    from .prints import Offices
    from .queries import OrderView

#: What the person's own code shows of the sealed content, with its name on paper. Never the person's number here.
OWN: Final = {
    "order_no": Words("决定编号", "number of the order"),
    "notice_no": Words("通知书编号", "number of the notice"),
    "reason": Words("理由", "reason"),
    "starts_at": Words("开始时刻", "beginning"),
    "ends_at": Words("解除时刻", "end"),
    "at": Words("解除时刻", "moment of the lift"),
}
#: A code of version 32, 153 modules with its white, is half a millimetre a module at the second width. Longer texts
#: are handed out as a file (`own_proof`): no camera reads a finer print for sure.
MOST_CHARACTERS: Final = 2_840
_PUBLIC_MM, _OWN_MM = 70, 76
_AT_ONCE: Final = 500

_PARTIES: Final = {
    "residents": Words("居民", "residents"),
    "property": Words("物业", "property company"),
    "community": Words("社区", "community"),
}


@dataclass(frozen=True, slots=True)
class Act:
    """One act on an order that stands in the chain."""

    entry_id: UUID
    kind: str
    organ: str
    number: str
    at: datetime

    @property
    def words(self) -> tuple[str, str]:
        return words_of(self.kind)


def of_order(order: OrderView) -> Act:
    """The order itself, from what a page has of it."""
    return Act(order.entry_id, "orders:isolation:issued", order.organ, order.order_no, order.signed_at)


def acts_of(order_id: UUID) -> list[Act]:
    """The order and what followed from it, in time."""
    order = IsolationOrder.objects.get(pk=order_id)
    found = [Act(order.entry_id, "orders:isolation:issued", order.organ, order.order_no, order.signed_at)]
    found += [
        Act(a.entry_id, "orders:appeal:raised", order.organ, order.order_no, a.raised_at)
        for a in Appeal.objects.filter(order=order_id)
        if a.entry_id is not None
    ]
    found += [
        Act(
            d.entry_id,
            f"orders:appeal:{'won' if d.granted else 'lost'}",
            d.organ,
            order.order_no,
            d.signed_at,
        )
        for d in AppealDecision.objects.filter(appeal__order=order_id)
    ]
    found += [
        Act(x.entry_id, "orders:order:lifted", x.organ, order.order_no, x.signed_at)
        for x in Lift.objects.filter(order=order_id)
    ]
    found += [
        Act(n.entry_id, "orders:release:noticed", n.organ, n.notice_no, n.signed_at)
        for n in ReleaseNotice.objects.filter(order=order_id)
    ]
    found += [
        Act(w.entry_id, "orders:hold:withdrawn", order.organ, order.order_no, w.withdrawn_at)
        for w in HoldWithdrawal.objects.filter(hold__order=order_id)
    ]
    return sorted(found, key=lambda act: act.at)


def chain_faults() -> list[str]:
    """L-5 for orders: each act has its entry and each entry its act, and an order's row says what its entry sealed, and
    what it says in public of measure and rule.

    Looks at every order of the installation, and says numbers and ids, no content. What was erased is compared no more.
    """
    with scope(areas=places.districts()):
        found = ledger.unmatched("orders", _rows_in_chain())
        public = dict(ledger.terms_of_kind("orders:isolation:issued"))
        orders = IsolationOrder.objects.order_by("pk").iterator(chunk_size=_AT_ONCE)
        while some := list(islice(orders, _AT_ONCE)):
            sealed = ledger.disclosures_of_each([o.entry_id for o in some])
            for order in some:
                held = dict(public.get(order.entry_id, {}))
                held |= {d.field: d.value for d in sealed.get(order.entry_id, {}).values()}
                row = {
                    "measure": order.measure,
                    "rule": order.rule_version,
                    "order_no": order.order_no,
                    "person": str(order.person_id),
                    "reason": order.reason,
                    "starts_at": order.starts_at.isoformat(),
                    "ends_at": order.ends_at.isoformat(),
                }
                wrong = sorted(name for name in row.keys() & held.keys() if row[name] != held[name])
                if wrong:
                    found.append(f"order {order.order_no}: {', '.join(wrong)} is not what was signed")
    return found


def _rows_in_chain() -> Iterator[tuple[UUID, str, UUID]]:
    for pk, entry in IsolationOrder.objects.values_list("pk", "entry").iterator():
        yield entry, "orders:isolation:issued", pk
    for pk, entry in Lift.objects.values_list("pk", "entry").iterator():
        yield entry, "orders:order:lifted", pk
    for pk, entry in ReleaseNotice.objects.values_list("pk", "entry").iterator():
        yield entry, "orders:release:noticed", pk
    for pk, entry in Appeal.objects.exclude(entry=None).values_list("pk", "entry").iterator():
        yield entry, "orders:appeal:raised", pk
    for pk, entry, granted in AppealDecision.objects.values_list("pk", "entry", "granted").iterator():
        yield entry, f"orders:appeal:{'won' if granted else 'lost'}", pk
    for pk, entry in HoldWithdrawal.objects.values_list("pk", "entry").iterator():
        yield entry, "orders:hold:withdrawn", pk
    yield from DestroyedAct.objects.values_list("entry", "kind", "act_id").iterator()
    for pk, entry in DestroyedCase.objects.values_list("pk", "entry").iterator():
        yield entry, "orders:case:destroyed", pk


@dataclass(frozen=True, slots=True)
class Facts:
    """What an auditor compares: whom, over since when and how, told when."""

    person_id: UUID
    over_at: datetime
    lifted: bool  # before its end; else it ends by itself
    noticed_at: datetime | None


def facts_of(entry_ids: Sequence[UUID]) -> dict[UUID, Facts]:
    """By the entries of orders; those outside the scope of the transaction are left out."""
    rows = IsolationOrder.objects.filter(entry__in=entry_ids).select_related("lift", "release_notice")
    found = {}
    for row in rows:
        lift: Lift | None = getattr(row, "lift", None)
        notice: ReleaseNotice | None = getattr(row, "release_notice", None)
        over_at = row.ends_at if lift is None else min(row.ends_at, lift.signed_at)
        found[row.entry_id] = Facts(
            row.person_id, over_at, over_at < row.ends_at, notice.signed_at if notice else None
        )
    return found


def entries_by_number(order_no: str) -> list[UUID]:
    """The entries of the order of this number in the scope of the transaction, and of what followed from it; those of
    one that was destroyed too, with its destruction. Empty where there is none."""
    order_id = IsolationOrder.objects.filter(order_no=order_no).values_list("pk", flat=True).first()
    if order_id is not None:
        return [act.entry_id for act in acts_of(order_id)]
    gone = DestroyedOrder.objects.filter(order_no=order_no).select_related("case").first()
    if gone is None:
        return []
    return [*gone.acts.values_list("entry", flat=True), gone.case.entry_id]


def states_of(order_id: UUID) -> list[tuple[Act, ChainState]]:
    """The same with how far each has come."""
    acts = acts_of(order_id)
    states = ledger.states_of([a.entry_id for a in acts])
    return [(act, states[act.entry_id]) for act in acts]


def standing_of(order_ids: Iterable[UUID]) -> dict[UUID, tuple[UUID, ChainState]]:
    """The entry of each order and how far it has come; a known number of queries."""
    entries = dict(IsolationOrder.objects.filter(pk__in=list(order_ids)).values_list("pk", "entry_id"))
    states = ledger.newest_states(entries.values()) if entries else {}
    return {order: (entry, states[entry]) for order, entry in entries.items()}


def lines(entry_ids: Iterable[UUID]) -> dict[UUID, ChainLine]:
    """What the papers of these acts say of the chain; a known number of queries."""
    return {
        entry: ChainLine(state.index, state.quorum, len(state.witnesses), state.of)
        for entry, state in ledger.newest_states(entry_ids).items()
    }


def line(entry_id: UUID) -> ChainLine:
    """What the paper of one act says."""
    return lines([entry_id])[entry_id]


def notice_line(order_id: UUID) -> ChainLine:
    """What the paper of its release says; whoever asks knows that there is one."""
    return line(ReleaseNotice.objects.values_list("entry_id", flat=True).get(order=order_id))


def proof_papers(acts: Sequence[Act], press: Press, offices: Offices) -> list[ChainProof]:
    """A page for each act: its codes where a quorum has seen it, else that it is recorded and not yet witnessed.

    Every proof was verified before it is printed. Whoever prints them has opened the persons: the second code
    carries their own content.
    """
    if not acts:
        return []
    entries = [a.entry_id for a in acts]
    public, own = ledger.proofs(entries), ledger.proofs(entries, tuple(OWN))
    return [_paper(a, public.get(a.entry_id), own.get(a.entry_id), press, offices) for a in acts]


def own_proof(entry_id: UUID) -> str:
    """The text of the code with the person's own content, as a file for whoever it does not fit on paper for."""
    return to_qr_text(ledger.proof(entry_id, tuple(OWN)))


def day_head(day: date) -> DayHead | None:
    """The chain's state at the beginning of a day, for public sheets; None before the first witnessed checkpoint."""
    head = ledger.head_of_day(day)
    if head is None:
        return None
    short = " ".join(head.short[i : i + 4] for i in range(0, 16, 4))
    return DayHead(
        legal_day(head.signed_at),
        head.size,
        short,
        Code(ledger.sheet_text(head), mm=26, correction=Correction.M),
    )


def _paper(act: Act, public: bytes | None, own: bytes | None, press: Press, offices: Offices) -> ChainProof:
    proved = ledger.proved(public) if public else None
    shown = ledger.proved(own).disclosed if own else ()
    name, _ = offices.get(act.organ)
    return ChainProof(
        about=Words(*act.words),
        document_no=act.number,
        # The verifier says the name that the organ's key announced; this one stands on paper and proves nothing.
        organ=Words(f"{name}（{act.organ}）", f"{offices.body(act.organ)}: {name} ({act.organ})"),
        entry=proved.index if proved else None,
        size=proved.checkpoint.size if proved else None,
        seen=tuple(Seen(_PARTIES.get(name, Words(name)), ledger.instant(at)) for name, at in proved.seen)
        if proved
        else (),
        parties=ledger.parties_count(),
        public=_code(public, _PUBLIC_MM),
        own=_code(own, _OWN_MM) if shown else None,
        shown=tuple(OWN[d.field] for d in shown),
        page=Code(f"{press.base_url}/open/verify/", mm=26, correction=Correction.Q),
        check_domain=press.domain,
        lang=press.lang,
        demo=press.demo,
    )


def _code(proof: bytes | None, mm: int) -> Code | None:
    if proof is None:
        return None
    text = to_qr_text(proof)
    return Code(text, mm=mm, correction=Correction.L) if len(text) <= MOST_CHARACTERS else None
