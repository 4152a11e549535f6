"""`lianfang-witness`: run the witness; its first start makes the key and shows it for the paper.

lianfang-witness --config FILE                                          (TOML with the words below)
lianfang-witness --folder DIR --name NAME --log-vkey VKEY --log-url URL [--port 8471] ...
lianfang-witness --folder DIR --new-key NAME                            (the key alone, after one was lost)
"""

from __future__ import annotations

import argparse
import contextlib
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

from lianfang_chain.note import COSIGNATURE, MalformedNote, Signer, VerifierKey
from lianfang_chain.reading import reading_token

from .joining import fingerprint
from .judge import Witness
from .mirror import TileSource
from .server import WitnessServer
from .store import DamagedFolder, Store, sync_folder
from .watch import Watch

__all__ = ["NoKey", "create_key", "load_key", "main", "serve"]


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


#: Steps: docs/witness.zh.md §7, docs/witness.en.md §7.
_NO_KEY: Final = """
没有可用的钥匙，见证程序没有启动。
  1. 有信封：拆开，把 PRIVATE+KEY 开头的那一行写进 {file}，再启动。
  2. 没有信封：打电话给社区值班室。新钥匙等于另一个见证方，要由指挥部公布，旧钥匙从此不再算数，
     照说明书第七节“没有可用的钥匙”做。程序不会自己另做一把。

There is no usable key; the witness was not started. Write the line from the envelope into the file above. Without
the envelope call the community: a new key is another witness, which the command has to announce (section 7 of the
guide). The program makes no other key by itself.

  [{error}]

"""


class NoKey(Exception):
    """The witness's key is not in its folder, or is not a key. Another one is another witness, so none is made."""


def create_key(folder: Path, name: str) -> Signer:
    """Make the witness's key in its folder, or return the one that is there.

    :raises NoKey: what is there is no key
    """
    file = folder / "witness.key"
    if not file.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = folder / f".witness.key.{os.getpid()}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(descriptor, "w") as target:
                target.write(Signer(name, COSIGNATURE, os.urandom(32)).private_text() + "\n")
                target.flush()
                os.fsync(target.fileno())
            # Never half a key, and never over another one.
            with contextlib.suppress(FileExistsError):
                os.link(draft, file)
        finally:
            draft.unlink()
        sync_folder(folder)
    return load_key(folder)


def load_key(folder: Path) -> Signer:
    """The key with which this party signs.

    :raises NoKey: see the class
    """
    try:
        return Signer.parse((folder / "witness.key").read_bytes().decode())
    except FileNotFoundError as error:
        raise NoKey("witness.key: the file is gone") from error
    except (MalformedNote, UnicodeDecodeError) as error:
        raise NoKey("witness.key: not what was written") from error


def serve(options: argparse.Namespace) -> WitnessServer:
    """Open the folder and bind the port; the caller runs it.

    :raises NoKey: see the class
    :raises DamagedFolder: the folder contradicts itself, or is another log's
    :raises BlockingIOError: another witness works in this folder
    """
    signer, log = load_key(options.folder), VerifierKey.parse(options.log_vkey)
    if options.name and options.name != signer.key.name:
        raise SystemExit(f"the key in {options.folder} is of {signer.key.name}, not of {options.name}")
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
    policy = Path(options.policy).read_text(encoding="utf-8") if options.policy else ""
    watch = Watch(witness, options.log_url, policy=policy, tls=tls)
    return WitnessServer((options.host, options.port), witness, options.title or signer.key.name, watch)


def main(argv: Sequence[str] | None = None) -> int:
    options = _options(argv)
    try:
        if options.new_key:
            sys.stdout.write(_paper(create_key(options.folder, options.new_key)))
            return 0
        if options.name and _untouched(options.folder):
            sys.stdout.write(_paper(create_key(options.folder, options.name)))
        server = serve(options)
    except BlockingIOError:
        sys.stderr.write("另一个见证程序正在使用这个文件夹。Another witness works in this folder.\n")
        return 1
    except NoKey as error:
        sys.stderr.write(_NO_KEY.format(file=options.folder / "witness.key", error=error))
        return 2
    except DamagedFolder as error:
        sys.stderr.write(_DAMAGED.format(error=error))
        return 2
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    if server.watch is not None:
        threading.Thread(target=server.watch.run, args=(stop,), daemon=True).start()
    # What a browser on this machine opens.
    here = "127.0.0.1" if options.host == "0.0.0.0" else options.host  # noqa: S104 - compared, not bound
    sys.stdout.write(f"见证程序已启动 http://{here}:{server.server_address[1]}/\n")
    sys.stdout.flush()
    stop.wait()
    server.shutdown()
    server.witness.store.close()
    return 0


def _untouched(folder: Path) -> bool:
    """Whether this is the first start: a folder in which anything lies had a key, and another one is another witness."""
    return not folder.exists() or not any(folder.iterdir())


def _paper(signer: Signer) -> str:
    return (
        f"\n  见证方 witness\n  {signer.key.name}\n\n  公钥（交给社区和指挥部，可以公开） public key:\n  {signer.key}\n\n"
        f"  指纹（念给指挥部听） fingerprint, to be read aloud:\n  {fingerprint(signer.key)}\n\n"
        f"  私钥（抄在纸上封好，谁也不给） private key, for the sealed paper only:\n  {signer.private_text()}\n\n"
    )


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="lianfang-witness", description="见证防疫信息链 · witness of the chain"
    )
    parser.add_argument("--folder", type=Path, help="where key, hashes and entries are kept")
    parser.add_argument("--new-key", metavar="NAME", help="make the key, show it once for the paper, and end")
    parser.add_argument("--config", type=Path, help="TOML file with the words below, without the dashes")
    parser.add_argument("--name", help="under which this party signs; the first start makes its key")
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
    parser.add_argument(
        "--policy",
        type=Path,
        help="trust file handed over; without it the log's own is believed for the light",
    )
    options = parser.parse_args(argv)
    if options.config:
        given = tomllib.loads(options.config.read_text(encoding="utf-8"))
        words = {word.replace("-", "_"): value for word, value in given.items()}
        # A line that is passed over in silence, such as a misspelt `policy`, is believed to be in force.
        if unknown := sorted(words.keys() - vars(options).keys()):
            parser.error(f"{options.config}: 不认识的行 unknown: {', '.join(unknown)}")
        parser.set_defaults(**words)
        options = parser.parse_args(argv)
        options.folder = options.folder and Path(options.folder)
    if not options.folder:
        parser.error("--folder is needed")
    if not options.new_key and not (options.log_vkey and options.log_url):
        parser.error("--log-vkey and --log-url are needed")
    return options


if __name__ == "__main__":
    sys.exit(main())
