"""After a change of witnesses, software that is not ours goes on: it reads the log, the notes and the trust file."""

from base64 import b64decode
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.conformance.conftest import Pages, Sumdb
from tests.factories.ledger import AT, an_entry
from tests.ledger.conftest import chain, parties  # noqa: F401  # fixtures
from tests.ledger.test_drills import installed, operator, told  # noqa: F401  # fixtures
from tests.ledger.test_moved_witnesses import moved  # noqa: F401  # a fixture
from tlog_scales.backend import HttpBackend
from tlog_scales.signing import Vkey, VkeySet
from tlog_scales.tiles import leaf_hash as their_leaf_hash
from tlog_scales.tlog import Checkpoint as TheirCheckpoint
from tlog_scales.tlog import InclusionProof

from lianfang.ledger import sequencer
from lianfang.ledger.models import Checkpoint
from lianfang_chain.proof import to_qr_text
from lianfang_chain.verify import main

pytestmark = pytest.mark.conformance


class PlainPolicy:
    """A trust file as somebody reads it who has the draft of C2SP and nothing of ours: lines of words, and comments."""

    def __init__(self, text: str) -> None:
        lines = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
        (self.log,) = (words[1] for words in lines if words[0] == "log")
        self.witnesses = {words[1]: words[2] for words in lines if words[0] == "witness"}
        ((_, group, needed, *self.members),) = (words for words in lines if words[0] == "group")
        (quorum,) = (words for words in lines if words[0] == "quorum")
        assert quorum == ["quorum", group]
        assert len(lines) == 3 + len(self.witnesses)
        self.needed = int(needed)

    def met_by(self, checkpoint: TheirCheckpoint) -> bool:
        """Whether the log and enough witnesses signed it, by what tlog-scales says of each line."""
        checkpoint.verify(Vkey.from_string(self.log))
        keys = {name: Vkey.from_string(vkey) for name, vkey in self.witnesses.items()}
        signed = {vkey for vkey, _ in VkeySet(*keys.values()).verify(checkpoint.signatures, checkpoint)}
        return sum(keys[name] in signed for name in self.members) >= self.needed


def test_the_log_its_notes_and_the_trust_file_of_each_time_are_taken(
    pages: Pages,
    sumdb: Sumdb,
    moved: Any,  # noqa: F811  # the fixture
    installed: Any,  # noqa: F811  # the fixture
    chain: Path,  # noqa: F811  # the fixture
    settings: Any,
    tmp_path: Path,
) -> None:
    acts, papers, *_ = moved
    before = Checkpoint.objects.order_by("-size")[0]
    told(chain, settings, installed)
    later = an_entry()
    for n in range(20):
        sequencer.run_once(AT + timedelta(minutes=1, seconds=n))
        newest = Checkpoint.objects.order_by("-size")[0]
        if newest.cosignatures.count() == 3:
            break
    backend = HttpBackend(pages.address)

    def served(*path: str) -> bytes:
        content: bytes | None = backend.get(*path)
        assert content is not None, path
        return content

    text = served("policy.txt").decode()
    comments = [line.split() for line in text.splitlines() if line.startswith("#")]
    assert [words[:2] for words in comments] == [["#", "entry"], ["#", "entry"], ["#", "papers"]]
    assert text.isascii()
    now, then = PlainPolicy(text), PlainPolicy(served("policy", comments[-1][-1].rpartition("/")[2]).decode())
    assert set(now.witnesses) == {"residents", "property", "community", "residents-2", "property-2"}
    assert now.log == then.log

    done = sumdb.run(installed[0].signer, old=before.size, root=bytes(before.root), vkey=now.log)
    assert (done.returncode, done.stdout) == (0, f"{newest.size} entries\n"), done.stderr
    head = TheirCheckpoint.from_text(served("checkpoint").decode())
    assert (head.size, len(head.signatures), now.met_by(head), then.met_by(head)) == (
        newest.size,
        4,
        True,
        False,
    )
    old = TheirCheckpoint.from_text(served("checkpoint", str(before.size)).decode())
    assert (len(old.signatures), now.met_by(old), then.met_by(old)) == (4, False, True)

    for act in (str(acts[0]), str(later)):
        checked(served("entry", act, "proof.tlog-proof").decode(), served("entry", act, "entry.cbor"), now)
    # What was printed before: unpacked with today's file, and checked by the file of its time.
    (tmp_path / "policy.txt").write_text(text)
    (tmp_path / "qr.txt").write_text(to_qr_text(papers[0]))
    out = tmp_path / "out"
    assert (
        main(["--policy", str(tmp_path / "policy.txt"), "--unpack", str(out), str(tmp_path / "qr.txt")]) == 0
    )
    checked((out / "proof.tlog-proof").read_text(), (out / "entry.cbor").read_bytes(), then)
    backend.session.close()


def checked(proof: str, entry: bytes, policy: PlainPolicy) -> None:
    """A `.tlog-proof` file: index and path, an empty line, the checkpoint."""
    head, _, note = proof.partition("\n\n")
    _first, index, *path = head.split("\n")
    checkpoint = TheirCheckpoint.from_text(note)
    assert policy.met_by(checkpoint)
    inclusion = InclusionProof(
        int(index.removeprefix("index ")), checkpoint.size, [b64decode(line) for line in path]
    )
    inclusion.check(their_leaf_hash(entry), checkpoint.root_hash)
