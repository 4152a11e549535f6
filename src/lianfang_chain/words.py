"""Plain words, Chinese and English, for what entries are about; a kind without words is shown as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["KINDS", "SCOPES", "words_of"]

KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "orders:isolation:issued": ("个人居家隔离决定", "home isolation order"),
    "orders:order:lifted": ("提前解除", "order lifted"),
    "orders:release:noticed": ("解除通知", "release notice"),
    "orders:appeal:raised": ("提出异议", "appeal raised"),
    "orders:appeal:won": ("异议成立", "appeal won"),
    "orders:appeal:lost": ("异议不成立", "appeal lost"),
    "gates:act:signed": ("限次或封控令", "quota or perimeter act"),
    "gates:act:lifted": ("限次或封控令解除", "quota or perimeter act lifted"),
    "ledger:disclosures:erased": ("个人明细已删除", "personal details erased"),
    "ledger:key:announced": ("公布单位签名公钥", "an organ's key announced"),
    "ledger:key:succeeded": ("单位更换签名公钥，由旧钥签名", "an organ's next key, signed by the one before"),
    "ledger:policy:changed": ("见证名单变更", "the list of witnesses changed"),
    "ledger:origin:continued": (
        "新链启用，附旧链分叉证据",
        "new chain begun, with the evidence of the old one",
    ),
    "ledger:chain:reconciled": ("恢复后的核对记录", "reconciled after a restore"),
    "audit:grant:given": ("审计授权", "an audit granted"),
    "audit:sample:asked": ("请求审计抽样", "a sample asked for"),
    "accounts:read_log:batch": ("查阅记录的小时汇总", "hourly digest of the read log"),
    "credentials:status:published": ("通行状态表的小时摘要", "hourly digest of a status list"),
}
SCOPES: Final[Mapping[str, tuple[str, str]]] = {
    "district": ("全区", "district"),
    "street": ("街道（乡镇）", "street or town"),
    "community": ("社区（村）", "community"),
    "grid": ("网格", "grid"),
    "compound": ("小区", "compound"),
    "building": ("楼栋", "building"),
    "stairwell": ("单元", "stairwell"),
}


def words_of(kind: str) -> tuple[str, str]:
    """Chinese and English for a kind."""
    return KINDS.get(kind, (kind, kind))
