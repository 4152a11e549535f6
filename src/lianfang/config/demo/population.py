"""Invented households: who lives behind which door, related how, guarded by whom, in need of what care.

Shares are plausible, not measured: the registered figures of the district are its 410,000 people and 175,000
dwellings, 4 % of them vacant (domain.md §6).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from lianfang.people.policy import ACTS_ALONE_FROM, ELDER_FROM, Care, age

from . import names
from .calendar import REGISTERED_ON
from .estates import HEMU, LUO_DOOR, PEOPLE, SEAL_DOOR, VACANT_SHARE, WU_DOOR, YUNLING
from .numbers import TEST_PHONES, CitizenNumbers, Phones

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random  # noqa: TID251 - the generator is passed in, seeded

#: Households of one to six people among a thousand, before they are made to sum exactly.
_SIZES: Final = {1: 230, 2: 330, 3: 265, 4: 115, 5: 45, 6: 15}
LUO: Final = "罗晓棠"
LUO_PHONE: Final = f"{TEST_PHONES}0001"
HUSBAND: Final = "陈远"
WU: Final = "吴德昌"


@dataclass(slots=True)
class Resident:
    """One invented person. Dates are those of the scenario; `key` counts from 0 through the district."""

    key: int
    name: str
    male: bool
    born: date
    relation: str
    phone: str = ""
    care: frozenset[Care] = frozenset()
    origin: str = "510402"
    number: str = ""


@dataclass(slots=True)
class HouseholdOf:
    """The people behind one door; the first is the contact. `guards` are (ward, guardian) by place in it."""

    members: list[Resident]
    guards: list[tuple[int, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Door:
    """A dwelling as the population needs it: its estate and door."""

    estate: str
    door: str


def people_at(scale: float) -> int:
    """How many people live in a district of this scale."""
    return round(PEOPLE * scale)


def make(
    rng: Random, *, scale: float, doors: Sequence[Door], shift: timedelta = timedelta()
) -> Iterator[HouseholdOf | None]:
    """One household, or None for a vacant dwelling, for each door in turn.

    Births move with the shift as every date does, so everybody is as old as in the story: only the citizen
    number, which holds the birth, needs to know the shift here.
    """
    fixed = _story(doors)
    sizes = _household_sizes(
        rng, doors=len(doors), people=people_at(scale), fixed={i: len(h.members) for i, h in fixed.items()},
        vacant={i for i, d in enumerate(doors) if (d.estate, d.door) == (YUNLING, SEAL_DOOR)},
    )  # fmt: skip
    phones, numbers = Phones(), CitizenNumbers()
    key = 0
    for i, size in enumerate(sizes):
        if not size:
            yield None
            continue
        household = fixed.get(i) or _household(rng, size, phones)
        for member in household.members:
            member.key = key
            key += 1
            member.number = numbers.next(member.born + shift, male=member.male)
        yield household


def _household_sizes(
    rng: Random, *, doors: int, people: int, fixed: dict[int, int], vacant: set[int]
) -> list[int]:
    """The number of people behind each door, 0 where nobody lives; vacancies and people come out exactly."""
    empty = round(doors * VACANT_SHARE)
    occupied = doors - empty
    free = occupied - len(fixed)
    left = people - sum(fixed.values())
    counts = [size for size, weight in _SIZES.items() for _ in range(weight)]
    sizes = [counts[i * len(counts) // free] for i in range(free)]
    # Bring the sum to the exact number of people by the smallest change: one more or one less, spread evenly.
    while (difference := left - sum(sizes)) != 0:
        step = 1 if difference > 0 else -1
        movable = [i for i, s in enumerate(sizes) if 1 <= s + step <= 6]
        for i in rng.sample(movable, min(abs(difference), len(movable))):
            sizes[i] += step
    rng.shuffle(sizes)
    candidates = [i for i in range(doors) if i not in fixed and i not in vacant]
    none_at = vacant | set(rng.sample(candidates, empty - len(vacant)))
    dealt = iter(sizes)
    return [0 if i in none_at else fixed[i] if i in fixed else next(dealt) for i in range(doors)]


def _story(doors: Sequence[Door]) -> dict[int, HouseholdOf]:
    """Ms Luo and her husband behind 5-2-0603, Mr Wu, 81, alone behind 3-1-0102 (S1, S12)."""
    at = {(d.estate, d.door): i for i, d in enumerate(doors)}
    luo = Resident(0, LUO, male=False, born=date(1987, 9, 12), relation="户主", phone=LUO_PHONE)
    husband = Resident(
        0, HUSBAND, male=True, born=date(1985, 3, 4), relation="配偶", phone=f"{TEST_PHONES}0002"
    )
    wu = Resident(
        0, WU, male=True, born=date(1938, 11, 2), relation="户主",
        care=frozenset({Care.OVER_70, Care.LIVES_ALONE, Care.CHRONIC_DRUG, Care.NO_SMARTPHONE}),
    )  # fmt: skip
    return {
        at[HEMU, LUO_DOOR]: HouseholdOf([luo, husband]),
        at[HEMU, WU_DOOR]: HouseholdOf([wu]),
    }


# --- One household -----------------------------------------------------------------------------------------


def _household(rng: Random, size: int, phones: Phones) -> HouseholdOf:
    head_family = ""
    plan = _plan(rng, size)
    members: list[Resident] = []
    for relation, years, male in plan:
        born = REGISTERED_ON - timedelta(days=years * 365 + rng.randrange(1, 360))
        family = ""
        if relation in ("儿子", "女儿", "孙子", "孙女", "父亲", "兄弟姐妹") and head_family:
            family = head_family
        name = names.person_name(rng, male=male, born=born.year, family=family)
        if relation == "户主":
            head_family = names.family_of(name)
        members.append(Resident(0, name, male=male, born=born, relation=relation))
    origin = "510402" if rng.random() < 0.66 else rng.choice(_ORIGINS)
    alone = size == 1
    for member in members:
        member.origin = origin
        _phone_and_care(rng, member, phones, alone=alone)
    return HouseholdOf(members, _guards(members))


#: Where those who are not registered here come from, codes of GB/T 2260.
_ORIGINS: Final = ("510403", "510411", "510421", "510422", "513401", "530724", "510104", "511502")


def _plan(rng: Random, size: int) -> list[tuple[str, int, bool]]:
    """(relation to the head, age, male) of each member; no child is ever without an adult."""
    adult = rng.randint(26, 52)
    male_head = rng.random() < 0.72
    if size == 1:
        years = rng.choices((rng.randint(20, 39), rng.randint(40, 64), rng.randint(65, 92)), (38, 27, 35))[0]
        return [("户主", years, rng.random() < 0.5)]
    if size == 2:
        kind = rng.random()
        if kind < 0.40:
            elder = rng.randint(60, 86)
            return [("户主", elder, True), ("配偶", max(55, elder - rng.randint(-2, 6)), False)]
        if kind < 0.85:
            return [("户主", adult, True), ("配偶", max(22, adult - rng.randint(-2, 5)), False)]
        parent_male = rng.random() < 0.25
        boy = rng.random() < 0.51
        parent = rng.randint(28, 50)
        return [("户主", parent, parent_male), (_child(boy), rng.randint(0, parent - 24), boy)]
    couple = [
        ("户主", adult, male_head),
        ("配偶", max(23, adult + rng.randint(-4, 4)), not male_head),
    ]
    rest: list[tuple[str, int, bool]] = []
    children = 1 if size == 3 else rng.choice((1, 1, 2))
    if size == 3 and rng.random() < 0.12:
        children = 0
    for _ in range(min(children, size - 2)):
        boy = rng.random() < 0.52
        rest.append((_child(boy), rng.randint(0, max(0, adult - 25)), boy))
    elders = size - 2 - len(rest)
    for i in range(elders):
        is_father = i % 2 == 1
        rest.append(
            ("父亲" if is_father else "母亲", min(96, adult + rng.randint(22, 30)), is_father)
            if i < 2
            else ("兄弟姐妹", max(18, adult - rng.randint(1, 8)), rng.random() < 0.5)
        )
    return couple + rest


def _child(boy: bool) -> str:
    return "儿子" if boy else "女儿"


def _phone_and_care(rng: Random, member: Resident, phones: Phones, *, alone: bool) -> None:
    years = age(member.born, on=REGISTERED_ON)
    care: set[Care] = set()
    if years >= ELDER_FROM:
        care.add(Care.OVER_70)
    if alone and years >= 65:
        care.add(Care.LIVES_ALONE)
    if years < 1:
        care.add(Care.INFANT)
    if not member.male and 21 <= years <= 40 and rng.random() < 0.022:
        care.add(Care.PREGNANT)
    if rng.random() < 0.012 + 0.0006 * years:
        care.add(Care.DISABLED)
    if years >= 30 and rng.random() < 0.0012:
        care.add(Care.DIALYSIS)
    if rng.random() < (0.02 if years < 45 else 0.18 if years < 65 else 0.45):
        care.add(Care.CHRONIC_DRUG)
    without_phone = 1.0 if years < 10 else 0.35 if years < 16 else 0.015 if years < 65 else 0.28
    has_phone = rng.random() >= without_phone
    if years >= 65 and (not has_phone or rng.random() < 0.25):
        care.add(Care.NO_SMARTPHONE)
    member.phone = phones.next() if has_phone else ""
    member.care = frozenset(care)


def _guards(members: Sequence[Resident]) -> list[tuple[int, int]]:
    """Father and mother, or the one who is there, guard every child under 14; the schema keeps the basis."""
    parents = [i for i, m in enumerate(members) if m.relation in ("户主", "配偶")]
    return [
        (i, p)
        for i, m in enumerate(members)
        if m.relation in ("儿子", "女儿") and age(m.born, on=REGISTERED_ON) < ACTS_ALONE_FROM
        for p in parents
    ]
