"""Pure rules on messages: what they may say, what may be kept about them, when they are late."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Undelivered for so long after it was owed, a message is somebody's task (O-10).
TASK_AFTER: Final = timedelta(hours=2)

#: A template is named by its room and what it tells: `orders/isolation_notice`.
_TEMPLATE: Final = re.compile(r"[a-z_]{1,40}/[a-z0-9_]{1,60}")
_FACT_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
#: An id or a short code. No Chinese, no blank: a name or an address does not fit in.
_FACT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
#: Telephone and citizen numbers are long runs of digits; ids of ours are not.
_NUMBER_OF_A_PERSON: Final = re.compile(r"(?<![0-9a-fA-F-])\d{7,}[Xx]?(?![0-9a-fA-F-])")


class Means(StrEnum):
    """How a message reached somebody, or failed to."""

    PAGE = "page"
    WECHAT = "wechat"
    SMS = "sms"
    CALL = "call"
    PAPER = "paper"
    READ_ALOUD = "read_aloud"


class Outcome(StrEnum):
    """What came of one attempt."""

    DELIVERED = "delivered"
    FAILED = "failed"


def text(lang: str, *, office: str, phone: str) -> str:
    """What a telephone shows of any message, whoever looks at it (T45).

    It depends on nothing that the message is about: not on its template, not on its facts.
    """
    if lang == "en":
        return f"A notice waits for you. Open lianfang, or call {office}: {phone}."
    return f"您有一份通知待查看。请打开联防联控页面，或致电{office}：{phone}。"


def is_template(name: str) -> bool:
    """Whether it is a name that a message can carry."""
    return _TEMPLATE.fullmatch(name) is not None


def holds_ids_only(facts: Mapping[str, str]) -> bool:
    """Whether the facts are ids and codes, so that a leaked table tells nobody anything."""
    return all(
        _FACT_NAME.fullmatch(name) and _FACT.fullmatch(value) and not _NUMBER_OF_A_PERSON.search(value)
        for name, value in facts.items()
    )


def needs_a_person(*, owed_at: datetime, due_by: datetime, at: datetime) -> bool:
    """Whether an undelivered message is now a task: past its hour, or past two hours, whichever is first."""
    return at >= min(due_by, owed_at + TASK_AFTER)
