"""The witness over HTTP: submission, monitoring, the page for people, the evidence."""

from __future__ import annotations

import hashlib
import http.server
import json
from typing import Final

from lianfang_chain.submission import MAX_BODY

from .compare import compare_page
from .joining import joining_paper
from .judge import Reply, Witness
from .page import status_of, status_page
from .watch import Watch

__all__ = ["WitnessServer"]

_MOST_DIGITS: Final = 18
HTML: Final = "text/html; charset=utf-8"


class WitnessServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(
        self, address: tuple[str, int], witness: Witness, title: str, watch: Watch | None = None
    ) -> None:
        self.witness, self.title, self.watch = witness, title, watch
        self.monitoring = f"/{hashlib.sha256(witness.store.log.name.encode()).hexdigest()}/checkpoint"
        super().__init__(address, _Handler)

    def get(self, path: str, query: str = "") -> Reply:
        """Answer a reader."""
        store = self.witness.store
        if path == "/":
            return Reply(200, status_page(self.witness, self.title), HTML)
        if path == "/compare":
            return Reply(200, compare_page(self.witness, self.title, query), HTML)
        if path == "/joining":
            return Reply(200, joining_paper(self.witness, self.title, self.server_address[1]), HTML)
        if path == "/status.json":
            status = json.dumps(status_of(self.witness), ensure_ascii=False)
            return Reply(200, status + "\n", "application/json")
        if path == self.monitoring and store.note:
            return Reply(200, store.note.decode())
        if path == "/fork-evidence.txt" and store.evidence:
            return Reply(200, store.evidence)
        if path in ("/fork-1.note", "/fork-2.note") and store.evidence:
            return Reply(200, (store.folder / path[1:]).read_text(encoding="utf-8"))
        return Reply(404, "nothing here\n")


class _Handler(http.server.BaseHTTPRequestHandler):
    timeout = 15  # a client that says nothing holds a thread no longer
    protocol_version = "HTTP/1.1"
    server_version = "lianfang-witness"
    sys_version = ""
    server: WitnessServer

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        self._answer(self.server.get(path, query))

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if len(length) > _MOST_DIGITS:  # Python reads no number of thousands of digits
            self.close_connection = True
            self._answer(Reply(400, "not a length\n"))
            return
        if not (length.isascii() and length.isdigit()) or int(length) > MAX_BODY:
            self.close_connection = True
            self._answer(Reply(413, "a body of a known, small length is wanted\n"))
            return
        body = self.rfile.read(int(length))
        if self.path != "/add-checkpoint":
            self._answer(Reply(404, "nothing here\n"))
            return
        self._answer(self.server.witness.add_checkpoint(body))

    def _answer(self, reply: Reply) -> None:
        body = reply.body.encode()
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Only what is not in order is written down; a line a second would hide it."""
        if str(code) not in ("200", "409", "404"):
            super().log_request(code, size)
