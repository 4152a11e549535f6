"""What machines may read of the chain. Paths and formats are those of the tiled-log specification (docs/chain.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lianfang.kernel.operations import Body, Operation

if TYPE_CHECKING:
    from collections.abc import Sequence

_TEXT: Final = "text/plain; charset=utf-8"
_HTML: Final = Body(
    media="text/html; charset=utf-8", says="还没有足够的见证 / not witnessed yet: ask again later"
)
_NONE: Final = "没有 / there is none"

OPERATIONS: Final[Sequence[Operation]] = (
    Operation(
        name="chain_checkpoint",
        says="最新检查点及其副署 / the newest checkpoint with its cosignatures (C2SP tlog-checkpoint)",
        view="ledger:checkpoint",
        answers={200: Body(media=_TEXT, says="签名便笺 / signed note"), 404: _NONE},
    ),
    Operation(
        name="chain_checkpoint_of",
        says="某一条数时的检查点 / the checkpoint of one size as it was signed",
        view="ledger:checkpoint_of",
        answers={200: Body(media=_TEXT, says="签名便笺 / signed note"), 404: _NONE},
    ),
    Operation(
        name="chain_consistency",
        says="较早的账是较晚的账的开头 / that one tree begins the other (a request of C2SP tlog-witness)",
        view="ledger:consistency",
        answers={
            200: Body(media=_TEXT, says="一致性证明和较晚的检查点 / proof and newer checkpoint"),
            404: _NONE,
        },
    ),
    Operation(
        name="chain_tile",
        says="哈希块；条目包只给见证方 / a hash tile (C2SP tlog-tiles); entry bundles for witnesses only",
        view="ledger:tile",
        proof="witness",
        answers={
            200: Body(media="application/octet-stream", says="块 / the tile"),
            403: Body(media=_TEXT, says="条目包只给见证方 / entries are for the witnesses"),
            404: _NONE,
        },
    ),
    Operation(
        name="chain_policy",
        says="信任文件：三选二 / whom a verifier trusts: two of three witnesses",
        view="ledger:policy",
        answers={200: Body(media=_TEXT, says="策略文件 / policy file")},
    ),
    Operation(
        name="chain_strict_policy",
        says="审计员的信任文件：居民一方必须见证，另加一方 / the auditor's: the residents and one of the others",
        view="ledger:strict_policy",
        answers={200: Body(media=_TEXT, says="策略文件 / policy file")},
    ),
    Operation(
        name="chain_policy_at",
        says="某一条数的检查点当时的信任文件 / the trust file for papers whose checkpoint has so many entries",
        view="ledger:policy_at",
        answers={200: Body(media=_TEXT, says="策略文件 / policy file")},
    ),
    Operation(
        name="chain_strict_policy_at",
        says="同上，审计员用 / the auditor's, of the same time",
        view="ledger:strict_policy_at",
        answers={200: Body(media=_TEXT, says="策略文件 / policy file")},
    ),
    Operation(
        name="chain_policy_change",
        says="一个见证方接替另一个的证明，给持有旧信任文件的人 / that one witness took the place of another, for who has the file before",
        view="ledger:policy_change",
        answers={200: Body(media=_TEXT, says="证明文字 / text of the proof"), 404: _NONE},
    ),
    Operation(
        name="chain_later",
        says="之后有哪些记录指向这一条；须持有这条记录 / later entries that name this one, for who holds its bytes",
        view="ledger:later_entries",
        answers={
            200: Body(
                media="application/json",
                says="{size, later: [{index, kind, at, proof}]}；proof 是证明文字或 null / text of a proof, or null",
            ),
            404: _NONE,
        },
    ),
    Operation(
        name="chain_former",
        says="已经结束的账：证据、检查点、哈希块、信任文件 / a chain that has ended: evidence, checkpoints, tiles, trust file",
        view="ledger:former_file",
        answers={200: Body(media=_TEXT, says="文件；块是二进制 / the file; a tile is binary"), 404: _NONE},
    ),
    Operation(
        name="chain_organs",
        says="各单位公钥，由链签名 / the organs' keys, signed by the log",
        view="ledger:organs",
        answers={200: Body(media=_TEXT, says="签名便笺 / signed note"), 404: _NONE},
    ),
    Operation(
        name="chain_alarms",
        says="信息链现在有什么不对；最坏的在前 / what is wrong with the chain now, the worst first",
        view="ledger:alarms",
        answers={
            200: Body(media="application/json", says="[{code, since, witness}]；空的即无事 / empty: nothing")
        },
    ),
    Operation(
        name="chain_fork_evidence",
        says="一个见证方的分叉证据，已核过签名 / a witness's evidence of a fork, verified",
        view="ledger:fork_evidence",
        answers={200: Body(media=_TEXT, says="证据文件 / the evidence"), 404: _NONE},
    ),
    Operation(
        name="chain_proof",
        says="一条记录的证明 / proof of one entry (C2SP tlog-proof)",
        view="ledger:tlog_proof",
        answers={200: Body(media=_TEXT, says="证明文件 / proof file"), 404: _NONE, 409: _HTML},
    ),
    Operation(
        name="chain_entry_file",
        says="一条记录本身，证明文件所说的就是它的哈希 / the entry that a proof file is about",
        view="ledger:entry_file",
        answers={200: Body(media="application/cbor", says="记录的字节 / the entry's bytes"), 404: _NONE},
    ),
    Operation(
        name="chain_paper_proof",
        says="纸质证明二维码中的文字 / the text of the paper proof's QR code",
        view="ledger:paper_proof",
        answers={200: Body(media=_TEXT, says="证明文字 / text of the proof"), 404: _NONE, 409: _HTML},
    ),
)
