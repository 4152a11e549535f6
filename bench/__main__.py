"""`lianfang bench`: every case against a limit measured in the same run, as a table and as JSON lines.

A case is a function in a module of this folder, listed in `CASES`; it returns one `Result` or several.
Absolute figures on a shared machine are noise: what counts is the ratio and the CPU time per operation.
Beside each module stands how busy the whole machine was.
"""

from __future__ import annotations

import argparse
import atexit
import importlib
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Module → what it measures. Each offers `cases(size) -> Iterable[dict]`.
MODULES: Final = ("ledger", "passes", "people", "orders", "papers", "web")


def _prepare() -> None:
    """An own data folder and cluster with fsync on: a commit here costs what it costs in earnest."""
    from lianfang.config.cluster import Cluster

    folder = Path(tempfile.mkdtemp(prefix="lianfang-bench-"))
    folder.chmod(0o755)
    os.environ["LIANFANG_DATA"] = str(folder)
    os.environ["DJANGO_SETTINGS_MODULE"] = "lianfang.config.settings"
    cluster = Cluster(folder)

    def clear() -> None:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(clear)
    cluster.start()
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)


def _busy() -> tuple[float, float]:
    """(busy, all) jiffies of the machine so far (proc(5), /proc/stat)."""
    fields = [int(f) for f in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    return sum(fields) - fields[3] - fields[4], sum(fields)


def main() -> int:
    """Run the named modules, or all; returns 1 when a shape check failed."""
    parser = argparse.ArgumentParser(prog="lianfang bench")
    parser.add_argument("names", nargs="*", help=f"some of {', '.join(MODULES)}")
    parser.add_argument("--size", choices=["small", "district", "release"], default="small")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(MODULES)
    if unknown:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    _prepare()
    failed = 0
    print(f"{'case':44} {'ours':>14} {'limit':>14} {'ratio':>8} {'CPU ms/op':>10}  unit")
    for name in arguments.names or MODULES:
        began, busy = time.monotonic(), _busy()
        rows = list(_run(name, arguments.size))
        used, whole = (b - a for a, b in zip(busy, _busy(), strict=True))
        for row in rows:
            failed += row.get("ok") is False
            print(_line(row))
        print(
            json.dumps(
                {
                    "module": name,
                    "seconds": round(time.monotonic() - began, 1),
                    "machine_busy": round(used / max(whole, 1), 3),
                }
            ),
            file=sys.stderr,
        )
        for row in rows:
            print(
                json.dumps({"module": name, "size": arguments.size} | row, ensure_ascii=False),
                file=sys.stderr,
            )
    return 1 if failed else 0


def _run(name: str, size: str) -> Iterable[dict[str, Any]]:
    module = importlib.import_module(f"bench.{name}")
    rows: Iterable[dict[str, Any]] = module.cases(size)
    return rows


def _line(row: dict[str, Any]) -> str:
    def shown(value: object) -> str:
        if value is None:
            return "–"
        return f"{value:,.3g}" if isinstance(value, float) and abs(value) < 100 else f"{value:,.0f}"

    # A shape that does not hold fails the run; a goal of speed is the machine's, too, and is only said to be missed.
    mark = "  FAILED its shape check" if row.get("ok") is False else ""
    mark += "  goal missed" if row.get("reached") is False else ""
    return (
        f"{row['name']:44} {shown(row.get('ours')):>14} {shown(row.get('limit')):>14} "
        f"{shown(row.get('ratio')):>8} {shown(row.get('cpu_ms')):>10}  {row.get('unit', '')}{mark}"
    )


if __name__ == "__main__":
    sys.exit(main())
