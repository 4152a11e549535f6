"""Talk to tlog witnesses and tile servers over HTTP, believing little.

Witnesses in the field disagree about status codes, so only two answers mean anything: 200 with a cosignature
that verifies, and 409 with a size. Everything else is "not cosigned", with the words kept for people.
"""

from __future__ import annotations

import hashlib
import http.client
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from .checkpoint import Checkpoint, open_checkpoint
from .note import MalformedNote, NotSigned, Signature, VerifierKey, decimal
from .submission import AddCheckpoint

__all__ = [
    "Behind",
    "Cosigned",
    "NotCosigned",
    "Response",
    "Unreachable",
    "add_checkpoint",
    "held_by",
    "send",
]

MAX_ANSWER: Final = 1 << 26  # a full entry bundle has at most 16 MiB
SIZE_TYPE: Final = "text/x.tlog.size"


class Unreachable(OSError):
    """No whole answer came: refused, timed out, cut off or too long."""


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    body: bytes
    content_type: str


def send(
    method: str,
    url: str,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = 5.0,
    tls: ssl.SSLContext | None = None,
    max_bytes: int = MAX_ANSWER,
) -> Response:
    """One request, no redirects, no retries.

    :raises Unreachable: see the class
    """
    parts = urlsplit(url)
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = tls or ssl.create_default_context()
        connection = http.client.HTTPSConnection(parts.netloc, timeout=timeout, context=context)
    elif parts.scheme == "http":
        connection = http.client.HTTPConnection(parts.netloc, timeout=timeout)
    else:
        raise Unreachable(f"not an http address: {url}")
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target or "/", body=body, headers=dict(headers or {}))
        response = connection.getresponse()
        content = response.read(max_bytes + 1)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unreachable(f"{parts.netloc}: {error}") from error
    finally:
        connection.close()
    if len(content) > max_bytes:
        raise Unreachable(f"{parts.netloc}: more than {max_bytes} bytes")
    return Response(response.status, content, response.headers.get_content_type())


@dataclass(frozen=True, slots=True)
class Cosigned:
    """The witness has stored the checkpoint and this is its line, verified."""

    signature: Signature
    at: int


@dataclass(frozen=True, slots=True)
class Behind:
    """The witness holds another size than we said; ask again from there."""

    size: int


@dataclass(frozen=True, slots=True)
class NotCosigned:
    status: int
    why: str


def add_checkpoint(
    url: str,
    witness: VerifierKey,
    *,
    old: int,
    proof: Sequence[bytes],
    note: bytes,
    timeout: float = 5.0,
    tls: ssl.SSLContext | None = None,
) -> Cosigned | Behind | NotCosigned:
    """Ask for a cosignature of the checkpoint in `note`.

    :raises Unreachable: no whole answer; the witness may have stored it all the same, and asking again is safe
    """
    body = bytes(AddCheckpoint(old, tuple(proof), note))
    answer = send(
        "POST", f"{url.rstrip('/')}/add-checkpoint", body=body, timeout=timeout, tls=tls, max_bytes=65_536
    )
    if answer.status == 200:
        return _cosignature(answer.body, witness, note)
    if answer.status == 409 and answer.content_type == SIZE_TYPE:
        try:
            return Behind(decimal(answer.body.decode("ascii").removesuffix("\n")))
        except (UnicodeDecodeError, MalformedNote):
            return NotCosigned(409, "a size that is no number")
    return NotCosigned(answer.status, answer.body[:200].decode("utf-8", "replace").strip())


def _cosignature(body: bytes, witness: VerifierKey, note: bytes) -> Cosigned | NotCosigned:
    """The line of this witness among those of the answer; other lines are its other keys and ignored."""
    text = note.decode().rpartition("\n\n")[0] + "\n"
    try:
        for line in body.decode().splitlines(keepends=True):
            signature = Signature.parse(line)
            if (signature.name, signature.key_id) == (witness.name, witness.key_id):
                at = witness.verify(text, signature.raw)
                if at is not None:
                    return Cosigned(signature, at)
    except (UnicodeDecodeError, MalformedNote, NotSigned) as error:
        return NotCosigned(200, str(error))
    return NotCosigned(200, "no line of this witness")


def held_by(
    url: str,
    log: VerifierKey,
    witness: VerifierKey,
    *,
    timeout: float = 5.0,
    tls: ssl.SSLContext | None = None,
) -> Checkpoint | None:
    """What the witness says on its monitoring path that it holds; None when it holds nothing yet.

    :raises Unreachable: no whole answer, or one that is neither a checkpoint nor "none"
    :raises NotSigned: a checkpoint that log or witness did not sign
    """
    digest = hashlib.sha256(log.name.encode()).hexdigest()
    answer = send("GET", f"{url.rstrip('/')}/{digest}/checkpoint", timeout=timeout, tls=tls, max_bytes=65_536)
    if answer.status == 404:
        return None
    if answer.status != 200:
        raise Unreachable(f"monitoring answered {answer.status}")
    try:
        checkpoint, opened = open_checkpoint(answer.body, log, others=(witness,))
    except MalformedNote as error:
        raise Unreachable(f"monitoring answered no checkpoint: {error}") from error
    if opened.by(witness) is None:
        raise NotSigned("the witness did not sign what it holds")
    return checkpoint
