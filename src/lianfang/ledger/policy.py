"""Pure rules: whom to trust, written as a policy file, and what counts as witnessed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from lianfang_chain.entry import SCOPE_CLASS
from lianfang_chain.policy import NONE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from lianfang_chain.note import VerifierKey
    from lianfang_chain.policy import Change

#: After this time without a quorum the command and all parties see an alarm (ledger.md 6.6).
ALARM_AFTER_SECONDS: Final = 60
RESIDENTS: Final = "residents"
#: The scope of what concerns the chain itself and no place.
WHOLE_CHAIN: Final = "d0"
#: On what rooms destroy what they kept for its term, as their entries name it.
TERM_OVER: Final = "个人信息保护法第四十七条第一款第一项（目的已实现或者保存期限已届满）"


#: A place with fewer households is not named in the chain: what stays for ever would point at somebody.
FEWEST_HOUSEHOLDS: Final = 5
_LARGE_ENOUGH: Final = frozenset({"district", "street", "community"})


class PublicScope(str):
    """A place that may be named for ever; made by `public_scope`, and `append` takes no other below a community."""

    __slots__ = ()


def may_be_named(scope: str) -> bool:
    """Whether `append` takes it: a community or more, or a smaller place whose households were counted."""
    kind = SCOPE_CLASS.get(scope.rpartition(".")[2][:1])
    return kind in _LARGE_ENOUGH or isinstance(scope, PublicScope)


def public_scope(area: str, households: Callable[[str], int]) -> PublicScope:
    """The smallest place at or around `area` with enough households; a community or more is not counted.

    :param households: how many live at or below a place now
    """
    labels = area.split(".")
    around = (".".join(labels[:n]) for n in range(len(labels), 0, -1))
    for place in around:
        kind = SCOPE_CLASS.get(place.rpartition(".")[2][:1])
        if kind in _LARGE_ENOUGH or (kind is not None and households(place) >= FEWEST_HOUSEHOLDS):
            return PublicScope(place)
    raise ValueError(f"not in a district: {area}")


@dataclass(frozen=True, slots=True)
class WitnessKey:
    """One witness as configured. A retired one has a line in the policy file, so that papers keep their numbers."""

    name: str
    key: VerifierKey
    url: str
    places: tuple[str, ...] = ("",)
    retired: bool = False

    @property
    def party(self) -> str:
        """Whose key it is: the second key of the residents is called `residents-2`."""
        return self.name.partition("-")[0]


def before_change(known: Sequence[WitnessKey], *, vkey: str, retired: str) -> tuple[WitnessKey, ...]:
    """The witnesses as they were before one key took another's place: its line was not there, the other was counted."""
    return tuple(replace(w, retired=w.retired and str(w.key) != retired) for w in known if str(w.key) != vkey)


def places_named(witness: Mapping[str, str]) -> tuple[str, ...]:
    """The places of which a witness, as configured, is shown the entries and keeps them; none named, all."""
    return tuple(place for place in witness.get("places", "").split(",") if place)


def quorum_of(witnesses: int) -> int:
    """How many of them must have cosigned: a majority, so that two quorums always share a member."""
    return witnesses // 2 + 1


def policy_text(log: VerifierKey, witnesses: Sequence[WitnessKey], *, log_url: str = "") -> str:
    """The file that everybody pins: any majority of the witnesses."""
    lines = _keys(log, witnesses, log_url)
    names = [w.name for w in witnesses if not w.retired]
    if not names:
        return "\n".join([*lines, f"quorum {NONE}"]) + "\n"
    lines += [f"group parties {quorum_of(len(names))} {' '.join(names)}", "quorum parties"]
    return "\n".join(lines) + "\n"


def strict_policy_text(log: VerifierKey, witnesses: Sequence[WitnessKey], *, log_url: str = "") -> str:
    """The auditor's choice: the residents' committee and at least one of the others, because property and
    community may be less independent of the command."""
    counted = [w for w in witnesses if not w.retired]
    residents = [w.name for w in counted if w.party == RESIDENTS]
    others = [w.name for w in counted if w.party != RESIDENTS]
    if not residents or not others:
        return policy_text(log, witnesses, log_url=log_url)
    lines = _keys(log, witnesses, log_url)
    lines += [
        f"group others any {' '.join(others)}",
        f"group strict all {residents[0]} others",
        "quorum strict",
    ]
    return "\n".join(lines) + "\n"


def with_earlier(text: str, addresses: Mapping[int, str], changes: Iterable[Change]) -> str:
    """The trust file, with a comment for each change of a witness, by which our verifiers judge older papers, and for
    other people's a line of words for each earlier file: up to which size of its checkpoint a paper holds under it, and
    where it is. A retired key stays good for what it saw in office, and for nothing behind that."""
    said = (
        f"# papers whose checkpoint has at most {size} entries hold under {at}\n"
        for size, at in sorted(addresses.items())
    )
    return text + "".join(f"{change}\n" for change in changes) + "".join(said)


def _keys(log: VerifierKey, witnesses: Sequence[WitnessKey], log_url: str) -> list[str]:
    return [f"log {log} {log_url}".strip(), *(f"witness {w.name} {w.key} {w.url}".strip() for w in witnesses)]
