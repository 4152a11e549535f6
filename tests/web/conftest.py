"""Pages whose every error fails the test, and what a browser keeps of an application."""

from __future__ import annotations

import asyncio
import datetime
import socket
import threading
from typing import TYPE_CHECKING, Any, Final

import pytest
import uvicorn

from tests.gates.conftest import no_passages
from tests.web.gate_server import GateServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import BrowserContext, Page


__all__ = ["no_passages"]  # rows that a test before left lie in tables of no model


@pytest.fixture
def one_port(no_passages: None) -> Iterator[str]:
    """The address of the whole system in this process: pages, gate app and front."""
    from lianfang.config.asgi import application

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(
            uvicorn.Config(application, log_level="warning", lifespan="on", timeout_graceful_shutdown=2)
        )
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])))
        thread.start()
        yield f"http://localhost:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture
def server() -> Iterator[GateServer]:
    """The files and answers a gate or a phone asks for, without the system behind them."""
    started = GateServer()
    yield started
    started.stop()


class Watched:
    """A page of which every error of script or policy is a failure of the test."""

    def __init__(self, context: BrowserContext, *, at: int | None = None) -> None:
        self.page: Page = context.new_page()
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._console)
        if at is not None:
            self.set_clock(at)

    def _console(self, message: Any) -> None:
        # A server that is gone is part of these tests; everything else is not.
        gone = ("ERR_CONNECTION", "ERR_EMPTY_RESPONSE", "404", "Failed to load resource")
        if message.type == "error" and not any(word in message.text for word in gone):
            self.errors.append(message.text)

    def set_clock(self, at: int) -> None:
        self.page.clock.set_fixed_time(datetime.datetime.fromtimestamp(at, datetime.UTC))


DUMP: Final = """async () => {
  const text = (v) => v instanceof ArrayBuffer ? text(new Uint8Array(v))
    : v instanceof Uint8Array ? String.fromCharCode(...v.slice(0, 200000)) + ' ' +
      Array.from(v.slice(0, 20000), (b) => b.toString(16).padStart(2, '0')).join('')
    : v instanceof Map ? [...v].map(text).join(' ')
    : Array.isArray(v) ? v.map(text).join(' ')
    : v && typeof v === 'object' && v.constructor === Object
      ? Object.entries(v).map(([k, w]) => k + '=' + text(w)).join(' ')
    : String(v);
  const out = {};
  for (const { name } of await indexedDB.databases()) {
    const db = await new Promise((ok, no) => {
      const r = indexedDB.open(name); r.onsuccess = () => ok(r.result); r.onerror = no; });
    for (const store of db.objectStoreNames) {
      const all = (m) => new Promise((ok, no) => {
        const r = db.transaction(store).objectStore(store)[m](); r.onsuccess = () => ok(r.result); r.onerror = no; });
      out[name + '/' + store] = text(await all('getAllKeys')) + ' ' + text(await all('getAll'));
    }
    db.close();
  }
  out.local = JSON.stringify(localStorage) + JSON.stringify(sessionStorage) + document.cookie;
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    out['cache/' + name] = (await cache.keys()).map((r) => r.url).join(' ');
  }
  return out;
}"""


def storage(page: Page) -> dict[str, str]:
    """Everything the browser keeps for this origin, as text; byte strings as characters and as hex."""
    found: dict[str, str] = page.evaluate(DUMP)
    return found
