"""Passes and gates: checking, status files, uploads with receipts, and how long an order takes to every gate."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


def cases(size: str) -> Iterable[dict[str, Any]]:
    """All of them. `size` changes how long each is measured, never what."""
    from .bundle import Bundle, with_the_server_stopped
    from .checking import checking
    from .garbage import garbage
    from .reach import Orders, to_every_gate
    from .rush import rush
    from .server import GATES, Server, publishing
    from .status_bytes import status_bytes
    from .uploads import uploads

    small = size == "small"
    yield from checking(1.0 if small else 5.0)
    yield from garbage()
    yield from status_bytes()
    # Ten thousand connections from here and as many in the server.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    orders = Orders()
    with Bundle() as bundle:
        with Server() as server:
            yield from uploads(server, batches=200 if small else 2000)
            orders.prepare(server, 20 if small else 60)
            with publishing():
                yield from to_every_gate(server, orders, waiting=GATES, changes=5 if small else 20)
                if not small:
                    yield from to_every_gate(server, orders, waiting=10_000, changes=5)
                yield from rush(server, orders, bundle, seconds=10 if small else 300)
            answering = bundle.measure(server, 2.0 if small else 10.0)
        yield from with_the_server_stopped(bundle, server, answering, 2.0 if small else 10.0)
