"""What guards decided otherwise about one's own pass, shown to the person (trust.md T07).

Rows stay sealed. Of a row in which a guard decided otherwise, and of no other, it is noted under which mark it lies: an
HMAC of the pass's `cti` whose key comes from the seal key, which no database holds. A copy of the database leads from no
pass to a row. Noted for as long as the row is kept. KNOWN: who was looked up by number or door leaves no `cti`, so that
stays with command's counts; and a household's card is shown to nobody, as one member would see another's ways.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from lianfang.credentials import queries as credentials

from .models import OverrideMark
from .opening import passage_of
from .policy import KEPT_FOR, OTHER_WORD, OVERRIDES

if TYPE_CHECKING:
    from collections.abc import Collection
    from uuid import UUID

    from cryptography.hazmat.primitives.asymmetric import ec

_PURPOSE: Final = b"lf-own-override/1"
_MARK_SIZE: Final = 16


@dataclass(frozen=True, slots=True)
class OwnOverride:
    at: datetime
    post: str
    kind: str  # of the post
    inward: bool
    verdict: str
    word: str
    guard: str


def _mark(cti: bytes, key: ec.EllipticCurvePrivateKey) -> bytes:
    private = key.private_numbers().private_value.to_bytes(32)
    own = hmac.digest(private, _PURPOSE, hashlib.sha256)
    return hmac.digest(own, cti, hashlib.sha256)[:_MARK_SIZE]


def mark_of(cti: bytes) -> bytes:
    """The mark of a pass, by the newest seal key."""
    return _mark(cti, credentials.private_key(credentials.seal_keys()[0]))


def of_person(person_id: UUID, *, at: datetime, limit: int = 50) -> list[OwnOverride]:
    """What guards decided otherwise in the last 21 days when a personal pass of theirs was shown, the newest first."""
    ctis = [p.cti for p in credentials.passes_of([person_id])]
    marks = [_mark(cti, credentials.private_key(key)) for key in credentials.seal_keys() for cti in ctis]
    rows = OverrideMark.objects.filter(mark__in=marks, received_at__gte=at - KEPT_FOR).select_related("gate")
    found = [shown for row in rows.order_by("-received_at", "-seq")[:limit] if (shown := _shown(row, ctis))]
    return sorted(found, key=lambda one: one.at, reverse=True)


def _shown(row: OverrideMark, ctis: Collection[bytes]) -> OwnOverride | None:
    passage = passage_of(row.device_id, row.seq, row.received_at)
    # What the row itself says decides: a mark is only the way to it.
    if passage is None or passage.override is None or passage.cti is None or passage.cti not in ctis:
        return None
    word = passage.override if passage.override in OVERRIDES else OTHER_WORD
    at = datetime.fromtimestamp(passage.at, UTC)
    return OwnOverride(
        at, row.gate.name, row.gate.kind, passage.inward, passage.verdict.value, word, passage.guard or ""
    )
