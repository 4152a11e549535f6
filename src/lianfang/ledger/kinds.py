"""The closed vocabulary of what an entry can be about. A test reads every `append` in the source against it."""

from __future__ import annotations

from typing import Final

#: Acts that take a burden off somebody. They are written even while a restored database waits for its
#: reconciliation: a lift, a won appeal, a superior's refusal frees at signature (O-9).
FREEING: Final = frozenset(
    {
        "orders:order:lifted",
        "orders:closure:reopened",
        "orders:proposal:refused",
        "orders:appeal:won",
        "orders:release:noticed",
        "ledger:disclosures:erased",
        "ledger:key:announced",
        "ledger:chain:reconciled",
    }
)
_FREEING_ACTS: Final = frozenset(
    {"lifted", "released", "reopened", "freed", "ended", "won", "refused", "annulled"}
)


def frees(kind: str) -> bool:
    """Whether an act of this kind takes a burden off somebody."""
    return kind in FREEING or kind.rpartition(":")[2] in _FREEING_ACTS
