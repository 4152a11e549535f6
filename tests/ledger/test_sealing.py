"""Disclosures at rest: each piece under its own nonce, bound to its entry and its place in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from tests.factories.ledger import AT, an_entry

from lianfang.accounts.saying import sentence
from lianfang.kernel import ids
from lianfang.ledger import fsck, keys, queries, sealing, sequencer
from lianfang_chain.disclosure import Disclosure

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from uuid import UUID

#: The same value twice, so that only the nonce keeps the two apart.
PIECES = {n: Disclosure(b"s" * 16, "door", "3-2-501") for n in (-1, 0, 1, 7)}


def pieces_of(sealed: bytes) -> dict[int, bytes]:
    found, at = {}, 0
    while at < len(sealed):
        position, width = sealing._PIECE.unpack_from(sealed, at)
        at += sealing._PIECE.size + width
        found[position] = sealed[at - width : at]
    return found


def test_what_was_sealed_opens_again(chain: Any) -> None:
    entry_id = ids.new_id()
    assert sealing.open_sealed(entry_id, *sealing.seal(entry_id, PIECES)) == PIECES
    assert sealing.open_sealed(entry_id, *sealing.seal(entry_id, {})) == {}


def test_each_piece_has_a_nonce_of_its_own(chain: Any) -> None:
    """Equal bytes under one key and one nonce are equal bytes again, and two of them give the key away."""
    entry_id = ids.new_id()
    assert len(set(pieces_of(sealing.seal(entry_id, PIECES)[1]).values())) == len(PIECES)


def test_a_piece_opens_at_its_place_only_and_a_key_for_its_entry_only(chain: Any) -> None:
    entry_id, other = ids.new_id(), ids.new_id()
    sealed_key, sealed = sealing.seal(entry_id, PIECES)
    with pytest.raises(sealing.Closed):
        sealing.open_sealed(other, sealed_key, sealed)
    pieces = pieces_of(sealed)
    moved = b"".join(
        sealing._PIECE.pack(position, len(pieces[at])) + pieces[at]
        for position, at in ((0, 1), (1, 0), (7, 7))
    )
    assert sealing.open_sealed(entry_id, sealed_key, moved) == {7: PIECES[7]}
    # A row of this entry under the key of that one: the piece itself is bound to the entry, not the key alone.
    key = AESGCM(keys.sealing_key()).decrypt(sealed_key[:12], sealed_key[12:], entry_id.bytes)
    for_other = sealed_key[:12] + AESGCM(keys.sealing_key()).encrypt(sealed_key[:12], key, other.bytes)
    assert sealing.open_sealed(other, for_other, sealed) == {}


@pytest.mark.parametrize(
    "what", [keys.sealing_key, lambda: keys.log_signer().private_text()], ids=["seal", "log"]
)
def test_two_processes_that_start_at_once_have_one_key_and_no_trouble(
    what: Callable[[], object], tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One makes key and what it is known by, while the other has just seen that there is none."""
    settings.LIANFANG_DATA = tmp_path
    keys.forget()
    real, made = ids.new_id, list[object]()

    def meanwhile() -> UUID:
        if not made:
            made.append("begun")
            made.append(what())
            keys.forget()
        return real()

    monkeypatch.setattr(ids, "new_id", meanwhile)
    assert what() == made[1]
    keys.forget()


@pytest.mark.django_db
@pytest.mark.parametrize("torn", [True, False])
def test_what_frees_waits_for_no_key_and_what_restricts_is_refused_in_words(chain: Path, torn: bool) -> None:
    an_entry()
    file = keys.folder() / "disclosures.key"
    whole = file.read_bytes()
    if torn:
        file.write_bytes(whole[:10])
    else:
        file.unlink()
    keys.forget()
    with pytest.raises(keys.KeyUnusable) as refused:
        an_entry()
    assert "钥匙" in sentence(refused.value)
    lifted = an_entry(kind="orders:order:lifted", secrets={"person": "p"})
    file.write_bytes(whole)
    keys.forget()
    sequencer.run_once(AT)
    assert queries.state_of(lifted).index is not None
    assert queries.disclosures_of(lifted) == {}  # for ever
    (fault,) = fsck.check().problems
    assert "1 entries: their details cannot be opened" in fault
