"""The gate front alone (`uvicorn bench.passes.serving:app`) or the publisher alone (`python -m bench.passes.serving`),
each in a process of its own as in earnest, for the other modules here."""

import signal
import threading

import django

django.setup()

from lianfang.gates import publisher  # noqa: E402 - needs the settings
from lianfang.gates.front import app  # noqa: E402 - needs the settings

__all__ = ["app"]

if __name__ == "__main__":
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    publisher.loop(stop)
