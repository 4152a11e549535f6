"""The sentence for a refusal, in the reader's language: what was refused, and what to do now."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from django.apps import apps
from django.utils.translation import gettext

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django_stubs_ext import StrPromise

    from lianfang.kernel.errors import Refused


@cache
def sentences() -> Mapping[str, StrPromise]:
    """The sentences of all installed rooms, from their `sentences.py`.

    :raises AssertionError: two rooms have a sentence for one code
    """
    collected: dict[str, StrPromise] = {}
    for config in apps.get_app_configs():
        name = f"{config.name}.sentences"
        if not config.name.startswith("lianfang.") or find_spec(name) is None:
            continue
        own: Mapping[str, StrPromise] = import_module(name).SENTENCES
        assert not collected.keys() & own.keys(), f"two sentences for {collected.keys() & own.keys()}"
        collected.update(own)
    return collected


def sentence(refusal: Refused) -> str:
    """What to tell the person in front of the screen.

    A fact the sentence names and the refusal lacks shows as a blank: a refusal must never become an error.
    """
    found = sentences().get(refusal.code)
    if found is None:
        return gettext("没有办成。请返回重试；仍不行请拨打社区电话。") + f"（{refusal.code}）"
    return str(found).format_map(_Blank(refusal.facts))


class _Blank(dict[str, "str | int"]):
    def __missing__(self, key: str) -> str:
        return "　"
