"""A pass as the paper card that is printed of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lianfang.kernel.clock import legal_day
from lianfang.messaging.papers import PassCard, Words
from lianfang_pass import base45

from .labels import CLASSES

if TYPE_CHECKING:
    from lianfang.credentials.queries import PassView
    from lianfang.messaging.papers import Lang


def pass_card(
    found: PassView, token: bytes, *, community: str, phone: str, lang: Lang, demo: bool
) -> PassCard:
    """The card of one pass; `phone` is the community's."""
    return PassCard(
        token=base45.to_text(token),
        pass_no=found.pass_no,
        door=found.door,
        initials=found.initials,
        kind=Words(str(CLASSES[found.kind])),
        valid_from=legal_day(found.valid_from),
        valid_until=legal_day(found.valid_until),
        community=community,
        community_phone=phone,
        lang=lang,
        demo=demo,
    )
