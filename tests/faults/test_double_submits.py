"""Every write that an address takes, sent twice at once by one client: one effect, and both are told the same.

The addresses come from the URL registry, so a new one is tried by itself; what a page needs to be ready for its
write is in `READY`. An address that takes no write in this world fails, unless `ELSEWHERE` says where it is tried.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import pytest
from django.test import Client
from tests.access.addresses import Address, addresses
from tests.access.world import World, a_world, fillings, readable_by, url
from tests.factories.accounts import DISTRICT, an_office, log_in
from tests.faults import submitting
from tests.faults.ready import ELSEWHERE, READY, TYPED_AT, files, typed
from tests.sizes import size

from lianfang.accounts.rights import Role
from lianfang.kernel.surfaces import Repeat

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpResponseBase

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]

#: Classes that change something.
WRITES: Final = (Repeat.SAME, Repeat.SPENT, Repeat.ANEW)


def writes() -> list[Address]:
    """Every address that takes a write."""
    return [a for a in addresses() if a.surface is not None and a.surface.repeat in WRITES]


def candidates(address: Address, world: World, made: object) -> Iterator[tuple[Client, str, dict[str, Any]]]:
    """Requests that a person on that page could send: who, where and what, until one is taken.

    :param made: what making the page ready gave: words and files that only now are known, if any
    """
    known = made if isinstance(made, dict) else {}
    if isinstance(made, submitting.Json):
        for who in readable_by(address):
            yield log_in(world.users[who]), url(address, {}), made
        return
    chosen = files() | {k: v for k, v in known.items() if isinstance(v, bytes)}
    words = (
        typed() | dict(TYPED_AT.get(address.name, {})) | {k: v for k, v in known.items() if k not in chosen}
    )
    for who in readable_by(address):
        filled = [{a: known[a] for a in address.arguments}] if set(address.arguments) <= set(known) else None
        for values in filled or reversed(fillings(address, world)):  # what was made ready is the newest
            path = url(address, values)
            client = log_in(world.users[who])
            client.raise_request_exception = False
            if "GET" not in address.methods:
                yield client, path, words
                continue
            page = client.get(path)
            if page.status_code != 200:
                yield client, path, words
                continue
            text = page.content.decode()
            for sent in submitting.filled(text, path=path, typed=words, files=chosen):
                yield client, path, sent


def taken(answer: HttpResponseBase) -> bool:
    """Whether the write was done: the page sends on, or shows what came of it."""
    return answer.status_code in (200, 302)


def same_browser(client: Client) -> Client:
    """A second window of the same browser."""
    other = Client()
    other.cookies = client.cookies
    other.raise_request_exception = False
    return other


def told(answer: HttpResponseBase | Exception) -> tuple[object, str]:
    """What the client learns: status and where to."""
    if isinstance(answer, Exception):
        return repr(answer), ""
    return answer.status_code, answer.headers.get("Location", "")


@pytest.mark.parametrize("district", range(max(1, size("double_submits") // 50)))
def test_every_write_sent_twice_at_once_is_done_once(district: int) -> None:
    world = a_world()
    # Only the health organ of the district may order.
    world.users[Role.CDC] = an_office(Role.CDC, DISTRICT).user
    # At every change the same few, among them sooner or later a new one; the larger sizes try all, many times.
    chosen = sorted(writes(), key=lambda a: sha256(a.route.encode()).digest())[: size("double_submits")]
    wrong = [found for address in chosen if (found := _wrong(address, world))]
    assert not wrong, "\n".join(wrong)


def test_what_is_said_of_addresses_is_said_of_some_that_are_there() -> None:
    names = {a.name for a in writes()}
    assert not {*READY, *TYPED_AT, *ELSEWHERE} - names


def _wrong(address: Address, world: World) -> str:
    """What is wrong with a repeat at this address; empty if nothing."""
    if address.name in ELSEWHERE:
        return ""
    made = READY[address.name](world) if address.name in READY else None
    seen: list[object] = []
    for client, path, sent in candidates(address, world, made):
        before = submitting.state()  # what is stored by a connection of its own stays from the trial on
        answer, once = submitting.tried(client, path, sent)
        seen.append((answer.status_code, path, sorted(sent), submitting.refusal(answer), once))
        if not taken(answer) or not once:
            continue
        answers = submitting.twice_at_once([client, same_browser(client)], path, sent)
        left = submitting.left(before)
        assert address.surface is not None
        if address.surface.repeat is Repeat.SAME:
            # And once more, when all is done: a second click that comes late.
            answers.append(submitting.post(client, path, sent))
            left = submitting.left(before)
        return _judged(address, address.surface.repeat, path, once, left, [told(a) for a in answers])
    return f"{address}: nobody could do it: {seen[:3]}"


def _judged(
    address: Address,
    repeat: Repeat,
    path: str,
    once: dict[str, int],
    left: dict[str, int],
    answers: list[tuple[object, str]],
) -> str:
    where = f"{address} ({path})"
    if any(not isinstance(status, int) or status >= 500 for status, _ in answers):
        return f"{where}: {answers}"
    if repeat is not Repeat.ANEW and left != once:
        return f"{where}: one leaves {once}, two leave {left}; {answers}"
    if repeat is Repeat.SAME and len(set(answers)) > 1:
        return f"{where}: answers {answers}"
    return ""
