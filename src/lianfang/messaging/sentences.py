"""The sentence for each refusal of messaging."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.utils.functional import _StrPromise

SENTENCES: Final[Mapping[str, _StrPromise]] = {
    "messaging:glyph_missing": _(
        "打印字体中没有这些字：{characters}。为避免文书上出现空框，没有打印。请管理员把含有这些字的字体放入字体文件夹。"
    ),
    "messaging:too_long_to_read_aloud": _("这份内容读完要 {seconds} 秒，超过 {most} 秒。请把理由写得更短。"),
    "messaging:place_too_small": _(
        "这个地点只有 {households} 户，公开告示的地点至少要有 {fewest} 户。请改用上一级地点。"
    ),
}
