"""The sentence for each refusal of this room."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.utils.functional import _StrPromise

SENTENCES: Final[Mapping[str, _StrPromise]] = {
    "audit:not_an_auditor": _("此人在这个范围内没有审计职务。"),
    "audit:no_such_order": _("这个范围内没有这个编号的决定。"),
    "audit:grant_over": _("审计授权不在有效期内。"),
    "audit:drawn_already": _("一份授权只抽一次样，已经抽过。"),
    "audit:not_in_subject": _("这个案例不在授权或样本之内。"),
}
