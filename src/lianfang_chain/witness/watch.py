"""What the log publishes, looked at by the witness itself: do the others sign, and is this computer's clock right?

A witness that is asked and answers sees nothing wrong while the other two are down, and its people are one of the three
parties that must know within a minute. So it reads the published checkpoint as anybody can, and counts the lines that
it can verify under the trust file.

KNOWN: without `--policy` the trust file is the log's own word, and a log that names false witnesses hides that the true
ones are silent. With a file that was handed over on paper or on a stick it cannot.
"""

from __future__ import annotations

import logging
import ssl
import threading
from typing import TYPE_CHECKING, Final

from lianfang_chain.checkpoint import open_checkpoint
from lianfang_chain.client import Response, Unreachable, send
from lianfang_chain.note import MalformedNote, NotSigned
from lianfang_chain.policy import MalformedPolicy, Policy

if TYPE_CHECKING:
    from .judge import Witness

__all__ = ["EVERY_SECONDS", "Watch"]

EVERY_SECONDS: Final = 15.0
_MOST: Final = 65_536
log = logging.getLogger("lianfang.witness")


class Watch:
    """Looks again and again, and sets what it saw on the witness's lights."""

    def __init__(
        self, witness: Witness, url: str, *, policy: str = "", tls: ssl.SSLContext | None = None
    ) -> None:
        self._witness, self._url, self._policy, self._tls = witness, url.rstrip("/"), policy, tls

    def run(self, stop: threading.Event) -> None:
        """Look until told to stop."""
        while not stop.wait(EVERY_SECONDS):
            self.look()

    def look(self) -> None:
        """One look. What cannot be fetched or read says nothing: then the witness is not asked either, or the log is at fault."""
        try:
            self._look()
        except (Unreachable, MalformedNote, NotSigned, MalformedPolicy, UnicodeDecodeError) as error:
            log.info("the published checkpoint was not read: %s", error)

    def _look(self) -> None:
        lights, now = self._witness.lights, self._witness.now
        answer = self._get("checkpoint")
        if answer.at is not None:
            lights.clock_off = now() - answer.at
        if answer.status != 200:
            return
        policy = Policy.parse(self._policy or self._get("policy.txt").body.decode())
        if self._witness.signer.key not in policy.keys:
            return  # not entered yet, so nothing here is about us
        _, opened = open_checkpoint(answer.body, self._witness.store.log, others=policy.keys)
        signed = {w.name for w in policy.witnesses if opened.by(w.key) is not None}
        if policy.met_by(signed):
            lights.alone_since, lights.not_signed = None, ()
            return
        members = {name for group in policy.groups.values() for name in group.members}
        lights.not_signed = tuple(w.name for w in policy.witnesses if w.name in members - signed)
        lights.alone_since = lights.alone_since or now()

    def _get(self, name: str) -> Response:
        return send("GET", f"{self._url}/{name}", tls=self._tls, max_bytes=_MOST)
