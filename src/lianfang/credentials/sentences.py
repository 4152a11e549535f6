"""What refusals of this room say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django_stubs_ext import StrPromise

SENTENCES: Final[Mapping[str, StrPromise]] = {
    "credentials:no_such_pass": _("没有这张通行证。请核对号码。"),
    "credentials:too_many_phones": _("此人已绑定两部手机。请先停用一部再绑定。"),
    "credentials:pass_already_revoked": _("这张通行证已经停用，不用再办。"),
    "credentials:lasts_too_long": _("通行证最长 31 天。请改短有效期。"),
    "credentials:no_such_key": _("没有这把密钥。"),
}
