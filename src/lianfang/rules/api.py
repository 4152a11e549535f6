"""What machines may read of rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lianfang.kernel.operations import Body, Operation

if TYPE_CHECKING:
    from collections.abc import Sequence

OPERATIONS: Final[Sequence[Operation]] = (
    Operation(
        name="rule_text",
        says="公布的规则，一个文件；信息链里是它的 SHA-256 / a published rule document; the chain holds its SHA-256",
        view="rules:text",
        answers={
            200: Body(media="application/json", says="规则 / the document"),
            404: "没有，或还没有公布 / there is none, or it is not published",
        },
    ),
)
