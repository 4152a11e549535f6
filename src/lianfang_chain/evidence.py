"""Proof that a log told two stories: two checkpoints it signed that no tree can both have.

With one size, the two notes are all there is to say, and any signed-note verifier can check them. With two
sizes, a consistency proof shows which root the larger tree has at the smaller size, and it is not the one
that was signed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .checkpoint import Checkpoint, open_checkpoint
from .note import MalformedNote, VerifierKey, base64_of, bytes_of_base64
from .tree import NotProved, verify_consistency

__all__ = ["ForkEvidence"]

FIRST_LINE: Final = "lianfang fork evidence v1"
_RULE: Final = "=" * 40 + "\n"
_WORDS: Final = """\
这份文件证明：同一本信息链对外说了两套话。下面两份检查点都有它自己的签名，却不可能同时为真。
任何人都可以用公开的 signed-note 工具核对签名，不必相信任何一方。请保存好这份文件并交给另外两方和审计人员。
This file proves that one log told two stories: it signed both checkpoints below, and no history has both.
Anybody can check the signatures with a signed-note verifier.
"""


@dataclass(frozen=True, slots=True)
class ForkEvidence:
    smaller: bytes
    larger: bytes
    root: bytes  # the root that the larger tree has at the smaller size
    proof: tuple[bytes, ...]

    def __str__(self) -> str:
        lines = [f"root {base64_of(self.root)}", *(base64_of(h) for h in self.proof)]
        return (
            f"{FIRST_LINE}\n{_WORDS}{_RULE}{self.smaller.decode()}{_RULE}{self.larger.decode()}{_RULE}"
            + "\n".join(lines)
            + "\n"
        )

    @classmethod
    def parse(cls, text: str) -> ForkEvidence:
        """:raises MalformedNote: not such a file"""
        parts = text.split(_RULE)
        if len(parts) != 4 or not text.startswith(FIRST_LINE + "\n") or not parts[3].startswith("root "):
            raise MalformedNote("not fork evidence")
        root, *proof = parts[3].removesuffix("\n").split("\n")
        return cls(
            parts[1].encode(),
            parts[2].encode(),
            bytes_of_base64(root[5:]),
            tuple(bytes_of_base64(line) for line in proof),
        )

    def verify(self, log: VerifierKey) -> tuple[Checkpoint, Checkpoint]:
        """The two checkpoints, when the log did fork.

        :raises MalformedNote: a note that is no checkpoint of this log
        :raises NotSigned: a note that the log did not sign
        :raises NotProved: the two may both be true
        """
        smaller, _ = open_checkpoint(self.smaller, log)
        larger, _ = open_checkpoint(self.larger, log)
        verify_consistency(smaller.size, larger.size, self.root, larger.root, self.proof)
        if self.root == smaller.root:
            raise NotProved("the two checkpoints are consistent")
        return smaller, larger
