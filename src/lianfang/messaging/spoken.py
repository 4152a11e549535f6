"""The sentences of the sheet that is read aloud, and how long a calm voice needs for them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from lianfang.kernel.clock import LEGAL_ZONE, legal_day

if TYPE_CHECKING:
    from datetime import datetime

    from .papers import SpokenSheet

#: Seconds in which the sheet must have been read.
MINUTE: Final = 60

#: Characters a calm reader speaks in a minute. Every digit is spoken, marks are not.
CHARACTERS_A_MINUTE: Final = 240

MONTHS: Final = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


def seconds_zh(lines: tuple[str, ...]) -> int:
    """How long the Chinese sentences take, rounded up."""
    spoken = sum(c.isalnum() for line in lines for c in line)
    return -(-spoken * 60 // CHARACTERS_A_MINUTE)


def chinese(sheet: SpokenSheet) -> tuple[str, ...]:
    """One idea a line, the end before the prohibition."""
    return (
        f"{sheet.address}，您好。请您先在家住着，{_until_zh(sheet.ends_at)}。",
        f"{_moment_zh(sheet.ends_at)}起，您就能出门了，不用谁批准。",
        f"{sheet.reason.zh}，所以{sheet.organ.zh}这样决定。",
        f"从{_day_zh(sheet.starts_at)}到那时，请不要出门，早晚各量一次体温。",
        f"买菜、买药、看病，打{sheet.helper.zh}的电话：{sheet.helper_phone}。",
        "发烧、喘不过气，打120。着火、地震，马上出去，不算违规。",
        f"不同意这个决定，打{sheet.object_phone}，提了不会加重。",
    )


def english(sheet: SpokenSheet) -> tuple[str, ...]:
    """The same sentences for somebody who does not speak Chinese."""
    end = sheet.ends_at.astimezone(LEGAL_ZONE)
    return (
        f"Hello. Please stay at home until {_moment_en(sheet.ends_at)}.",
        f"From {end:%H:%M} on {_day_en(sheet.ends_at)} you may go out. Nobody has to approve it.",
        f"{_capital(sheet.organ.en or sheet.organ.zh)} decided so because {sheet.reason.en or sheet.reason.zh}.",
        f"From {_day_en(sheet.starts_at)} until then please do not go out. Take your temperature twice a day.",
        f"For food, medicine or a doctor call {sheet.helper.en or sheet.helper.zh}: {sheet.helper_phone}.",
        "With fever or short breath call 120. In fire or earthquake go out at once.",
        f"If you disagree, call {sheet.object_phone}. Objecting never makes it harsher.",
    )


def _is_midnight(at: datetime) -> bool:
    local = at.astimezone(LEGAL_ZONE)
    return (local.hour, local.minute) == (0, 0)


def _day_zh(at: datetime) -> str:
    day = legal_day(at)
    return f"{day.month}月{day.day}日"


def _until_zh(end: datetime) -> str:
    if _is_midnight(end):
        return f"住满{_day_zh(end - timedelta(minutes=1))}这一天"
    return f"住到{_moment_zh(end)}"


def _moment_zh(at: datetime) -> str:
    if _is_midnight(at):
        return f"{_day_zh(at)}零点"
    local = at.astimezone(LEGAL_ZONE)
    minutes = f"{local.minute}分" if local.minute else "整"
    return f"{_day_zh(at)}{local.hour}点{minutes}"


def _day_en(at: datetime) -> str:
    day = legal_day(at)
    return f"{day.day} {MONTHS[day.month - 1]}"


def _moment_en(end: datetime) -> str:
    if _is_midnight(end):
        return f"the end of {_day_en(end - timedelta(minutes=1))}"
    return f"{end.astimezone(LEGAL_ZONE):%H:%M} on {_day_en(end)}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
