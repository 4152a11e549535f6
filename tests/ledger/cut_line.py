"""A TCP line before the socket of the database that is reset at chosen places: what becomes of a connection in nature.

The client speaks and the server answers, in turn. What the client says until it waits, and the answer to that, is one turn;
the turns are counted over all connections, which come one after the other. Nothing here waits for a time to pass.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections import Counter
from typing import Final, Literal, Self

Way = Literal["before", "half", "behind", "answer lost", "half an answer", "after"]
#: Where the line breaks: before the server heard anything; with half of it heard; with all of it heard, nobody waiting for
#: the answer; with the answer made but not delivered; half delivered; delivered, so that the next sending fails.
WAYS: Final[tuple[Way, ...]] = ("before", "half", "behind", "answer lost", "half an answer", "after")
COMMIT: Final = b"Q\0\0\0\x0bCOMMIT\0"
_ASKS_FOR_ENCRYPTION: Final = (80877103, 80877104)


class CutLine:
    """Carries to the socket at `to`; `port` is its own end. Whole unless told where to break."""

    def __init__(self, to: str) -> None:
        self._to = to
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.turns = 0
        #: Commits that the server heard whole.
        self.committed = 0
        self.happened: Counter[tuple[bool, Way]] = Counter()
        self._cuts: list[tuple[int, Way]] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def cut(self, *cuts: tuple[int, Way]) -> None:
        """Break at these places, each so many turns (from 1) after the one before; without any, nowhere."""
        self._cuts = list(cuts)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # no longer listening
            while True:
                client, _ = self._listening.accept()
                with client, socket.socket(socket.AF_UNIX) as server, contextlib.suppress(OSError):
                    server.connect(self._to)
                    self._carry(client, server)

    def _carry(self, client: socket.socket, server: socket.socket) -> None:
        begun = False
        while said := _said(client, begun=begun):
            self.turns += 1
            way = self._way()
            if way is not None:
                self.happened[said == COMMIT, way] += 1
            if way == "before":
                return _reset(client)
            server.sendall(said[: len(said) // 2] if way == "half" else said)
            if way == "half":
                return _reset(client)
            self.committed += said == COMMIT
            if way == "behind":
                return _reset(client)
            asked = not begun and struct.unpack("!I", said[4:8])[0] in _ASKS_FOR_ENCRYPTION
            begun = not asked
            answer = server.recv(1) if asked else _answer(server)
            if way == "answer lost":
                return _reset(client)
            client.sendall(answer[: len(answer) // 2] if way == "half an answer" else answer)
            if way is not None:
                return _reset(client)
        return None

    def _way(self) -> Way | None:
        if not self._cuts:
            return None
        (left, way), *later = self._cuts
        self._cuts = later if left == 1 else [(left - 1, way), *later]
        return way if left == 1 else None


def _reset(line: socket.socket) -> None:
    """Close it as a line breaks: whoever sends or reads at the other end is told that it was reset."""
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    line.close()


def _exactly(line: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = line.recv(size - len(data))
        if not more:
            raise ConnectionResetError
        data += more
    return data


def _message(line: socket.socket, *, typed: bool = True) -> bytes:
    head = _exactly(line, 5 if typed else 4)
    return head + _exactly(line, int.from_bytes(head[-4:]) - 4)


def _said(client: socket.socket, *, begun: bool) -> bytes:
    """All that the client says until it waits; nothing when it says good-bye."""
    if not begun:
        return _message(client, typed=False)
    said = b""
    while True:
        message = _message(client)
        if message[:1] == b"X":
            return b""
        said += message
        if message[:1] in b"QS":
            return said


def _answer(server: socket.socket) -> bytes:
    """All that the server says until it is ready for more."""
    said = b""
    while True:
        message = _message(server)
        said += message
        if message[:1] == b"Z":
            return said
