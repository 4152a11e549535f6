"""What is destroyed when its term is over, without anybody asking for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lianfang.ledger import actions as ledger
from lianfang.orders import policy

if TYPE_CHECKING:
    from lianfang.kernel.actor import Actor

_BASIS: Final = "个人信息保护法第四十七条第一款第一项（目的已实现或者保存期限已届满）"


def destroy_details(*, by: Actor) -> int:
    """Destroy salts and values behind old entries about persons; returns how many. The entries stay, and say less."""
    return ledger.erase_older("orders", before=by.at - policy.DETAILS_KEPT_FOR, basis=_BASIS, by=by)
