"""Works on a restored data folder in a process of its own (test_restore): looks, is refused, reconciles, goes on.

python -m tests.config.restored DATA FACTS_JSON
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any
from uuid import UUID


def main() -> None:
    os.environ["LIANFANG_DATA"] = sys.argv[1]
    os.environ["DJANGO_SETTINGS_MODULE"] = "lianfang.config.settings"
    import django

    django.setup()
    from django.db import transaction
    from tests.factories.ledger import AT, an_entry

    from lianfang.config import cli
    from lianfang.ledger import fsck, queries, sealing, sequencer
    from lianfang.ledger.errors import RestoredOlder
    from lianfang.ledger.models import Disclosures, Entry, OrganKey

    facts = json.loads(sys.argv[2])
    found: dict[str, object] = {}

    def refused(**changes: Any) -> bool:
        try:
            with transaction.atomic():
                an_entry(**changes)
        except RestoredOlder:
            return True
        return False

    found["suspended"] = sequencer.run_once(AT).suspended
    found["refused"] = [refused(), refused(kind="orders:order:lifted")]
    opened = {
        str(e): [d.value for d in queries.disclosures_of(e).values()]
        for e in Entry.objects.values_list("pk", flat=True)
    }
    found["opened"] = [value for values in opened.values() for value in values]
    row = Disclosures.objects.filter(pk=facts["erased"]).first()
    found["rows_of_the_erased"] = int(row is not None)
    if row is not None:
        again = sealing.open_sealed(UUID(facts["erased"]), bytes.fromhex(facts["old_key"]), bytes(row.sealed))
        found["with_the_old_key"] = [d.value for d in again.values()]
    words = ["--data", sys.argv[1], "chain", "reconcile", "--user", facts["login"], "--reason", "drill"]
    found["reconciled"] = cli.main(words)
    found["after"] = sequencer.run_once(AT).suspended
    found["refused_after"] = refused()
    sequencer.run_once(AT)
    found["problems"] = fsck.check().problems
    found["organs"] = OrganKey.objects.count()
    print("FOUND" + json.dumps(found))


main()
