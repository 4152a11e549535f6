"""One port: the gates' hot path and the event streams are raw ASGI, the pages are WSGI in threads.

Django's own ASGI handler costs five times the CPU of its WSGI handler for an ordinary page (measured), so
pages run through threads; what must stay open for long (a gate's long poll) holds no thread.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from a2wsgi import WSGIMiddleware

from .wsgi import application as pages

from lianfang.gates import front  # isort: skip - needs the settings that .wsgi has loaded

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

#: Paths of the gate front (docs/gates.md). Everything else is a page.
_GATE_PATHS: Final = ("/s/", "/keys", "/api/v1/gates/")

_pages: Any = WSGIMiddleware(pages, workers=int(os.environ.get("LIANFANG_THREADS", "12")))  # type: ignore[arg-type]  # Django's handler returns a response that is iterable


async def application(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    """Route by the beginning of the path; the gate front also gets the server's start and stop."""
    if scope["type"] == "lifespan" or scope.get("path", "").startswith(_GATE_PATHS):
        await front.app(scope, receive, send)
    else:
        await _pages(scope, receive, send)
