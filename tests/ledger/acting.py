"""Does acts with an entry each while the test faults its calls to the database (test_append_faults).

python -m tests.ledger.acting DATABASE FOLDER CONNECTION; the last, in JSON, is what else than usual it connects by. Each
line on standard input is the ids of acts, and it answers with the ids of those that it was told are stored, after `done` and
the number of those that failed. An act is what it is in the rooms: one transaction, a row under the id that the client chose,
and the entry; the same id once more changes nothing.
"""

from __future__ import annotations

import json
import os
import sys
from uuid import UUID

os.environ["DJANGO_SETTINGS_MODULE"] = "lianfang.config.settings"


def main() -> None:
    from django.conf import settings

    settings.DATABASES["default"] |= {"NAME": sys.argv[1], **json.loads(sys.argv[3])}
    settings.LIANFANG_DATA = sys.argv[2]
    settings.LIANFANG_WITNESSES = []
    settings.INSTALLED_APPS = ["lianfang.kernel", "lianfang.ledger"]

    import django

    django.setup()
    from django.db import DatabaseError, connection, transaction
    from tests.factories.ledger import an_entry

    def act(act_id: UUID) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("INSERT INTO test_act VALUES (%s) ON CONFLICT DO NOTHING", [act_id])
            if cursor.rowcount:
                an_entry(act_id=act_id)

    connection.ensure_connection()
    print("ready", flush=True)
    for line in sys.stdin:
        failed, acknowledged = 0, []
        for act_id in map(UUID, line.split()):
            try:
                act(act_id)
                acknowledged.append(str(act_id))
            except DatabaseError:  # what a view answers with 503, and the person sends once more
                failed += 1
                connection.close()
        print("done", failed, *acknowledged, flush=True)


if __name__ == "__main__":
    main()
