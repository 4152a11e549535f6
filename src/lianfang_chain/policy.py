"""Whom to trust, as one file (C2SP tlog-policy draft): logs, witnesses, groups of them, one quorum.

    log <vkey> [url]
    witness <name> <vkey> [url]
    group <name> all|any|<k> <member>...
    quorum <name>|none

Names are defined before they are used, a name is a member of one group at most, and groups stand within each other no
deeper than 16. A paper proof names its
witnesses by their place in this file, counted from 1, so lines are only ever added at the end.

A witness whose key another took the place of keeps its line, and a comment says since which entry of the chain:

    # entry <index> of <day>: <name> took the place of <name>

A checkpoint that does not hold that entry yet is judged by the witnesses before it, so one file is enough for old
papers and new ones. Other people's software passes over comments and judges by the newest witnesses alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from typing import Final

from .note import COSIGNATURE, ED25519, VerifierKey, decimal

__all__ = ["Change", "Group", "MalformedPolicy", "Policy", "Witness"]

MAX_BYTES: Final = 65_536
#: Groups within groups. Reading goes down them by recursion, and thousands would fit into the bytes.
MAX_DEPTH: Final = 16
NONE: Final = "none"
_CHANGE: Final = re.compile(
    r"# entry (0|[1-9][0-9]{0,14}) of ([0-9]{4}-[0-9]{2}-[0-9]{2}): (\S+) took the place of (\S+)"
)


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
class Change:
    """One witness took the place of another, as the entry `index` of the chain says."""

    index: int
    day: str
    name: str
    before: str

    def __str__(self) -> str:
        return f"# entry {self.index} of {self.day}: {self.name} took the place of {self.before}"


@dataclass(frozen=True, slots=True)
class Policy:
    logs: tuple[tuple[VerifierKey, str], ...]
    witnesses: tuple[Witness, ...]
    groups: Mapping[str, Group]
    quorum: str
    changes: tuple[Change, ...] = ()

    @property
    def keys(self) -> tuple[VerifierKey, ...]:
        return tuple(w.key for w in self.witnesses)

    @property
    def asks_nobody(self) -> bool:
        """Whether this file is content with the log's word alone."""
        return self.quorum == NONE

    def log_of(self, origin: str) -> VerifierKey | None:
        return next((key for key, _ in self.logs if key.name == origin), None)

    def changed_after(self, size: int) -> Change | None:
        """The first change that a checkpoint of so many entries does not hold; None where today's witnesses judge it."""
        return next((change for change in self.changes if size <= change.index), None)

    def at(self, size: int) -> Policy:
        """Who judges a checkpoint of so many entries: those in office when it was signed."""
        policy = self
        for change in reversed(self.changes):
            if size <= change.index:
                policy = policy._before(change)
        return policy

    def _before(self, change: Change) -> Policy:
        def was(name: str) -> str:
            return change.before if name == change.name else name

        return replace(
            self,
            witnesses=tuple(w for w in self.witnesses if w.name != change.name),
            groups={
                name: Group(name, group.needed, tuple(map(was, group.members)))
                for name, group in self.groups.items()
            },
            quorum=was(self.quorum),
            changes=tuple(c for c in self.changes if c.index < change.index),
        )

    def met_by(self, witnesses: Set[str]) -> bool:
        """Whether these witnesses (by their names in the file) are a quorum."""
        return self.asks_nobody or self._met(self.quorum, witnesses)

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
            try:
                if said := _CHANGE.fullmatch(line):
                    index, day, name, before = said.groups()
                    reader.change(Change(int(index), day, name, before))
                elif words and not words[0].startswith("#"):
                    reader.take(words)
            except ValueError as error:  # of ours, or MalformedNote of a key
                raise MalformedPolicy(f"line {number}: {error}") from error
        return reader.policy()


class _Reader:
    def __init__(self) -> None:
        self.logs: list[tuple[VerifierKey, str]] = []
        self.witnesses: dict[str, Witness] = {}
        self.groups: dict[str, Group] = {}
        self.depth: dict[str, int] = {}
        self.members: set[str] = set()
        self.quorum: str | None = None
        self.changes: list[Change] = []

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

    def change(self, change: Change) -> None:
        if not {change.name, change.before} <= self.witnesses.keys() or change.name == change.before:
            raise MalformedPolicy("a change of witnesses that are not defined above")
        # What left stays away, and what came counts: else the witnesses of an earlier time are not known.
        if change.before in self.members or change.before == self.quorum:
            raise MalformedPolicy(f"{change.before} has left and counts")
        if self.changes and change.index <= self.changes[-1].index:
            raise MalformedPolicy("changes out of order")
        if any(change.name == c.name or change.before == c.before for c in self.changes):
            raise MalformedPolicy("one witness comes or leaves twice")
        self.changes.append(change)

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
        self.depth[name] = 1 + max(self.depth.get(member, 0) for member in members)
        if self.depth[name] > MAX_DEPTH:
            raise MalformedPolicy("groups too deep within each other")
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
        if self.changes and len(self.logs) > 1:
            raise MalformedPolicy("a change, and more than one log whose entries it might count")
        return Policy(
            tuple(self.logs),
            tuple(self.witnesses.values()),
            dict(self.groups),
            self.quorum,
            tuple(self.changes),
        )
