"""`lianfang import`: a roster from the command line, by the same act as the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lianfang.accounts import queries as accounts
from lianfang.accounts.rights import Purpose
from lianfang.accounts.saying import sentence
from lianfang.kernel import clock
from lianfang.kernel.actor import Actor
from lianfang.kernel.errors import Refused
from lianfang.kernel.ids import new_id
from lianfang.kernel.row_security import scope
from lianfang.people import actions as people
from lianfang.people.errors import RosterHasFaults
from lianfang.places import queries as places

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from uuid import UUID


def run(file: Path, *, community: str, login: str, write: bool, say: Callable[[str], None]) -> int:
    """Check a roster and, when `write` is set and no row is at fault, write it; returns the exit code.

    Rows at fault are written beside the file as `<name>.faults.xlsx`, to be corrected and sent again.
    """
    by = officer(login, purpose=Purpose.REGISTER_KEEPING, surface="lianfang import")
    path = places.path_of_code(community, on=clock.legal_day(clock.now()))
    if by is None or path is None:
        say(f"no login {login} with an office today, or no community {community}")
        return 2
    areas = accounts.person_areas(by)
    try:
        with scope(areas=areas):
            done = people.import_roster(
                file.read_bytes(), community=path, filename=file.name, by=by, dry=not write
            )
    except RosterHasFaults as refusal:
        return _faults(file, refusal.facts["run"], by=by, areas=areas, say=say)
    except Refused as refusal:
        say(sentence(refusal))
        return 1
    if done.counts.get("faults"):
        return _faults(file, done.pk, by=by, areas=areas, say=say)
    for name, number in done.counts.items():
        say(f"  {name:24} {number:>9,}")
    say("written" if write else "checked; nothing was written. Add --write to write it")
    return 0


def _faults(
    file: Path, run_id: object, *, by: Actor, areas: tuple[str, ...], say: Callable[[str], None]
) -> int:
    from uuid import UUID

    book = file.with_name(f"{file.stem}.faults.xlsx")
    with scope(areas=areas):
        book.write_bytes(people.error_book(UUID(str(run_id)), by=by))
    say(f"nothing was written: rows at fault are in {book}; correct them there and send that file")
    return 1


def officer(login: str, *, purpose: Purpose, surface: str) -> Actor | None:
    """The officer in the offices held now; whoever may read the data folder answers for the choice."""
    at = clock.now()
    user_id: UUID | None = accounts.user_id_of(login)
    offices = accounts.offices_held(user_id, at) if user_id else []
    if user_id is None or not offices:
        return None
    return Actor(
        user_id=user_id,
        pseudonym=login,
        organ=offices[0].organ.code,
        organ_kind=offices[0].organ.kind,
        grants=accounts.grants_of(offices),
        at=at,
        purpose=purpose,
        surface=surface,
        request_id=new_id(),
    )
