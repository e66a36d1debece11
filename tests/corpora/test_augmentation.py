"""Augmented sentences: mentions of the same type, words in contexts that occur, no tags."""

from pipeline.corpora.augmentation import augmented_sentences
from pipeline.corpora.tagging import Sentence, spans
from tests.helpers.tiny_corpus import sentences

SPLIT = sentences(60, seed=4, shortest=3)


def made(copies: int = 1, seed: int = 1) -> list[tuple[str, ...]]:
    return list(augmented_sentences(SPLIT, copies, scheme="iob2", seed=seed))


def test_the_same_seed_gives_the_same_sentences() -> None:
    assert made() == made() != made(seed=2)


def test_every_sentence_is_new_and_there_are_no_more_than_asked_for() -> None:
    new = made(copies=3)
    assert 2 * len(SPLIT) < len(new) <= 3 * len(SPLIT)
    assert sum(words in {sentence.words for sentence in SPLIT} for words in new) < len(new) / 20


def test_a_mention_is_swapped_for_one_of_its_type_alone() -> None:
    text = Sentence(("in", "BA", "NE", "met", "Ri", "."), ("O", "B-LOC", "I-LOC", "O", "B-PER", "O"))
    other = Sentence(("KO", "saw", "Tok", "Sa"), ("B-LOC", "O", "B-PER", "I-PER"))
    found = set(augmented_sentences([text, other], 200, scheme="iob2", seed=0))
    places, people = {("BA", "NE"), ("KO",)}, {("Ri",), ("Tok", "Sa")}
    wanted = {("in", *place, "met", *person, ".") for place in places for person in people}
    wanted |= {(*place, "saw", *person) for place in places for person in people}
    assert found == wanted - {text.words, other.words}


def test_a_word_is_swapped_for_one_between_the_same_words() -> None:
    split = [Sentence(words, ("O",) * 3) for words in (("a", "b", "c"), ("a", "x", "c"), ("y", "b", "z"))]
    found = set(augmented_sentences(split, 500, scheme="iob2", seed=0))
    assert ("a", "x", "c") in found
    allowed = {("", "b"): {"a", "y"}, ("a", "c"): {"b", "x"}, ("y", "z"): {"b"}, ("b", ""): {"c", "z"}}
    for first, middle, last in found:
        assert first in allowed["", "b"] | {"a"}
        assert middle in {"b", "x"}
        assert last in allowed["b", ""] | {"c"}


def test_plain_tags_swap_words_by_their_neighbours() -> None:
    split = [Sentence(sentence.words, ("X",) * len(sentence.words)) for sentence in SPLIT]
    for words in augmented_sentences(split, 1, scheme="plain", seed=0):
        assert len(words) in {len(sentence.words) for sentence in split}


def test_mentions_of_augmented_sentences_are_known() -> None:
    known = {
        sentence.words[first:end]
        for sentence in SPLIT
        for _, first, end in spans(sentence.tags or (), scheme="iob2")
    }
    capital = [word for words in made() for word in words if word[0].isupper()]
    assert {word for mention in known for word in mention} >= set(capital)
