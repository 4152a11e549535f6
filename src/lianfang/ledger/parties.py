"""The witnesses as configured, and the trust files made of them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from django.conf import settings

from lianfang_chain.note import VerifierKey
from lianfang_chain.policy import Policy

from . import keys
from .policy import WitnessKey, places_named, policy_text, strict_policy_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def witnesses() -> tuple[WitnessKey, ...]:
    """Those that are asked and counted."""
    return tuple(w for w in known() if not w.retired)


def known() -> tuple[WitnessKey, ...]:
    """Those of `settings.LIANFANG_WITNESSES`, retired keys too: name, vkey, url and, if it is not all of them, places."""
    return tuple(_witness(w) for w in settings.LIANFANG_WITNESSES)


def _witness(words: Mapping[str, str]) -> WitnessKey:
    places = places_named(words) or ("",)
    key = VerifierKey.parse(words["vkey"])
    return WitnessKey(words["name"], key, words.get("url", ""), places, retired="retired" in words)


def text(among: Sequence[WitnessKey] | None = None) -> str:
    """The policy file of this installation; with `among`, as it was when these were its witnesses."""
    return policy_text(keys.log_key(), known() if among is None else among)


def strict_text(among: Sequence[WitnessKey] | None = None) -> str:
    """The stricter file for auditors."""
    return strict_policy_text(keys.log_key(), known() if among is None else among)


def policy(among: Sequence[WitnessKey] | None = None) -> Policy:
    """The policy file, parsed."""
    return parsed(text(among))


@lru_cache(maxsize=8)
def parsed(content: str) -> Policy:
    """A trust file, parsed; there are few, and each is asked for with every proof."""
    return Policy.parse(content)
