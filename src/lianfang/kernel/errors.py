"""Refusals: what an act says when it does not do what was asked.

A refusal is for the person in front of the screen; its sentence is looked up by `code` in the
room's `sentences.py`. Anything else that goes wrong is our fault and is not caught.
"""

from __future__ import annotations

from typing import ClassVar


class Refused(Exception):
    """An act was refused; nothing was written.

    :ivar code: `context:what`, the key of the sentence shown
    :ivar facts: values the sentence may name; never personal data
    """

    code: ClassVar[str] = "kernel:refused"

    def __init__(self, **facts: str | int) -> None:
        super().__init__(self.code, facts)
        self.facts: dict[str, str | int] = facts

    def __str__(self) -> str:
        return f"{self.code} {self.facts}" if self.facts else self.code


class NotFound(Refused):
    """There is no such thing, or it lies outside the reader's area: both look the same (A-2)."""

    code = "kernel:not_found"


class NotAllowed(Refused):
    """The actor holds no office that allows this here."""

    code = "kernel:not_allowed"


class SameIdOtherContent(Refused):
    """The client's id was used before, for something else. The earlier content stands."""

    code = "kernel:same_id_other_content"
