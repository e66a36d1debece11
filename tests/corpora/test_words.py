"""Words of raw text as the CoNLL corpora cut them, and the place of each."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.corpora.conll import read_conll
from pipeline.corpora.words import Text, split_words

NEWSDESK = Path(__file__).parents[2] / "data/newsdesk"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("He lives in Rome. She lives in Paris.", "He lives in Rome . She lives in Paris ."),
        ("Anna Hope's firm, AT&T Inc., left.", "Anna Hope 's firm , AT&T Inc. , left ."),
        ("The U.S. Court sat at 9 a.m. in the U.S.", "The U.S. Court sat at 9 a.m. in the U.S."),
        ("Mr. May met J. Smith of Acme Corp. on 5 Jan.", "Mr. May met J. Smith of Acme Corp. on 5 Jan ."),
        ("a U.S.-based firm, then-U.S. only", "a U.S.-based firm , then-U.S. only"),
        ("12. Rome 3-1, 1,000.50 -5 +1 .500 3:45", "12. Rome 3-1 , 1,000.50 -5 +1 .500 3:45"),
        ("“Why?” he said... (10%, $5)", "“ Why ? ” he said ... ( 10 % , $ 5 )"),
        ("left--or right -- yes!!! no?!", "left -- or right -- yes !!! no ? !"),
        ("said 'no' to the Hawks' 'James's'", "said ' no ' to the Hawks ' ' James 's '"),
        ("it’s l'été à Saint-Étienne—n'est-ce pas ?", "it ’s l'été à Saint-Étienne — n'est-ce pas ?"),
        ("Größe: 5–3 €7 «Ja»", "Größe : 5–3 € 7 « Ja »"),
        ("北京。 Δήμος; हिन्दी।", "北京 。 Δήμος ; हिन्दी ।"),
        ("I ❤️ e\u0301te\u0301🎉", "I ❤️ e\u0301te\u0301 🎉"),
        ("no\u00a0break\u3000wide\u2028line", "no break wide line"),
        ("a_b@c.de x/y/z.", "a_b@c.de x/y/z ."),
        ("\x01 \u200b", "\x01 \u200b"),
        (" \t ", ""),
        ("", ""),
    ],
)
def test_words(text: str, words: str) -> None:
    assert list(Text.raw(text).words) == words.split(" ") * bool(words)


def test_nearly_all_words_of_the_corpus_are_left_as_they_are() -> None:
    kept = total = 0
    for sentence in read_conll(NEWSDESK / "test.conll", word=0, tag=3):
        gold = Text.of_words(sentence.words)
        kept += len(set(gold.offsets) & set(Text.raw(gold.text).offsets))
        total += len(gold.offsets)
    assert kept > 0.99 * total


@given(st.text(st.one_of(st.sampled_from("aS1.,'’-–  \n:$…🎉\u0301"), st.characters(codec="utf-8"))))
def test_words_cover_all_that_is_not_white_space_in_order(text: str) -> None:
    places = split_words(text)
    assert all(start < end for start, end in places)
    assert all(one[1] <= other[0] for one, other in pairwise(places))
    assert "".join(text[start:end] for start, end in places) == "".join(text.split())


def test_a_long_line_takes_time_in_proportion() -> None:
    """Quadratic, each of these would take hours."""
    for part in ("a.", "A. ,", "'", "1,", "A.-", "x ", "e\u0301.", "..,"):
        text = part * 100_000
        assert "".join(Text.raw(text).words) == text.replace(" ", "")


def test_spaced_words_keep_what_stands_inside_them() -> None:
    text = Text.spaced(" New\u00a0York,\t is  (big) ")
    assert text.words == ("New\u00a0York,", "is", "(big)")
    assert [text.text[start:end] for start, end in text.offsets] == list(text.words)


def test_the_text_of_words_has_them_at_their_places() -> None:
    text = Text.of_words(["New York", "", "!"])
    assert text == Text("New York  !", ("New York", "", "!"), ((0, 8), (9, 9), (10, 11)))
