"""`lianfang test`: everything a full test needs, then pytest. What is missing is named and fails."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from .cli import source_root
from .supervise import say

if TYPE_CHECKING:
    from collections.abc import Sequence


def wanted_packages() -> list[str]:
    """System packages of the browser journeys, fault and conformance tests."""
    lines = (source_root() / "apt-packages.txt").read_text().splitlines()
    return [line.split("#")[0].strip() for line in lines if line.split("#")[0].strip()]


def missing_packages() -> list[str]:
    """Those that are not installed, by what dpkg says; all of them where there is no dpkg."""
    if shutil.which("dpkg-query") is None:
        return wanted_packages()
    missing = []
    for package in wanted_packages():
        command = ["dpkg-query", "-W", "-f", "${Status}", package]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        if "install ok installed" not in answer.stdout:
            missing.append(package)
    return missing


def _install(packages: Sequence[str]) -> None:
    say(f"installing system packages: {' '.join(packages)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], env=environment, check=False)
    subprocess.run(
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages], env=environment, check=False,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip


def run(arguments: Sequence[str], *, size: str = "change") -> int:
    """Run the tests; returns pytest's exit code, or 1 when a system package is missing."""
    missing = missing_packages()
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        _install(missing)
        missing = missing_packages()
    if missing:
        say(f"MISSING system packages, their tests will fail: {' '.join(missing)}")
        say("  install them with: apt-get install " + " ".join(missing))
    from .islands import ensure_built

    ensure_built()
    if not any(a.startswith("-n") for a in arguments):
        arguments = ["-n", "2", *arguments]
    if size != "change":
        # The larger sizes of one test take hours; the limit of every change would end them.
        arguments = [*arguments, "--timeout=86400"]
    # Django must not read its settings before tests/conftest.py has made the folder they are read from.
    inherited = {k: v for k, v in os.environ.items() if k not in ("DJANGO_SETTINGS_MODULE", "LIANFANG_DATA")}
    result = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=source_root(),
        env=inherited | {"LIANFANG_SIZE": size},
        check=False,
    ).returncode
    if missing:
        say(f"failed: missing system packages {' '.join(missing)}")
        return result or 1
    return result
