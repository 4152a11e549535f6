"""Which acts take a burden off somebody. The vocabulary of all kinds, with words, is `lianfang_chain.words.KINDS`;
a test reads every `append` in the source against it."""

from __future__ import annotations

from typing import Final

#: Written even while a restored database waits for its reconciliation: a lift, a won appeal, a superior's refusal
#: frees at signature (O-9), and an objection must always be taken. What the chain says about itself must be possible, too.
FREEING: Final = frozenset(
    {
        "orders:order:lifted",
        "orders:release:noticed",
        "orders:appeal:raised",
        "orders:appeal:won",
        "orders:case:destroyed",
        "gates:act:lifted",
        "gates:passages:destroyed",
        "credentials:passes:destroyed",
        "concerns:reports:destroyed",
        "ledger:disclosures:erased",
        "ledger:key:announced",
        "ledger:key:succeeded",
        "ledger:policy:changed",
        "ledger:chain:reconciled",
    }
)


def frees(kind: str) -> bool:
    """Whether an act of this kind takes a burden off somebody."""
    return kind in FREEING
