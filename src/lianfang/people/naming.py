"""Names of people: what is written, what is found by, what may be shown. Pure."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

from pypinyin import Style, lazy_pinyin

#: Surnames of two characters; of all others the first character is the surname.
_COMPOUND: Final = frozenset(
    [
        "欧阳",
        "上官",
        "司马",
        "诸葛",
        "东方",
        "皇甫",
        "尉迟",
        "公孙",
        "慕容",
        "令狐",
        "司徒",
        "长孙",
        "宇文",
        "夏侯",
        "轩辕",
        "端木",
        "百里",
        "呼延",
        "南宫",
        "独孤",
        "申屠",
        "太史",
        "闻人",
        "澹台",
        "公冶",
        "宗政",
        "濮阳",
        "淳于",
        "单于",
        "钟离",
        "鲜于",
        "闾丘",
        "司空",
        "亓官",
        "仉督",
        "子车",
        "颛孙",
        "巫马",
        "公西",
        "漆雕",
        "乐正",
        "壤驷",
        "公良",
        "拓跋",
        "夹谷",
        "宰父",
        "谷梁",
        "段干",
        "东郭",
        "南门",
        "西门",
        "第五",
    ]
)
#: Characters read otherwise as a surname than elsewhere.
_SURNAME_INITIAL: Final = {
    "单": "s", "曾": "z", "仇": "q", "区": "o", "查": "z", "解": "x", "盖": "g", "朴": "p", "尉": "y", "员": "y",
    "种": "c", "繁": "p", "乐": "y", "翟": "z", "覃": "q", "秘": "b", "冼": "x", "折": "s", "黑": "h", "缪": "m",
    "宓": "m", "召": "s", "隗": "w", "洗": "x", "重": "c", "晟": "c", "沈": "s", "石": "s", "卜": "b", "万": "w",
}  # fmt: skip
_ALLOWED: Final = re.compile(r"[^\W\d_]+(?:[·.' -][^\W\d_]+)*", re.UNICODE)


def tidy(text: str) -> str:
    """A name as stored: NFC, one kind of middle dot, no spaces between Chinese characters."""
    plain = unicodedata.normalize("NFC", text).replace("\u200b", "").strip()
    plain = re.sub(r"[•‧・･∙●．]", "·", plain)
    plain = re.sub(r"(?<=[^\x00-\x7f])\s+(?=[^\x00-\x7f])", "", plain)
    return re.sub(r"\s+", " ", plain)


def acceptable(name: str) -> bool:
    """Han, Latin and other letters, `·` for minority names; 2 to 50 characters (domain.md §3.0)."""
    return 2 <= len(name) <= 50 and _ALLOWED.fullmatch(name) is not None


def surname(name: str) -> str:
    """The family name where the writing shows it; of a minority or Latin name its first part."""
    if "·" in name or " " in name:
        return re.split("[· ]", name, maxsplit=1)[0]
    if len(name) > 2 and name[:2] in _COMPOUND:
        return name[:2]
    return name[:1] if not name.isascii() else name


def given(name: str) -> str:
    """What follows the surname: people search by it too. Without one, the name itself."""
    return name[len(surname(name)) :].lstrip("· ") or name


@lru_cache(maxsize=30_000)
def _initial(character: str) -> str:
    text = lazy_pinyin(character, style=Style.FIRST_LETTER, errors="default")[0][:1].lower()
    return text if text.isascii() and text.isalnum() else ""


def initials(name: str) -> str:
    """First letters of the pinyin syllables, lower case: 罗小娟 → lxj; a surname is read as a surname."""
    if not name:
        return ""
    if name.isascii():
        return "".join(part[0] for part in re.split(r"[ .'-]+", name) if part).lower()
    first = _SURNAME_INITIAL.get(name[0], "") if name[:2] not in _COMPOUND else ""
    rest = "".join(_initial(c) for c in name[1:] if c not in "· ")
    return (first or _initial(name[0])) + rest


def pass_initials(name: str) -> str:
    """The initials a guard compares: upper case, at most four. A name without any gets `?`."""
    return initials(name)[:4].upper() or "?"


def masked(name: str) -> str:
    """Surname and asterisks: 罗＊＊, 阿＊·＊＊. What lists show to those who need no name."""
    own = surname(name)
    shown = own if len(own) < len(name) and "·" not in name and " " not in name else name[:1]
    return shown + "".join(c if c in "· " else "＊" for c in name[len(shown) :])
