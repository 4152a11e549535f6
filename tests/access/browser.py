"""Windows onto the application in this very process: every request of a page is answered by the test client.

No port, no second process, and the pages see the rows of the test's own transaction.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from django.contrib.staticfiles import finders
from django.db import connections

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.test import Client
    from playwright.sync_api import Browser, BrowserContext, Page, Route

ORIGIN: Final = "http://testserver"
#: The same for pages whose scripts make keys: a browser does that in a secure context only.
SECURE: Final = "https://testserver"
_TYPES: Final = {
    "css": "text/css",
    "js": "text/javascript",
    "wasm": "application/wasm",
    "svg": "image/svg+xml",
}


@contextmanager
def window(
    browser: Browser,
    client: Client,
    *,
    width: int,
    height: int = 900,
    answers: dict[str, Any] | None = None,
    **options: Any,
) -> Iterator[Page]:
    """A window whose requests this client answers; cookies are the client's.

    :param answers: by path, what the client has been given already and the window is to show
    """
    context: BrowserContext = browser.new_context(viewport={"width": width, "height": height}, **options)
    ours = connections["default"]

    def answer(route: Route) -> None:
        # Playwright calls this in a context of its own, in which Django would open another connection
        # and see nothing of this test's transaction.
        connections["default"] = ours
        _answer(route, client, {} if answers is None else answers)

    context.route("**/*", answer)
    try:
        yield context.new_page()
    finally:
        context.close()


def _answer(route: Route, client: Client, answers: dict[str, Any]) -> None:
    request = route.request
    path = request.url.removeprefix(ORIGIN).removeprefix(SECURE)
    if not request.url.startswith((ORIGIN, SECURE)):
        route.abort()
        return
    if path.startswith("/static/"):
        name = path.removeprefix("/static/").partition("?")[0]
        found = finders.find(name)
        if not isinstance(found, str):
            route.fulfill(status=404)
            return
        route.fulfill(
            path=found, content_type=_TYPES.get(name.rpartition(".")[2], "application/octet-stream")
        )
        return
    headers: dict[str, Any] = {
        f"HTTP_{k.upper().replace('-', '_')}": v for k, v in request.headers.items() if k != "cookie"
    }
    headers.pop("HTTP_CONTENT_TYPE", None)
    if request.method == "POST":
        kind = request.headers.get("content-type", "application/octet-stream")
        response = client.post(path, data=request.post_data_buffer or b"", content_type=kind, **headers)
    else:
        response = answers.pop(path, None) or client.get(path, **headers)
    body = b"".join(response) if response.streaming else response.content
    sent = {k: v for k, v in response.headers.items() if k.lower() != "content-length"}
    if 300 <= response.status_code < 400:
        # Playwright follows no redirect of a fulfilled route, so the page is sent there by itself.
        target = response["Location"]
        route.fulfill(
            status=200, content_type="text/html", body=f'<meta http-equiv="refresh" content="0;url={target}">'
        )
        return
    route.fulfill(status=response.status_code, headers=sent, body=body)
