"""Which checkpoint shows an entry, and which was the last that a quorum has seen.

Today's witnesses count, and for what was signed before a change of them those who were in office then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db.models import Count, Q

from lianfang_chain.note import Signature, parse_note

from . import in_office, parties
from .models import Checkpoint, Cosignature
from .policy import quorum_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from lianfang_chain.policy import Policy

    from .policy import WitnessKey

#: How many checkpoints are looked through one by one; then the newest with a quorum is taken. With the default policy the
#: first with enough lines has one, unless witnesses went out of office since.
_LOOK: Final = 4


def for_a_paper(index: int) -> Checkpoint | None:
    """A checkpoint that shows the entry to who has today's trust file; else one that did in its time."""
    policy = parties.policy()
    for checkpoint, seen in _checkpoints_over(index):
        if policy.met_by(set(seen)):
            return checkpoint
    last = newest_of(parties.witnesses())
    if last is not None and last.size > index:
        return last
    shown = over(index)
    return shown[0] if shown and shown[2] else None


def meets(policy: Policy, index: int) -> Checkpoint | None:
    """A checkpoint over the entry that meets a policy, looked for among those with the most lines of its witnesses."""
    names = {witness.name for witness in policy.witnesses}
    counted = Count("cosignatures", filter=Q(cosignatures__witness__in=names))
    behind = Checkpoint.objects.filter(size__gt=index).alias(lines=counted).filter(lines__gt=0)
    for checkpoint in behind.prefetch_related("cosignatures").order_by("-lines", "size")[:_LOOK]:
        if policy.met_by({c.witness for c in checkpoint.cosignatures.all()} & names):
            return checkpoint
    return None


def note_of(checkpoint: Checkpoint) -> bytes:
    """The checkpoint as it was signed, with the cosignatures that are known."""
    lines = sorted((c.witness, c.line) for c in checkpoint.cosignatures.all())
    note = parse_note(bytes(checkpoint.note)).with_signatures(Signature.parse(line) for _, line in lines)
    return bytes(note)


def over(index: int) -> tuple[Checkpoint, dict[str, datetime], bool] | None:
    """The first checkpoint over this entry that had a quorum in its time, else the one with the most cosignatures."""
    policy, terms = parties.policy(), in_office.earlier()
    best: tuple[Checkpoint, dict[str, datetime], bool] | None = None
    for checkpoint, seen in _checkpoints_over(index):
        term = in_office.term_of(checkpoint.size, terms)
        if policy.met_by(set(seen)) or (term is not None and term.met_by(set(seen))):
            return checkpoint, seen, bool(seen)
        if best is None or len(seen) > len(best[1]):
            best = checkpoint, seen, False
    last = newest()
    if last is not None and last.size > index:
        return last, {c.witness: c.cosigned_at for c in last.cosignatures.all()}, True
    return best


def _checkpoints_over(index: int) -> Iterator[tuple[Checkpoint, dict[str, datetime]]]:
    """First those that may have a quorum, the smallest first, then the very first ones."""
    behind = Checkpoint.objects.filter(size__gt=index).prefetch_related("cosignatures").order_by("size")
    needed = max(1, quorum_of(len(parties.witnesses())))
    likely = behind.alias(lines=Count("cosignatures")).filter(lines__gte=needed)
    for checkpoints in (likely[:_LOOK], behind[:_LOOK]):
        for checkpoint in checkpoints:
            yield checkpoint, {c.witness: c.cosigned_at for c in checkpoint.cosignatures.all()}


def size() -> int:
    """The largest size that a quorum has cosigned."""
    found = newest()
    return found.size if found else 0


def newest(*, up_to: int | None = None) -> Checkpoint | None:
    """The largest checkpoint, up to a size, that a quorum of today's witnesses or of those then in office has seen."""
    found = [newest_of(parties.witnesses(), up_to=up_to)]
    for term in in_office.earlier():
        counted = [w for w in term.witnesses if not w.retired]
        least = term.until if up_to is None else min(up_to, term.until)
        found.append(newest_of(counted, up_to=least, among=term.witnesses))
    return max((c for c in found if c is not None), key=lambda c: c.size, default=None)


def newest_of(
    counted: Sequence[WitnessKey], *, up_to: int | None = None, among: Sequence[WitnessKey] | None = None
) -> Checkpoint | None:
    """The largest checkpoint, up to a size, that a quorum of these witnesses has cosigned.

    While one party is away for days, thousands of checkpoints have no quorum. So it is first asked up to where each
    witness came: a quorum has no checkpoint above the least of its members.
    """
    within = {} if up_to is None else {"checkpoint__lte": up_to}
    names = [witness.name for witness in counted]
    came = (
        Cosignature.objects.filter(witness=name, **within)
        .order_by("-checkpoint")
        .values_list("checkpoint", flat=True)
        .first()
        for name in names
    )
    sizes = sorted((size for size in came if size is not None), reverse=True)
    needed = max(1, quorum_of(len(names)))
    if len(sizes) < needed:
        return None
    policy = parties.policy(among)
    below = Checkpoint.objects.filter(size__lte=sizes[needed - 1]).prefetch_related("cosignatures")
    for checkpoint in below.order_by("-size").iterator(chunk_size=16):
        if policy.met_by({c.witness for c in checkpoint.cosignatures.all()}):
            return checkpoint
    return None
