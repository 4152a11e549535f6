"""The gate application of the versions before, whole: every file that a browser of then has kept.

Files are kept once under their hash; a version is the list of them. `python -m tests.web.earlier 4` keeps what is
built now as version 4.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from lianfang.config.islands import DIST

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Route

_CLIENTS: Final = Path(__file__).parent / "clients"
VERSIONS: Final = sorted(path.stem for path in _CLIENTS.glob("*.json"))


def files(version: str) -> dict[str, bytes]:
    """Every file of this version by its path below /gate/."""
    listed: dict[str, str] = json.loads((_CLIENTS / f"{version}.json").read_text())
    return {
        name: gzip.decompress((_CLIENTS / "files" / f"{digest}.gz").read_bytes())
        for name, digest in listed.items()
    }


def serve(context: BrowserContext, version: str) -> list[str]:
    """Answer this browser's requests for the application, its worker's too, with this version; who asked for what."""
    # Here, so that a version can be kept without settings.
    from lianfang.config.app_files import _TYPES, policy_of

    kept = files(version)
    served: list[str] = []

    def earlier(route: Route) -> None:
        name = urlsplit(route.request.url).path.partition("/gate/")[2] or "index.html"
        if name not in kept:
            route.fulfill(status=404)
            return
        served.append(name)
        kind = _TYPES.get(Path(name).suffix, "image/png" if name.endswith(".png") else "image/svg+xml")
        headers = {
            "Content-Type": kind,
            "Cache-Control": "no-cache",
            "Content-Security-Policy": policy_of(name),
        }
        route.fulfill(body=kept[name], headers=headers)

    context.route(lambda url: urlsplit(url).path.startswith("/gate/"), earlier)
    return served


def keep(version: str) -> None:
    """Keep the application that is built now."""
    folder, listed = DIST / "gate", {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        listed[path.relative_to(folder).as_posix()] = digest
        (_CLIENTS / "files").mkdir(exist_ok=True)
        (_CLIENTS / "files" / f"{digest}.gz").write_bytes(gzip.compress(content, mtime=0))
    (_CLIENTS / f"{version}.json").write_text(json.dumps(listed, indent=1) + "\n")


if __name__ == "__main__":
    keep(sys.argv[1])
