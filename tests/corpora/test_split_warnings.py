"""Splits that make for a bad tagger are told of, with counts and what to do; good splits are not."""

from collections.abc import Sequence
from itertools import count as numbers

import pytest

from pipeline.corpora.schemes import FileScheme
from pipeline.corpora.split_warnings import split_warnings
from pipeline.corpora.tagging import Sentence

NUMBERS = numbers()


def sentences(count: int, *tags: str) -> list[Sentence]:
    """Sentences with these tags, none of which is there twice."""
    return [Sentence((f"w{next(NUMBERS)}",) * len(tags), tags) for _ in range(count)]


def warnings(
    train: Sequence[Sentence], dev: Sequence[Sentence], test: Sequence[Sentence], scheme: FileScheme = "iob2"
) -> list[str]:
    return list(split_warnings({"train": train, "dev": dev, "test": test}, scheme))


GOOD = sentences(300, "B-PER", "O")
DEV, TEST = sentences(2, "B-PER", "O"), sentences(2, "B-PER", "O")


def test_a_good_corpus_has_no_warning() -> None:
    assert not warnings(GOOD, DEV, TEST)
    plain = sentences(300, "NN", "VB")
    assert not warnings(plain, sentences(2, "NN", "VB"), sentences(2, "VB", "NN"), "plain")


def test_tags_that_only_other_splits_have_are_counted() -> None:
    test = [*TEST, *sentences(1, "B-ORG", "I-ORG"), *sentences(2, "B-LOC")]
    assert warnings(GOOD, DEV, test) == [
        "test: 4 words with tags that training does not have, and no tagger trained here can give "
        "(B-LOC (2), B-ORG (1), I-ORG (1)); move such sentences to training, or correct the tags"
    ]
    (line,) = warnings(GOOD, test, DEV)
    assert line.startswith("dev: 4 words with tags that training does not have")
    assert not warnings(GOOD, DEV, sentences(1, "B-PER", "I-PER"))  # a type has both
    assert "XX (1)" in "".join(warnings(sentences(300, "NN", "VB"), [], sentences(1, "XX"), "plain"))


@pytest.mark.parametrize("split", [0, 1, 2])
def test_a_split_of_o_alone_is_told(split: int) -> None:
    splits = [GOOD, DEV, TEST]
    splits[split] = sentences(300, "O", "O")
    name = ("train", "dev", "test")[split]
    assert (
        f"{name}: every tag is O, so that there is no span; correct the settings tag or scheme, or label the "
        "words"
    ) in warnings(splits[0], splits[1], splits[2])


def test_one_plain_tag_is_told() -> None:
    same, other = sentences(300, "NN", "NN"), sentences(1, "NN", "NN")
    assert "train: every tag is NN; correct the settings tag or scheme, or label the words" in warnings(
        same, other, sentences(1, "NN", "NN"), "plain"
    )


def test_rare_types_are_told_with_their_sentences() -> None:
    train = [*GOOD, *sentences(49, "B-LOC", "I-LOC", "B-LOC"), *sentences(50, "B-ORG"), *sentences(1, "B-X")]
    assert warnings(train, [], []) == [
        "train: fewer than 50 sentences have LOC (49), X (1), too few to learn them "
        "reliably; label more sentences with them"
    ]
    many = [*GOOD, *(sentence for kind in range(12) for sentence in sentences(1, f"B-T{kind:02}"))]
    (line,) = warnings(many, [], [])
    assert "T08 (1), T09 (1), 2 more, too few" in line


def test_few_sentences_are_told_with_a_remedy() -> None:
    (first, *_) = warnings(GOOD[:35], [], [])
    assert first == (
        "train: 35 sentences make for few training steps; raise epochs or lower batch_size, of the teacher "
        "and of the student, or label more"
    )


def test_one_file_for_two_splits_is_told() -> None:
    assert warnings(GOOD, DEV, GOOD) == [
        "test: 300 of 300 sentences are in train too, word for word, so F1 on test is too "
        "optimistic; take them out of train, or correct the corpus's files"
    ]
    told = warnings(GOOD, GOOD, GOOD)
    assert [line.partition(",")[0] for line in told] == [
        f"{split}: 300 of 300 sentences are in {earlier} too"
        for split, earlier in (("dev", "train"), ("test", "train"), ("test", "dev"))
    ]


def test_a_sentence_is_the_same_in_another_form_of_unicode() -> None:
    composed, decomposed = (Sentence((word, "left"), ("B-PER", "O")) for word in ("Jos\u00e9", "Jose\u0301"))
    (line,) = warnings([*GOOD, composed], DEV, [decomposed])
    assert line.startswith("test: 1 of 1 sentence is in train too")


def test_a_few_sentences_may_be_in_two_splits() -> None:
    test = [*GOOD[:2], *sentences(18, "B-PER", "O")]
    assert not warnings(GOOD, DEV, test)
    same_words = [Sentence(sentence.words, ("O", "B-PER")) for sentence in GOOD[2:3]]
    (line,) = warnings(GOOD, DEV, [*test, *same_words])
    assert line.startswith("test: 3 of 21 sentences are in train too")


@pytest.mark.parametrize(
    ("words", "clauses"),
    [
        (("张伟昨天去了北京市", "。"), True),
        (("张伟", "昨天", "去", "了", "北京市", "。"), False),
        (("นายสมชายเดินทางไปกรุงเทพมหานคร", "เมื่อวานนี้"), True),
        (("นาย", "สมชาย", "เดินทาง", "ไป", "กรุงเทพมหานคร", "เมื่อวาน", "นี้"), False),
        (("ウィキペディア",), False),
    ],
)
def test_clauses_in_place_of_words_are_told(words: tuple[str, ...], clauses: bool) -> None:
    odd = Sentence(words, ("B-LOC",) + ("O",) * (len(words) - 1))
    train = [*GOOD, *sentences(50, "B-LOC")]
    lines = warnings(train, [odd, odd], [])
    assert lines == clauses * [
        f"dev: 2 sentences with clauses of a script without spaces in place of words "
        f"(the first: {words[0]}); give each word, or each character, a row and a tag of its own"
    ]


def test_one_sentence_is_told_in_the_singular() -> None:
    told = warnings(GOOD[:1], DEV, GOOD[:1])
    assert told[0].startswith("train: 1 sentence makes for few training steps")
    assert told[2].startswith("test: 1 of 1 sentence is in train too, word for word")


def test_a_test_split_alone_is_compared_with_nothing() -> None:
    test = sentences(2, "B-PER", "B-ORG", "I-ORG")
    assert not list(split_warnings({"test": test}, "iob2"))
    (line,) = split_warnings({"test": sentences(2, "O")}, "iob2")
    assert line.startswith("test: every tag is O")
