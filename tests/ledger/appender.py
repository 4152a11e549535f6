"""Appends entries and runs the sequencer in a process of its own, which a test kills at named points.

python -m tests.ledger.appender DATABASE FOLDER WITNESSES_JSON ACTS
"""

from __future__ import annotations

import json
import os
import sys

os.environ["DJANGO_SETTINGS_MODULE"] = "lianfang.config.settings"


def main() -> None:
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = sys.argv[1]
    settings.LIANFANG_DATA = sys.argv[2]
    settings.LIANFANG_WITNESSES = json.loads(sys.argv[3])
    # Only the rooms that the chain needs: a process that starts quickly is killed more often.
    settings.INSTALLED_APPS = ["lianfang.kernel", "lianfang.ledger"]

    import django

    django.setup()
    import time

    from django.db import transaction
    from tests.factories.ledger import AT, an_entry

    from lianfang.kernel.points import point
    from lianfang.ledger.sequencer import Sequencer

    only = sys.argv[5] if len(sys.argv) > 5 else ""
    sequencer = Sequencer()
    left = int(sys.argv[4])
    while left or only == "sequence":
        if only != "sequence":
            with transaction.atomic():
                entry_id = an_entry()
                point("ledger.append.before_commit")
            point("ledger.append.after_commit")
            left -= 1
            # Once this line is out, the act is acknowledged.
            sys.stdout.write(f"{entry_id}\n")
            sys.stdout.flush()
        if only == "append":
            time.sleep(0.005)  # eight of these leave the sequencer room on two cores
        else:
            done = sequencer.run_once(AT)
            sys.stdout.write(f"size {done.size}\n")
            sys.stdout.flush()
    sequencer.close()


if __name__ == "__main__":
    main()
