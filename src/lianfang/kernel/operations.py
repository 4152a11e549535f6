"""How a room describes what machines may ask of it: `X/api.py` holds `OPERATIONS`, `config.openapi` collects them.

Only what the code cannot say by itself is written down: the path of a Django view, its arguments, audience,
purpose and classes come from the registry of addresses.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from .surfaces import Rate, Repeat

if TYPE_CHECKING:
    from collections.abc import Mapping

Proof = Literal["none", "device", "witness", "session"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What is sent or answered.

    :ivar media: the content type
    :ivar says: what it is, in Chinese and English
    :ivar shape: CDDL (RFC 8610) of a CBOR body, or of the claims of a signed one
    :ivar type: the class a JSON body is parsed with or made of
    :ivar schema: the schema of a JSON body that no class of ours stands for
    """

    media: str
    says: str
    shape: str = ""
    type: type[object] | None = None
    schema: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One thing a machine may ask.

    :ivar name: unique, in the form of a function's name
    :ivar says: one line, Chinese and English
    :ivar view: name of the URL, for a Django view
    :ivar path: template of the path, for an address outside Django; its arguments are UUIDs if listed in `uuids`
    :ivar answers: status → body, or one line where there is none to read
    :ivar query: name → (schema, says)
    :ivar headers: headers of the request → says
    :ivar proof: how the caller proves who it is
    """

    name: str
    says: str
    method: Literal["get", "post"] = "get"
    view: str = ""
    path: str = ""
    uuids: frozenset[str] = frozenset()
    takes: Body | None = None
    answers: Mapping[int, Body | str]
    query: Mapping[str, tuple[Mapping[str, object], str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    proof: Proof = "none"
    rate: Rate = Rate.DEVICE
    repeat: Repeat = Repeat.READS
