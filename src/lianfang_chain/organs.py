"""The organs' signing keys as one list that the log signs, so that everybody can check whose act an entry is.

    lianfang-organs/v1
    <origin>
    organ <code> <vkey> <index>
    organ <code> <vkey> <index> <name>[ | <name in English>]

A signed note (the first line keeps it apart from a checkpoint). `index` is the entry that announced the key, signed
by the key itself, and its terms say the same name; keys that were announced before there were names have none. Lines
are only ever added: a key that was replaced still vouches for what stands before the announcement of the next one, under
the name it had. Behind it, it vouches for nothing: it may have been stolen, which is why keys are replaced.

KNOWN: a list has at most 131,072 bytes, which is some 600 keys.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final

from .entry import Entry, key_id, organ_key_name
from .note import ED25519, MalformedNote, NotSigned, Signer, VerifierKey, decimal, open_note
from .policy import Policy

__all__ = ["Organ", "Organs", "SignedBy", "listed_name"]

FIRST_LINE: Final = "lianfang-organs/v1"
MAX_LIST_BYTES: Final = 131_072
_BETWEEN: Final = " | "


@dataclass(frozen=True, slots=True)
class Organ:
    code: str
    key: VerifierKey
    index: int  # of the entry that announced it
    name: str = ""
    name_en: str = ""

    def __str__(self) -> str:
        return " ".join(("organ", self.code, str(self.key), str(self.index), *self._names))

    @property
    def _names(self) -> tuple[str, ...]:
        return (_BETWEEN.join(filter(None, (self.name, self.name_en))),) if self.name else ()

    @property
    def called(self) -> str:
        """Its name in both languages, its code behind it; the code alone where no name was announced."""
        return (
            f"{' / '.join(filter(None, (self.name, self.name_en)))} ({self.code})" if self.name else self.code
        )


@dataclass(frozen=True, slots=True)
class SignedBy:
    """Whose key signed an entry. `replaced` is the key that had been announced in its place before the entry: then it is
    not known whether the organ signed. Where none was, the organ did."""

    organ: Organ
    replaced: Organ | None = None


def listed_name(name: str) -> str:
    """A name as it may stand in a line: in normal form C, on one line, without what parts the two."""
    shown = "".join(c if c.isprintable() else " " for c in unicodedata.normalize("NFC", name))
    return " ".join(shown.replace("|", "/").split())


@dataclass(frozen=True, slots=True)
class Organs:
    origin: str
    organs: tuple[Organ, ...]

    @property
    def text(self) -> str:
        return "\n".join([FIRST_LINE, self.origin, *map(str, self.organs)]) + "\n"

    def signed(self, log: Signer) -> bytes:
        return f"{self.text}\n{log.sign(self.text).line}".encode()

    @classmethod
    def open(cls, data: bytes, policy: Policy) -> Organs:
        """:raises MalformedNote: not such a list
        :raises NotSigned: no log of the policy signed it
        """
        opened = open_note(data, tuple(key for key, _ in policy.logs), most=MAX_LIST_BYTES)
        first, _, rest = opened.text.partition("\n")
        origin, _, lines = rest.partition("\n")
        if first != FIRST_LINE:
            raise MalformedNote("not a list of organs")
        if all(v.key.name != origin for v in opened.verified):
            raise NotSigned("the list of another log")
        return cls(origin, tuple(_organ(origin, line) for line in lines.split("\n")[:-1]))

    def signer_of(self, entry: Entry, index: int | None) -> SignedBy | None:
        """Whose key signed the entry at this place; None when this list does not have the key, so nothing is known of it.

        Without an index the entry has no place yet, which will be behind all that this list names.

        :raises NotSigned: the signature is wrong, or the key is another organ's than the entry names
        """
        organ = next((o for o in self.organs if key_id(o.key.public) == entry.key_id), None)
        if organ is None:
            return None
        entry.verify(organ.key)
        if organ.code != entry.act.organ:
            raise NotSigned(f"signed by {organ.code}, and it names {entry.act.organ}")
        behind = (
            o
            for o in self.organs
            if o.code == organ.code and organ.index < o.index and (index is None or o.index < index)
        )
        return SignedBy(organ, min(behind, key=lambda o: o.index, default=None))

    def continues(self, earlier: Organs) -> bool:
        """Whether every line of the earlier list stands in this one."""
        return set(earlier.organs) <= set(self.organs)


def _organ(origin: str, line: str) -> Organ:
    match line.split(" "):
        case ["organ", code, vkey, index, *words]:
            key = VerifierKey.parse(vkey)
            if key.key_type != ED25519 or key.name != organ_key_name(origin, code):
                raise MalformedNote("not the key of an organ")
            names = " ".join(words).split(_BETWEEN) if words else []
            if "" in words or len(names) > 2 or any("|" in name for name in names):
                raise MalformedNote("not the name of an organ")
            return Organ(code, key, decimal(index), *names)
    raise MalformedNote("not an organ line")
