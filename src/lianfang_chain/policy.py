"""Whom to trust, as one file (C2SP tlog-policy draft): logs, witnesses, groups of them, one quorum.

    log <vkey> [url]
    witness <name> <vkey> [url]
    group <name> all|any|<k> <member>...
    quorum <name>|none

Names are defined before they are used, and a name is a member of one group at most. A paper proof names its
witnesses by their place in this file, counted from 1, so lines are only ever added at the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Final

from .note import COSIGNATURE, ED25519, VerifierKey, decimal

__all__ = ["Group", "MalformedPolicy", "Policy", "Witness"]

MAX_BYTES: Final = 65_536
NONE: Final = "none"


class MalformedPolicy(ValueError):
    """The file does not say clearly whom to trust, so nobody is trusted."""


@dataclass(frozen=True, slots=True)
class Witness:
    name: str
    key: VerifierKey
    url: str


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    needed: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    logs: tuple[tuple[VerifierKey, str], ...]
    witnesses: tuple[Witness, ...]
    groups: Mapping[str, Group]
    quorum: str

    @property
    def keys(self) -> tuple[VerifierKey, ...]:
        return tuple(w.key for w in self.witnesses)

    def log_of(self, origin: str) -> VerifierKey | None:
        return next((key for key, _ in self.logs if key.name == origin), None)

    def met_by(self, witnesses: Set[str]) -> bool:
        """Whether these witnesses (by their names in the file) are a quorum."""
        return self.quorum == NONE or self._met(self.quorum, witnesses)

    def _met(self, name: str, witnesses: Set[str]) -> bool:
        group = self.groups.get(name)
        if group is None:
            return name in witnesses
        return sum(self._met(member, witnesses) for member in group.members) >= group.needed

    @classmethod
    def parse(cls, text: str) -> Policy:
        """:raises MalformedPolicy: naming the line"""
        if len(text) > MAX_BYTES:
            raise MalformedPolicy("too long")
        reader = _Reader()
        for number, line in enumerate(text.split("\n"), start=1):
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            try:
                reader.take(words)
            except ValueError as error:  # of ours, or MalformedNote of a key
                raise MalformedPolicy(f"line {number}: {error}") from error
        return reader.policy()


class _Reader:
    def __init__(self) -> None:
        self.logs: list[tuple[VerifierKey, str]] = []
        self.witnesses: dict[str, Witness] = {}
        self.groups: dict[str, Group] = {}
        self.members: set[str] = set()
        self.quorum: str | None = None

    def take(self, words: list[str]) -> None:
        match words:
            case ["log", vkey, *url] if len(url) <= 1:
                self._log(vkey, "".join(url))
            case ["witness", name, vkey, *url] if len(url) <= 1:
                self._witness(name, vkey, "".join(url))
            case ["group", name, needed, *members] if members:
                self._group(name, needed, members)
            case ["quorum", name]:
                if self.quorum is not None:
                    raise MalformedPolicy("a second quorum")
                if name != NONE:
                    self._defined(name)
                self.quorum = name
            case _:
                raise MalformedPolicy("not a log, witness, group or quorum line")

    def _log(self, vkey: str, url: str) -> None:
        key = VerifierKey.parse(vkey)
        if key.key_type != ED25519:
            raise MalformedPolicy("a log signs with a key of type 1")
        if any(known == key for known, _ in self.logs):
            raise MalformedPolicy("a log named twice")
        self.logs.append((key, url))

    def _witness(self, name: str, vkey: str, url: str) -> None:
        self._new(name)
        key = VerifierKey.parse(vkey)
        if key.key_type != COSIGNATURE:
            raise MalformedPolicy("a witness cosigns with a key of type 4")
        # Two names for one key would let one party be counted twice.
        if any(w.key.public == key.public for w in self.witnesses.values()):
            raise MalformedPolicy("one key under two names")
        self.witnesses[name] = Witness(name, key, url)

    def _group(self, name: str, needed: str, members: list[str]) -> None:
        self._new(name)
        if len(set(members)) != len(members):
            raise MalformedPolicy("a member named twice")
        for member in members:
            self._defined(member)
            if member in self.members:
                raise MalformedPolicy(f"{member} is a member of another group already")
        count = {"all": len(members), "any": 1}.get(needed)
        if count is None:
            count = decimal(needed)
            if not 1 <= count <= len(members):
                raise MalformedPolicy("more needed than there are, or none")
        self.members.update(members)
        self.groups[name] = Group(name, count, tuple(members))

    def _new(self, name: str) -> None:
        if name == NONE or name in self.witnesses or name in self.groups:
            raise MalformedPolicy(f"the name {name} is taken")

    def _defined(self, name: str) -> None:
        if name not in self.witnesses and name not in self.groups:
            raise MalformedPolicy(f"{name} is not defined above")

    def policy(self) -> Policy:
        if not self.logs:
            raise MalformedPolicy("no log")
        if self.quorum is None:
            raise MalformedPolicy("no quorum line")
        return Policy(tuple(self.logs), tuple(self.witnesses.values()), dict(self.groups), self.quorum)
