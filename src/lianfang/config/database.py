"""Which PostgreSQL: DATABASE_URL if given, else the embedded cluster of the data folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from .cluster import DATABASE, ROLE, Cluster

if TYPE_CHECKING:
    from pathlib import Path


def database_settings(data: Path) -> dict[str, Any]:
    """Django's settings of the one database."""
    options: dict[str, Any] = {}
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
