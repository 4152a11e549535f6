"""A process that carries one import out as the worker does; a test kills it at a named point."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Arguments: database, data folder, import."""
    database, folder, run = sys.argv[1:]
    os.environ["LIANFANG_DATA"] = folder
    os.environ["DJANGO_SETTINGS_MODULE"] = "lianfang.config.settings"
    import django
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = database
    django.setup()

    from lianfang.people import jobs

    jobs.import_roster(run_id=run)


if __name__ == "__main__":
    main()
