"""The command `lianfang`: bring the system up, test it, check it, measure it, look after it."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lianfang", description=__doc__)
    words = "data folder (default: $LIANFANG_DATA, else ./data)"
    parser.add_argument("--data", type=Path, help=words)
    # People write it on either side of the command's name; what stands behind it wins.
    where = argparse.ArgumentParser(add_help=False)
    where.add_argument("--data", type=Path, default=argparse.SUPPRESS, help=words)
    commands = parser.add_subparsers(dest="command", required=True)

    for name, words in (
        ("up", "start the system"),
        ("demo", "start the system with the demonstration district"),
    ):
        up = commands.add_parser(name, help=words, parents=[where])
        up.add_argument("--host", help="serve TLS under this name (default: plain http on localhost)")
        up.add_argument("--port", type=int, help="port (default: 8000; 8443 with --host)")
        up.add_argument("--cert", type=Path, help="certificate file in place of the own local authority")
        up.add_argument("--key", type=Path, help="key file of --cert")
        up.add_argument(
            "--detach", action="store_true", help="return when everything answers; stop with `down`"
        )
        if name == "demo":
            up.add_argument("--scale", type=_scale, default=0.01, help="1 = 410,000 people (default: 0.01)")
    commands.add_parser("down", help="stop what `up --detach` started", parents=[where])

    for name, words in (
        ("test", "run all tests; further arguments go to pytest"),
        ("check", "format, lint, types, borders, migrations, templates: exactly what the pipeline runs"),
    ):
        commands.add_parser(name, help=words, add_help=False)

    described = commands.add_parser("openapi", help="write docs/openapi.json, the machine interface")
    described.add_argument("--check", action="store_true", help="fail when it differs from the code")

    bench = commands.add_parser("bench", help="benchmarks: ratios against a limit measured in the same run")
    bench.add_argument("names", nargs="*")
    bench.add_argument("--size", choices=["small", "district", "release"], default="small")

    faults = commands.add_parser("faults", help="random and fault tests at a larger size")
    faults.add_argument("--size", choices=["change", "nightly", "release"], default="nightly")

    fsck = commands.add_parser(
        "fsck", help="verify the chain and the invariants of the live database", parents=[where]
    )
    fsck.add_argument("--rebuild", action="store_true", help="write the chain's files anew from the database")

    _chain_parser(commands.add_parser("chain", help="acts on the chain itself; stop the system first"), where)

    backup = commands.add_parser("backup", help="write database and keys to one file", parents=[where])
    backup.add_argument("file", type=Path)
    backup.add_argument(
        "--case-keys", type=Path, help="write the keys of the chain's disclosures here, apart"
    )
    restore = commands.add_parser(
        "restore", help="bring a backup back into an empty data folder", parents=[where]
    )
    restore.add_argument("file", type=Path)
    restore.add_argument("--case-keys", type=Path, help="the newest file of the keys of disclosures")

    roster = commands.add_parser(
        "import", help="import a roster (XLSX, CSV): dry run first, then --write", parents=[where]
    )
    roster.add_argument("file", type=Path)
    roster.add_argument("--community", required=True, help="code of the community, 12 digits")
    roster.add_argument("--user", required=True, help="login of the community worker who answers for it")
    roster.add_argument("--write", action="store_true")

    code = commands.add_parser(
        "code", help="demonstration only: the present second-factor code of a login", parents=[where]
    )
    code.add_argument("login")
    commands.add_parser("manage", help="Django's own commands, for developers", add_help=False)
    return parser


def _scale(word: str) -> float:
    """A scale of the demonstration, as `demo.fill` takes it."""
    scale = float(word)
    if not 0.002 <= scale <= 1:
        raise argparse.ArgumentTypeError("from 0.002 to 1")
    return scale


def _chain_parser(chain: argparse.ArgumentParser, where: argparse.ArgumentParser) -> None:
    """The acts on the chain itself, each answered for by an officer who operates the system."""
    answers = argparse.ArgumentParser(add_help=False, parents=[where])
    answers.add_argument("--user", required=True, help="login of the officer who answers for it")
    acts = chain.add_subparsers(dest="act", required=True)
    reconcile = acts.add_parser(
        "reconcile", help="after a restore: bring back the entries the database lost", parents=[answers]
    )
    source = reconcile.add_mutually_exclusive_group()
    source.add_argument("--witness", type=Path, help="copy of a witness's folder in place of the own files")
    source.add_argument(
        "--recheck",
        action="store_true",
        help="nothing came back to bring: lift the suspension if no witness can show more than is here",
    )
    reconcile.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="WITNESS",
        help="with --recheck: do not wait for this one, whose computer is off; the chain names it",
    )
    reconcile.add_argument("--reason", required=True)
    restart = acts.add_parser(
        "restart", help="end a chain that has forked, begin the next with the evidence", parents=[answers]
    )
    restart.add_argument("evidence", type=Path, help="a witness's fork-evidence.txt")
    restart.add_argument("--agreed", type=Path, help="the last checkpoint that all parties hold")
    restart.add_argument(
        "--no-fork",
        action="store_true",
        help="new key of the log: the evidence is its last cosigned checkpoint",
    )
    restart.add_argument("--reason", required=True)
    invite = acts.add_parser(
        "invite", help="print witness.toml for a party's own computer; changes nothing", parents=[answers]
    )
    invite.add_argument("--party", required=True, help="residents, property or community")
    new_key = acts.add_parser(
        "new-key", help="replace the key of an organ, of a witness or of the disclosures", parents=[answers]
    )
    whose = new_key.add_mutually_exclusive_group(required=True)
    whose.add_argument("--organ", help="code of the organ")
    whose.add_argument("--party", help="residents, property or community")
    whose.add_argument(
        "--disclosures",
        action="store_true",
        help="the key that seals what is disclosed later; seals all anew",
    )
    new_key.add_argument("--vkey", help="public key of a party that runs its own computer from now on")
    new_key.add_argument(
        "--fingerprint", help="of that key, as the party reads it aloud from its joining paper"
    )
    new_key.add_argument("--url", help="address at which that computer is asked")


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    arguments, rest = _parser().parse_known_args(argv)
    passes_on = {"test", "check", "manage"}
    if rest and arguments.command not in passes_on:
        _parser().error(f"unknown arguments: {' '.join(rest)}")
    if arguments.data:
        os.environ["LIANFANG_DATA"] = str(arguments.data.absolute())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lianfang.config.settings")

    if arguments.command in ("up", "demo") and (arguments.cert is None) != (arguments.key is None):
        _parser().error("--cert and --key belong together")
    if arguments.command in ("up", "demo", "down"):
        from . import up

        return up.command(arguments)
    if arguments.command == "test":
        from . import testing

        return testing.run(rest)
    if arguments.command == "check":
        from . import checking

        return checking.run()
    if arguments.command == "openapi":
        import django

        django.setup()
        from . import openapi

        return openapi.write(check=arguments.check)
    if arguments.command == "manage":
        from django.core.management import execute_from_command_line

        execute_from_command_line(["lianfang manage", *rest])
        return 0
    if arguments.command == "bench":
        command = [sys.executable, "-m", "bench", "--size", arguments.size, *arguments.names]
        return subprocess.run(command, cwd=source_root(), check=False).returncode
    if arguments.command == "faults":
        from . import testing

        return testing.run(["-m", "fault"], size=arguments.size)
    from . import tending

    return tending.command(arguments)


def source_root() -> Path:
    """Folder of the checkout: tests, benchmarks and islands live there, not in the installed package."""
    return Path(__file__).resolve().parents[3]


if __name__ == "__main__":
    sys.exit(main())
