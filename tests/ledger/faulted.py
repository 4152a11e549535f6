"""Appends and publishes while the test makes its system calls fail (test_syscalls) or cuts its line to the database
(test_line_under_publication); goes on like the worker does.

python -m tests.ledger.faulted DATABASE FOLDER CONNECTION; the last, in JSON, is what else than usual it connects by. Each line
on standard input is one go of that many rounds.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys

os.environ["DJANGO_SETTINGS_MODULE"] = "lianfang.config.settings"


def main() -> None:
    from django.conf import settings

    settings.DATABASES["default"] |= {"NAME": sys.argv[1], **json.loads(sys.argv[3])}
    settings.LIANFANG_DATA = sys.argv[2]
    settings.LIANFANG_WITNESSES = []
    settings.INSTALLED_APPS = ["lianfang.kernel", "lianfang.ledger"]

    import django

    django.setup()
    from django.db import close_old_connections, transaction
    from tests.factories.ledger import AT, an_entry

    from lianfang.ledger.sequencer import Sequencer

    acknowledged: list[str] = []
    largest = failed = 0
    sequencer = Sequencer()

    def say(line: str) -> None:
        while True:  # standard output is not what is tested
            with contextlib.suppress(OSError):
                os.write(1, line.encode())
                return

    def asked() -> str:
        while True:  # nor is standard input
            with contextlib.suppress(OSError):
                return sys.stdin.readline()

    say("ready\n")
    while line := asked():
        for _ in range(int(line)):
            try:
                with transaction.atomic():
                    entry_id = an_entry()
                acknowledged.append(str(entry_id))
                largest = max(largest, sequencer.run_once(AT).size)
            except Exception:  # the worker logs it and begins again
                failed += 1
                sequencer.close()
                sequencer = Sequencer()
                close_old_connections()
        say(f"done {failed} {largest} {','.join(acknowledged)}\n")
        acknowledged.clear()


if __name__ == "__main__":
    main()
