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
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

from .checkpoint import Checkpoint, open_checkpoint
from .evidence import ForkEvidence
from .note import MalformedNote, NotSigned, Signature, VerifierKey, decimal
from .reading import VALID_SECONDS
from .submission import AddCheckpoint
from .tree import NotProved

__all__ = [
    "CLOCK_SECONDS",
    "Behind",
    "ClockOff",
    "Cosigned",
    "NotCosigned",
    "Response",
    "Unreachable",
    "add_checkpoint",
    "fork_evidence_of",
    "held_by",
    "held_note",
    "send",
]

MAX_ANSWER: Final = 1 << 26  # a full entry bundle has at most 16 MiB
SIZE_TYPE: Final = "text/x.tlog.size"
#: So far a witness's clock may be from ours. Papers print the instant of a cosignature as "seen by", and one that is
#: further off could not read the entries either, which it must before it cosigns (`reading`).
CLOCK_SECONDS: Final = VALID_SECONDS


class Unreachable(OSError):
    """No whole answer came: refused, timed out, cut off or too long."""


@dataclass(frozen=True, slots=True)
class Response:
    """:ivar at: what the server's clock said (POSIX seconds), None where it did not say"""

    status: int
    body: bytes
    content_type: str
    at: int | None = None


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
    connection: http.client.HTTPConnection
    try:
        parts = urlsplit(url)
        if parts.scheme == "https":
            context = tls or ssl.create_default_context()
            connection = http.client.HTTPSConnection(parts.netloc, timeout=timeout, context=context)
        elif parts.scheme == "http":
            connection = http.client.HTTPConnection(parts.netloc, timeout=timeout)
        else:
            raise Unreachable(f"not an http address: {url}")
    except (http.client.HTTPException, ValueError) as error:  # a port that is no number, half a bracket
        raise Unreachable(f"not an http address: {url}: {error}") from error
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
    at = _instant(response.headers.get("Date", ""))
    return Response(response.status, content, response.headers.get_content_type(), at)


def _instant(date: str) -> int | None:
    try:
        return int(parsedate_to_datetime(date).timestamp())
    except (ValueError, OverflowError, OSError):
        return None


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


@dataclass(frozen=True, slots=True)
class ClockOff:
    """It cosigned at an instant that is not now. The line is no use: it would say when it was seen, and lie.

    :ivar seconds: how far its clock is ahead of ours; behind, if negative
    """

    seconds: int


def add_checkpoint(
    url: str,
    witness: VerifierKey,
    *,
    old: int,
    proof: Sequence[bytes],
    note: bytes,
    now: int,
    timeout: float = 5.0,
    tls: ssl.SSLContext | None = None,
) -> Cosigned | Behind | NotCosigned | ClockOff:
    """Ask for a cosignature of the checkpoint in `note`.

    :param now: our clock; a cosignature of more than `CLOCK_SECONDS` before or after is none
    :raises Unreachable: no whole answer; the witness may have stored it all the same, and asking again is safe
    """
    body = bytes(AddCheckpoint(old, tuple(proof), note))
    answer = send(
        "POST", f"{url.rstrip('/')}/add-checkpoint", body=body, timeout=timeout, tls=tls, max_bytes=65_536
    )
    if answer.status == 200:
        cosigned = _cosignature(answer.body, witness, note)
        if isinstance(cosigned, Cosigned) and abs(cosigned.at - now) > CLOCK_SECONDS:
            return ClockOff(cosigned.at - now)
        return cosigned
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
    """What the witness says on its monitoring path that it holds; see `held_note`."""
    found = held_note(url, log, witness, timeout=timeout, tls=tls)
    return found[0] if found else None


def held_note(
    url: str,
    log: VerifierKey,
    witness: VerifierKey,
    *,
    timeout: float = 5.0,
    tls: ssl.SSLContext | None = None,
) -> tuple[Checkpoint, bytes] | None:
    """The same with the signed note, which shows it to others; None when it holds nothing yet.

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
    return checkpoint, answer.body


def fork_evidence_of(
    url: str, log: VerifierKey, *, timeout: float = 5.0, tls: ssl.SSLContext | None = None
) -> str | None:
    """The evidence of a fork that the witness offers, if it is one: what it says of it counts for nothing.

    :raises Unreachable: no whole answer
    """
    answer = send(
        "GET", f"{url.rstrip('/')}/fork-evidence.txt", timeout=timeout, tls=tls, max_bytes=3 * 65_536
    )
    if answer.status != 200:
        return None
    try:
        text = answer.body.decode()
        ForkEvidence.parse(text).verify(log)
    except (UnicodeDecodeError, MalformedNote, NotSigned, NotProved):
        return None
    return text
