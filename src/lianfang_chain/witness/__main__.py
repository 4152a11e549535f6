"""`lianfang-witness`: make the key, show it for the paper, run the witness.

lianfang-witness init --folder DIR --name NAME
lianfang-witness run  --folder DIR --origin ORIGIN --log-vkey VKEY --log-url URL [--port 8471] ...
lianfang-witness run  --config FILE      (TOML with the same words)
"""

from __future__ import annotations

import argparse
import os
import signal
import ssl
import sys
import threading
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from lianfang_chain.note import COSIGNATURE, Signer, VerifierKey
from lianfang_chain.reading import reading_token

from .judge import Witness
from .mirror import TileSource
from .server import WitnessServer
from .store import DamagedFolder, Store, sync_folder

__all__ = ["create_key", "load_key", "main", "serve"]


#: Steps: docs/witness.zh.md §7, docs/witness.en.md §7.
_DAMAGED: Final = """
文件夹损坏，见证程序没有启动。
  1. 不要删除任何文件，不要自己修。
  2. 打电话给社区值班室，把下面方括号里的话念给他们听。
  3. 和社区的人一起，照说明书第七节“文件夹损坏”换一个新文件夹。

The folder is damaged; the witness was not started. Delete nothing, repair nothing, call the community and read
out the words in brackets; then take a new folder together, as the guide says in section 7.

  [{error}]

"""


def create_key(folder: Path, name: str) -> Signer:
    """Make the witness's key in its folder, or return the one that is there."""
    file = folder / "witness.key"
    if not file.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        signer = Signer(name, COSIGNATURE, os.urandom(32))
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as target:
            target.write(signer.private_text() + "\n")
            target.flush()
            os.fsync(target.fileno())
        sync_folder(folder)
    return load_key(folder)


def load_key(folder: Path) -> Signer:
    """:raises MalformedNote: the file is not a key :raises FileNotFoundError: there is none"""
    return Signer.parse((folder / "witness.key").read_text())


def serve(options: argparse.Namespace) -> WitnessServer:
    """Open the folder and bind the port; the caller runs it.

    :raises DamagedFolder: the folder contradicts itself, or is another log's
    :raises BlockingIOError: another witness works in this folder
    """
    signer, log = load_key(options.folder), VerifierKey.parse(options.log_vkey)
    if options.origin and options.origin != log.name:
        raise SystemExit(f"the key is of {log.name}, not of {options.origin}")
    tls = None
    if options.ca:
        tls = ssl.create_default_context(cafile=str(options.ca))
        # The log on this machine is reached by its loopback address; the certificate is pinned by its file.
        tls.check_hostname = False

    def now() -> int:
        return int(time.time())

    source = TileSource(options.log_url, token=lambda: reading_token(signer, log.name, at=now()), tls=tls)
    places = tuple(options.place or ("",))
    witness = Witness(Store(options.folder, log), signer, source, now, places)
    return WitnessServer((options.host, options.port), witness, options.title or signer.key.name)


def main(argv: Sequence[str] | None = None) -> int:
    options = _options(argv)
    if options.new_key:
        signer = create_key(options.folder, options.new_key)
        sys.stdout.write(_paper(signer))
        return 0
    try:
        server = serve(options)
    except BlockingIOError:
        sys.stderr.write("另一个见证程序正在使用这个文件夹。Another witness works in this folder.\n")
        return 1
    except DamagedFolder as error:
        sys.stderr.write(_DAMAGED.format(error=error))
        return 2
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    # What a browser on this machine opens.
    here = "127.0.0.1" if options.host == "0.0.0.0" else options.host  # noqa: S104 - compared, not bound
    sys.stdout.write(f"见证程序已启动 http://{here}:{server.server_address[1]}/\n")
    sys.stdout.flush()
    stop.wait()
    server.shutdown()
    server.witness.store.close()
    return 0


def _paper(signer: Signer) -> str:
    return (
        f"\n  见证方 witness\n  {signer.key.name}\n\n  公钥（交给社区和指挥部，可以公开） public key:\n  {signer.key}\n\n"
        f"  私钥（抄在纸上封好，谁也不给） private key, for the sealed paper only:\n  {signer.private_text()}\n\n"
    )


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="lianfang-witness", description="见证防疫信息链 · witness of the chain"
    )
    parser.add_argument("--folder", type=Path, help="where key, hashes and entries are kept")
    parser.add_argument("--new-key", metavar="NAME", help="make the key, show it once for the paper, and end")
    parser.add_argument("--config", type=Path, help="TOML file with the words below, without the dashes")
    parser.add_argument("--origin", help="name of the log; must be the name in its key")
    parser.add_argument("--log-vkey")
    parser.add_argument("--log-url", help="where its checkpoint and tiles are")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8471)
    parser.add_argument("--place", action="append", help="area path whose entries are kept; may be repeated")
    parser.add_argument("--title", help="name shown on the page")
    parser.add_argument(
        "--ca", type=Path, help="certificate of the authority that certifies the log's server"
    )
    options = parser.parse_args(argv)
    if options.config:
        words = tomllib.loads(options.config.read_text(encoding="utf-8"))
        parser.set_defaults(**{word.replace("-", "_"): value for word, value in words.items()})
        options = parser.parse_args(argv)
        options.folder = options.folder and Path(options.folder)
    if not options.folder:
        parser.error("--folder is needed")
    if not options.new_key and not (options.log_vkey and options.log_url):
        parser.error("--log-vkey and --log-url are needed")
    return options


if __name__ == "__main__":
    sys.exit(main())
