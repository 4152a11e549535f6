"""Every code has a sentence, and every fault of a row its words."""

from __future__ import annotations

from lianfang.kernel.errors import Refused
from lianfang.people import errors, sentences
from lianfang.people.roster import checking
from lianfang.places import errors as place_errors
from lianfang.places import sentences as place_sentences


def test_every_refusal_has_a_sentence() -> None:
    for module, said in ((errors, sentences.SENTENCES), (place_errors, place_sentences.SENTENCES)):
        codes = {
            c.code
            for c in vars(module).values()
            if isinstance(c, type) and issubclass(c, Refused) and c.__module__ == module.__name__
        }
        assert codes == set(said)


def test_every_fault_of_a_row_has_words() -> None:
    assert set(sentences.ROW_FAULTS) == checking.FAULTS
