"""The witnesses as configured, and the trust files made of them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from django.conf import settings

from lianfang_chain.note import VerifierKey
from lianfang_chain.policy import Policy

from . import keys
from .policy import WitnessKey, policy_text, strict_policy_text

if TYPE_CHECKING:
    from collections.abc import Mapping


def witnesses() -> tuple[WitnessKey, ...]:
    """Those of `settings.LIANFANG_WITNESSES`: name, vkey, url and, if it is not all of them, places."""
    return tuple(_witness(w) for w in settings.LIANFANG_WITNESSES)


def _witness(words: Mapping[str, str]) -> WitnessKey:
    places = tuple(words.get("places", "").split(",")) or ("",)
    return WitnessKey(words["name"], VerifierKey.parse(words["vkey"]), words["url"], places)


def text() -> str:
    """The policy file of this installation."""
    return policy_text(keys.log_signer().key, witnesses())


def strict_text() -> str:
    """The stricter file for auditors."""
    return strict_policy_text(keys.log_signer().key, witnesses())


def policy() -> Policy:
    """The policy file, parsed."""
    return _parsed(text())


@lru_cache(maxsize=8)
def _parsed(content: str) -> Policy:
    return Policy.parse(content)
