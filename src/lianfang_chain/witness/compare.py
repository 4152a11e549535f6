"""The board sheet against the own folder: has the log told this party the same story as the people before the board?

The sheet says a number of entries and the beginning of the root that the log had then. The folder holds the hash of every
entry, so the own root of that size is known without asking anybody.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import parse_qs

from lianfang_chain.tree import NotProved, consistency_proof, verify_consistency

from .page import document, groups, short_of
from .store import DamagedFolder

if TYPE_CHECKING:
    from .judge import Witness
    from .store import Store

__all__ = ["Compared", "compare_page", "compared"]

_SIZE: Final = re.compile(r"[1-9][0-9]{0,14}")
_SHORT: Final = re.compile(r"[0-9a-f]{16}")
#: The wide forms of the ASCII characters, U+FF01 to U+FF5E, one by one; nothing else counts as one of them.
_WIDE: Final = {0xFF01 + at: 0x21 + at for at in range(94)}
_FIELDS: Final = 8  # more of them are no form of ours

Kind = Literal["asked", "unreadable", "same", "other", "not_yet", "damaged"]


@dataclass(frozen=True, slots=True)
class Compared:
    kind: Kind
    size: int = 0
    own: str = ""  # the own fingerprint at that size, where it is another


def compared(store: Store, size: str, short: str) -> Compared:
    """Compare what somebody typed. A handful of hashes are read, whatever the size.

    The own root counts only if it leads to the root that was cosigned: a disk that changed a hash is damage, and no
    other story of the log.
    """
    typed, digits = _plain(size).replace(",", ""), _plain(short).lower()
    if not typed and not digits:
        return Compared("asked")
    if not _SIZE.fullmatch(typed) or not _SHORT.fullmatch(digits):
        return Compared("unreadable")
    wanted, held = int(typed), store.held
    if held is None or wanted > held.size:
        return Compared("not_yet", wanted)
    try:
        root = store.root_at(wanted)
        proof = consistency_proof(wanted, held.size, store)
        verify_consistency(wanted, held.size, root, held.root, proof)
    except (DamagedFolder, NotProved):
        return Compared("damaged", wanted)
    own = short_of(root)
    return Compared("same", wanted) if own == digits else Compared("other", wanted, own)


def _plain(text: str) -> str:
    """Without spaces, and with the wide characters of a Chinese keyboard as plain ones."""
    return "".join(text.translate(_WIDE).split())


_LOOK: Final[dict[Kind, tuple[str, str, str, tuple[str, ...]]]] = {
    "asked": (
        "和公告栏的单子对一对",
        "公告栏的单子上印着“第……条，指纹……”。照着抄到下面两个格子里，再按“对一对”。",
        "#555",
        (),
    ),
    "unreadable": (
        "？没有看懂，请再抄一遍",
        "条数只有数字。指纹正好 16 个字符，只有数字 0 到 9 和字母 a 到 f；没有字母 o，那是数字 0；没有字母 l，那是数字 1。",
        "#555",
        (),
    ),
    "same": (
        "✓ 一样",
        "第 {size:,} 条时，公告栏和我们这台电脑说的是同一本账，对好了。",
        "#0a7a33",
        (),
    ),
    "other": (
        "✕ 不一样！",
        "第 {size:,} 条时，公告栏的指纹和我们这台电脑的不同。我们的是：{own}",
        "#b00020",
        (
            "先一个字符一个字符再对一遍，条数也再看一遍，抄错了就重抄。另开新账以前印的单子不算，要对新的。",
            "还是不一样：把单子拍下来，请人看着，不要让人撕掉。不要关这台电脑，不要删除任何文件。",
            "马上打电话给另外两方（物业、社区）和指挥部，告诉他们“公告栏的指纹和见证电脑的不一样”，请他们也对一对。",
            "用手机在核验页扫单子右边的码：能看出这张单子是不是账本签过名的，还是有人自己印的。",
        ),
    ),
    "not_yet": (
        "◐ 现在还对不了",
        "单子上是第 {size:,} 条，我们这台电脑才有 {held:,} 条。",
        "#a15c00",
        (
            "再看一遍条数，抄多了一位就会这样。",
            "回到状态页看灯。不是绿灯，就照那一页说的做，等灯绿了再来对。",
            "绿灯一小时了还是这样：照“不一样”办，打电话给另外两方（物业、社区）和指挥部。",
        ),
    ),
    "damaged": (
        "文件夹损坏，对不了",
        "这台电脑里保存的记录和当初存进来的不一样了，不能拿来和公告栏对。信息链本身不一定有问题。",
        "#a15c00",
        (
            "不要删除任何文件，不要自己修。",
            "打电话给社区值班室，告诉他们“见证程序说文件夹损坏”，照说明书第七节“文件夹损坏”做。",
        ),
    ),
}


def compare_page(witness: Witness, title: str, query: str) -> str:
    """The form with its answer. It does not load itself again: somebody is typing."""
    size, short = _typed(query)
    found = compared(witness.store, size, short)
    heading, sentence, colour, steps = _LOOK[found.kind]
    facts = {"size": found.size, "held": witness.store.size, "own": f"<code>{groups(found.own)}</code>"}
    todo = "".join(f"<li>{step}</li>" for step in steps)
    esc = html.escape
    body = f"""{f"<h2>现在请这样做</h2><ol>{todo}</ol>" if todo else ""}
<form action="/compare">
<label>单子上的条数<input name="size" value="{esc(size)}" inputmode="numeric" maxlength="30" autocomplete="off" required></label>
<label>单子上的指纹（16 个字符）<input name="short" value="{esc(short)}" maxlength="40" autocomplete="off"
autocapitalize="none" spellcheck="false" required></label>
<button>对一对</button>
</form>
<p class="files"><a href="/">回到状态页</a></p>"""
    return document(heading=heading, sentence=sentence.format(**facts), colour=colour, title=title, body=body)


def _typed(query: str) -> tuple[str, str]:
    try:
        fields = parse_qs(query, max_num_fields=_FIELDS)
    except ValueError:
        return "", ""
    return fields.get("size", [""])[0][:30], fields.get("short", [""])[0][:40]
