"""What machines may read that belongs to no room: the verifier's trust files and the description itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lianfang.kernel.operations import Body, Operation

if TYPE_CHECKING:
    from collections.abc import Sequence

_TEXT: Final = "text/plain; charset=utf-8"
_SAME: Final = "没有变化 / nothing newer"
_TAG: Final = {"If-None-Match": "已有的 ETag / the ETag held"}

OPERATIONS: Final[Sequence[Operation]] = (
    Operation(
        name="describe",
        says="本说明 / this description",
        view="openapi",
        headers=_TAG,
        answers={
            200: Body(media="application/json", says="OpenAPI 3.1", schema={"type": "object"}),
            304: _SAME,
        },
    ),
    Operation(
        name="verifier_policy",
        says="验真页信任谁 / whom the verifier page trusts",
        view="verifier_policy",
        headers=_TAG,
        answers={200: Body(media=_TEXT, says="策略文件 / policy file"), 304: _SAME},
    ),
    Operation(
        name="verifier_organs",
        says="验真页用的各单位公钥 / the organs' keys, as the verifier page pins them",
        view="verifier_organs",
        headers=_TAG,
        answers={
            200: Body(media=_TEXT, says="签名便笺 / signed note"),
            304: _SAME,
            404: "还没有 / there is none yet",
        },
    ),
)
