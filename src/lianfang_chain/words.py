"""Plain words, Chinese and English, for what entries are about; a kind without words is shown as it is."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

__all__ = ["FIELDS", "KINDS", "SCOPES", "field_words", "shown", "words_of"]

KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "orders:isolation:issued": ("个人居家隔离决定", "home isolation order"),
    "orders:order:lifted": ("提前解除", "order lifted"),
    "orders:release:noticed": ("解除通知", "release notice"),
    "orders:appeal:raised": ("提出异议", "appeal raised"),
    "orders:appeal:won": ("异议成立", "appeal won"),
    "orders:appeal:lost": ("异议不成立", "appeal lost"),
    "orders:case:destroyed": ("案卷到期销毁", "case destroyed after its term"),
    "orders:hold:withdrawn": ("撤回保留案卷的要求", "request to keep a case taken back"),
    "gates:act:signed": ("限次或封控令", "quota or perimeter act"),
    "gates:act:lifted": ("限次或封控令解除", "quota or perimeter act lifted"),
    "gates:passages:destroyed": ("通行记录到期销毁", "passages destroyed after their term"),
    "gates:ages:set": ("卡口凭证的时限", "how old evidence may be at gates"),
    "gates:passes:given": ("批量制发出入证", "passes given to a compound"),
    "gates:passes:withdrawn": ("批量作废出入证", "passes of a compound withdrawn"),
    "announcements:announcement:published": ("公告发布", "announcement published"),
    "announcements:announcement:superseded": ("公告被替代", "announcement superseded"),
    "announcements:announcement:withdrawn": ("公告撤回", "announcement withdrawn"),
    "rules:document:published": ("规则文件发布", "rule document published"),
    "rules:document:ended": ("规则文件设最后一天", "last day of a rule document set"),
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
    "credentials:passes:destroyed": ("出入证到期销毁", "passes destroyed after their term"),
    "concerns:reports:destroyed": ("报告和线索到期销毁", "reports and concerns destroyed after their term"),
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
#: Terms, and what is disclosed. A digest of status lists has the codes of streets as terms; they stand as they are.
FIELDS: Final[Mapping[str, tuple[str, str]]] = {
    "area": ("范围", "Area"),
    "at": ("时间", "At"),
    "auditor": ("审计人代号", "Pseudonym of the auditor"),
    "by": ("替代它的编号", "Superseded by"),
    "classes": ("证件类别", "Classes of passes"),
    "count": ("数量", "Count"),
    "day_hours": ("超过几小时须登记", "Hours after which a passage is registered"),
    "days": ("天数", "Days"),
    "door": ("门牌", "Door"),
    "drafted_by": ("起草人编号", "Number of the drafter"),
    "ends_at": ("到期", "Ends"),
    "evidence": ("证据指纹（SHA-256）", "Fingerprint of the evidence (SHA-256)"),
    "evidence_text": ("证据全文", "Evidence, whole"),
    "first": ("起始编号", "First number"),
    "former": ("原链", "Former chain"),
    "former_vkey": ("原链公钥", "Key of the former chain"),
    "from": ("起", "From"),
    "hour": ("小时", "Hour"),
    "kind": ("种类", "Kind"),
    "measure": ("措施", "Measure"),
    "name": ("名称", "Name"),
    "name_en": ("英文名称", "Name in English"),
    "no": ("编号", "Number"),
    "notice_no": ("通知编号", "Number of the notice"),
    "number": ("编号", "Number"),
    "officer": ("经办人代号", "Pseudonym of the officer"),
    "old_hours": ("超过几小时算旧", "Hours after which evidence is old"),
    "order_no": ("决定编号", "Number of the order"),
    "organ": ("机关", "Organ"),
    "person": ("当事人编号", "Number of the person"),
    "positions": ("删除的项", "Items erased"),
    "proposed_by": ("提出人编号", "Number of the proposer"),
    "readings": ("查阅次数", "Readings"),
    "reason": ("原因", "Reason"),
    "reasons": ("理由", "Reasons"),
    "recovered": ("找回的记录", "Entries recovered"),
    "retired": ("停用的公钥", "Key that counts no more"),
    "reviewed_by": ("审核人编号", "Number of the reviewer"),
    "root": ("根指纹", "Root"),
    "rule": ("规则版本", "Version of the rule"),
    "sha256": ("正文指纹（SHA-256）", "Fingerprint of the text (SHA-256)"),
    "size": ("记录条数", "Entries"),
    "starts_at": ("开始", "Begins"),
    "text": ("内容", "Text"),
    "times": ("次数", "Times"),
    "until": ("至", "Until"),
    "vkey": ("公钥", "Public key"),
    "why": ("缘由", "Grounds"),
    "witness": ("见证方", "Witness"),
    "zones": ("小区", "Compounds"),
}


def words_of(kind: str) -> tuple[str, str]:
    """Chinese and English for a kind."""
    return KINDS.get(kind, (kind, kind))


def field_words(field: str) -> str:
    """Chinese and English for a term, with its own name behind them."""
    chinese, english = FIELDS.get(field, ("", ""))
    return f"{chinese} {english} ({field})" if chinese else field


_BREAKS: Final = re.compile("\r\n|[\n\r\v\f\x85\u2028\u2029]")
_UNSEEN: Final = {"Cc", "Cf", "Cs"}


def shown(text: str) -> str:
    """Text that others wrote as one line that shows all of it: a break is "⏎", and what would move the cursor or turn the
    direction of reading is "�". Else a paper could write a line that looks like one of the verifier's own.
    """
    return "".join("�" if unicodedata.category(c) in _UNSEEN else c for c in _BREAKS.sub("⏎", text))
