"""The gate's own code, asked with what Python was asked (`web/bench/looks.mjs`)."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

from lianfang.config import islands
from lianfang_pass.keys import PublicKey

from . import world

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def looked(
    folder: Path,
    *,
    index: int,
    bits: bytes,
    texts: Sequence[str],
    compounds: Sequence[Sequence[str]],
    looks: Sequence[Sequence[Any]],
) -> list[Any]:
    """What the gate answers to each look: device time, offset, inward, when the list was signed, the end, and which of the
    texts is shown at which of the gates.

    :param bits: of the one shard of the status list, in which the pass stands at `index`
    :param compounds: of each gate
    """
    root, file = PublicKey.of(world.ROOT), folder / "looks.json"
    file.write_text(
        json.dumps(
            {
                "root": (b"\x04" + root.x + root.y).hex(),
                "thumbprint": root.thumbprint.hex(),
                "keys": world.KEYS_BYTES.hex(),
                "uri": world.URI,
                "index": index,
                "texts": texts,
                "bits": bits.hex(),
                "compounds": compounds,
                "looks": looks,
            }
        )
    )
    islands.ensure_built()  # which brings the packages
    done = subprocess.run(
        [islands.node_executable(), islands.WEB / "bench" / "looks.mjs", file],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers: list[Any] = json.loads(done.stdout)
    assert len(answers) == len(looks)
    return answers
