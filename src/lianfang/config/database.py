"""Which PostgreSQL: DATABASE_URL if given, else the embedded cluster of the data folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from .cluster import DATABASE, ROLE, Cluster

if TYPE_CHECKING:
    from pathlib import Path

#: Nobody waits for ever. A client whose sending failed waits for what the server says, and the server for the client: the
#: server ends a transaction that was left open for so long, and frees its locks. No act computes that long between two
#: statements.
_LEFT_OPEN: Final = "-c idle_in_transaction_session_timeout=5min"
#: A server that falls silent is given up after 30 seconds, whether it owes a receipt (milliseconds) or an answer (seconds);
#: the system's own limits are a quarter of an hour and two hours. At a socket of the same machine they mean nothing.
_SILENT: Final = {
    "tcp_user_timeout": 30_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
}


def database_settings(data: Path) -> dict[str, Any]:
    """Django's settings of the one database."""
    options: dict[str, Any] = {"options": _LEFT_OPEN, **_SILENT}
    # Without a pool every request would open a connection: 234 requests a second instead of 1,700, measured.
    if size := int(os.environ.get("LIANFANG_POOL", "0")):
        options["pool"] = {"min_size": 2, "max_size": size, "timeout": 10}
    common = {
        "ENGINE": "django.db.backends.postgresql",
        "ATOMIC_REQUESTS": True,
        "CONN_HEALTH_CHECKS": not size,
        "OPTIONS": options,
    }
    url = os.environ.get("DATABASE_URL")
    if not url:
        return common | {"NAME": DATABASE, "USER": ROLE, "HOST": str(Cluster(data).socket_folder)}
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    host = query.pop("host", "") or parts.hostname or ""
    options.update(query)
    return common | {
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
    }
