"""The gate front alone, for `bench.passes`: `uvicorn bench.passes_server:app`."""

import django

django.setup()

from lianfang.gates.front import app  # noqa: E402 - needs the settings

__all__ = ["app"]
