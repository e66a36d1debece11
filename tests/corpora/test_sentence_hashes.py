"""A sentence's hash is that of its words: no other cut, order or form has it."""

import hashlib

import numpy as np
import pytest

from pipeline.corpora.sentence_hashes import hashes_of, hashes_of_equivalent, hashes_of_words

COMPOSED, COMBINING = "Zoë", "Zoe\u0308"


def test_a_hash_is_blake2b_of_the_text() -> None:
    """As the coreutils' `b2sum --length 64` gives it, read as a little-endian number."""
    (value,) = hashes_of(["ba ne ri"]).tolist()
    assert value.to_bytes(8, "little").hex() == "6df77aee2b952a69"


def test_each_text_has_its_own_in_order() -> None:
    texts = ["", "a", "Zoë", "東京", "a" * 10_000]
    found = hashes_of(texts)
    assert found.dtype == np.uint64
    assert found.shape == (5,)
    whole = [hashlib.blake2b(text.encode(), digest_size=8).digest() for text in texts]
    assert [value.to_bytes(8, "little") for value in found.tolist()] == whole
    found[0] = 0  # an array of its own, not a view of bytes


@pytest.mark.parametrize("of", [hashes_of, hashes_of_words, hashes_of_equivalent])
def test_no_texts_have_no_hashes(of) -> None:
    found = of([])
    assert found.dtype == np.uint64
    assert found.shape == (0,)


def test_words_are_known_by_their_letters_order_and_ends() -> None:
    sentences = [["a", "b"], ["b", "a"], ["a b"], ["ab"], ["a", "b", ""], ["A", "b"], []]
    found = hashes_of_words(sentences).tolist()
    assert len(set(found)) == len(sentences)
    assert hashes_of_words([("a", "b"), iter(["a", "b"])]).tolist() == [found[0]] * 2


def test_equivalent_forms_of_a_letter_are_one_where_they_should_be() -> None:
    plain = hashes_of_words([[COMPOSED], [COMBINING]]).tolist()
    assert plain[0] != plain[1]
    assert hashes_of_equivalent([[COMPOSED], [COMBINING]]).tolist() == [plain[0]] * 2
    one, other = hashes_of_equivalent([["ﬁn"], ["fin"]]).tolist()  # compatible, not equivalent
    assert one != other
