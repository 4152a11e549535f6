"""What machines may read of announcements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lianfang.kernel.operations import Body, Operation

if TYPE_CHECKING:
    from collections.abc import Sequence

OPERATIONS: Final[Sequence[Operation]] = (
    Operation(
        name="announcement_text",
        says="公布的正文，一个文件；信息链里是它的 SHA-256 / the published text; the chain holds its SHA-256",
        view="announcements:text",
        answers={
            200: Body(media="text/plain; charset=utf-8", says="正文 / the text"),
            404: "没有，或还没有公布 / there is none, or it is not published",
        },
    ),
)
