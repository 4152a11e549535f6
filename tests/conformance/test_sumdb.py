"""What the Go program on Debian's golang.org/x/mod/sumdb refuses; what it accepts is in `test_served_log`."""

import base64

import pytest
from tests.conformance.conftest import Sumdb, own_proofs
from tests.conformance.system_log import SystemLog

from lianfang.ledger import keys
from lianfang_chain.note import COSIGNATURE, Signer

pytestmark = pytest.mark.conformance


def test_the_pages_give_entries_to_nobody_without_a_token(log: SystemLog, sumdb: Sumdb) -> None:
    log.grow_to(3)
    for stranger in (Signer(log.witness.key.name, COSIGNATURE, b"x" * 32), keys.log_signer()):
        done = sumdb.run(stranger)
        assert (done.returncode, done.stdout, "tile/entries/000.p/3: 403" in done.stderr) == (1, "", True)


def test_it_notices_a_wrong_proof_a_wrong_root_and_a_wrong_key(log: SystemLog, sumdb: Sumdb) -> None:
    """So that what it accepts means something; what is changed in served files it is shown with the largest log."""
    for size in (0, 255, 600):
        log.grow_to(size)
    good = own_proofs(log, 600)
    assert sumdb.run(log.witness, own=good, old=255, root=log.roots[255]).returncode == 0
    forged = good.replace(good.split("\n")[1], base64.b64encode(b"x" * 32).decode())
    assert "own inclusion" in sumdb.run(log.witness, own=forged).stderr
    assert "consistency" in sumdb.run(log.witness, old=255, root=b"x" * 32).stderr
    stranger = str(keys.log_key()).replace("+", "x+", 1)
    assert sumdb.run(log.witness, vkey=stranger).returncode == 1
