"""The application of `lianfang up`, on the database that a test names (`uvicorn tests.gates.line_server:application`)."""

import os

from django.conf import settings

settings.DATABASES["default"]["NAME"] = os.environ["LINE_DATABASE"]

from lianfang.config.asgi import application  # noqa: E402 - needs the name

__all__ = ["application"]
