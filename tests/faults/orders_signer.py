"""A process that signs one order, then lifts it; a test kills it at a named point.

Says `ordered` and `lifted` once the act has been acknowledged.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from datetime import timedelta
from uuid import UUID


def main() -> None:
    """Arguments: database, data folder, person, concern, order id, lift id, officer, organ."""
    database, folder, person, concern, order, lift, user, organ = sys.argv[1:]
    os.environ["LIANFANG_DATA"] = folder
    os.environ["DJANGO_SETTINGS_MODULE"] = "lianfang.config.settings"
    import django
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = database
    django.setup()

    from tests.factories.orders import ROOT, S1_ANCHOR, S1_NOW

    from lianfang.accounts.rights import Purpose, Role, rights_of
    from lianfang.kernel.actor import Actor, Grant
    from lianfang.kernel.ids import new_id
    from lianfang.kernel.row_security import scope
    from lianfang.orders import actions

    by = Actor(
        user_id=UUID(user),
        pseudonym="officer",
        organ=organ,
        organ_kind="health",
        grants=frozenset(Grant(r, ROOT, organ, "health") for r in rights_of(Role.CDC)),
        at=S1_NOW,
        purpose=Purpose.ISOLATION,
        surface="test",
        request_id=new_id(),
        verified_at=S1_NOW,
    )
    with scope(areas=[ROOT]):
        actions.issue_isolation(
            actions.IsolationDraft(
                order_id=UUID(order),
                person_id=UUID(person),
                reason="area_returnee_high",
                anchor_at=S1_ANCHOR,
                evidence_id=UUID(concern),
            ),
            by=by,
        )
    print("ordered", flush=True)
    later = replace(by, at=S1_NOW + timedelta(hours=1), verified_at=S1_NOW + timedelta(hours=1))
    with scope(areas=[ROOT]):
        actions.lift_isolation(
            actions.LiftDraft(id=UUID(lift), order_id=UUID(order), reason="误判"), by=later
        )
    print("lifted", flush=True)


if __name__ == "__main__":
    main()
