"""Words of raw text as the CoNLL corpora cut them, and the place of each."""

import unicodedata
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.corpora.conll import read_conll
from pipeline.corpora.words import Text, is_unspaced, split_words

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
        ("\u2764 \ufe0f \u200b \x01 \u0301", "\u2764"),
        ("\u200b", ""),
        (" \t ", ""),
        ("", ""),
    ],
)
def test_words(text: str, words: str) -> None:
    assert list(Text.raw(text).words) == words.split(" ") * bool(words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("\u200fAnna left \u200eParis .", ["\u200fAnna", "left", "\u200eParis", "."]),
        ("left \u202aParis\u202c, Rome", ["left", "\u202aParis\u202c", ",", "Rome"]),
        ("(\u200eParis) #\u200fParis", ["(", "\u200eParis", ")", "#", "\u200fParis"]),
        ("\u00adHope \ufeffParis \u0301e", ["\u00adHope", "\ufeffParis", "\u0301e"]),
        ("Paris\u200e , \u200eRome\u200e", ["Paris\u200e", ",", "\u200eRome\u200e"]),
        ("\u200e-5 1,\u200e000 J\u200e. S.", ["\u200e-5", "1,\u200e000", "J\u200e.", "S", "."]),
        ("#\ufe0f\u20e3Ulm", ["#\ufe0f\u20e3", "Ulm"]),
        ("#\ufe0f\u200eUlm", ["#\ufe0f", "\u200eUlm"]),
    ],
)
def test_a_mark_belongs_to_the_word_that_it_touches(text: str, words: list[str]) -> None:
    assert list(Text.raw(text).words) == words


MARKS = "\u200e\u200f\u202a\u2066\ufeff\u00ad\u200d\u0301\ufe0f\x01"


@given(
    st.lists(st.tuples(st.sampled_from("aS1.,'-  :(é🎉"), st.text(MARKS, max_size=2))),
    st.text(MARKS, max_size=2),
)
def test_marks_anywhere_change_no_word(pairs: list[tuple[str, str]], before: str) -> None:
    bare = "".join(letter for letter, _ in pairs)
    marked = before + "".join(letter + marks for letter, marks in pairs)
    without = dict.fromkeys(map(ord, MARKS))
    for cut in (Text.raw, Text.characters):
        assert [word.translate(without) for word in cut(marked).words] == list(cut(bare).words)


def test_every_character_a_word() -> None:
    text = Text.characters("\u200f他 e\u0301tait。🎉")
    assert text.words == ("\u200f他", "e\u0301", "t", "a", "i", "t", "。", "🎉")
    assert [text.text[start:end] for start, end in text.offsets] == list(text.words)


@pytest.mark.parametrize(
    ("text", "yes"),
    [
        ("Anna Hope离开了巴黎。张伟昨天去了北京市。", True),
        ("他在那里见到了李娜,然后回家。", True),
        ("田中さんは昨日東京へ行きました。", True),
        ("เขาไปกรุงเทพเมื่อวานนี้", True),
        ("张伟 昨天 去 了 北京市 。 中华人民共和国 的 首都", False),
        ("He said 你好 to 北京市 and left for 東京.", False),
        ("김민수는 어제 서울특별시에 갔다.", False),
        ("Bundesausbildungsförderungsgesetz", False),
        ("", False),
    ],
)
def test_clauses_of_scripts_without_spaces_are_known(text: str, yes: bool) -> None:
    assert is_unspaced(Text.raw(text).words) is yes
    assert not is_unspaced(Text.characters(text).words)


def test_nearly_all_words_of_the_corpus_are_left_as_they_are() -> None:
    kept = total = 0
    for sentence in read_conll(NEWSDESK / "test.conll", word=0, tag=3):
        gold = Text.of_words(sentence.words)
        kept += len(set(gold.offsets) & set(Text.raw(gold.text).offsets))
        total += len(gold.offsets)
    assert kept > 0.99 * total


@given(st.text(st.one_of(st.sampled_from("aS1.,'’-–  \n:$…🎉\u0301"), st.characters(codec="utf-8"))))
def test_words_cover_all_but_white_space_and_lone_marks_in_order(text: str) -> None:
    places = split_words(text)
    assert all(start < end for start, end in places)
    assert all(one[1] <= other[0] for one, other in pairwise(places))
    pieces = (piece for piece in text.split() if not all(map(is_mark, piece)))
    assert "".join(text[start:end] for start, end in places) == "".join(pieces)


def is_mark(letter: str) -> bool:
    return unicodedata.category(letter) in ("Cf", "Cc", "Mn", "Mc", "Me")


def test_a_long_line_takes_time_in_proportion() -> None:
    """Quadratic, each of these would take hours."""
    for part in ("a.", "A. ,", "'", "1,", "A.-", "x ", "e\u0301.", "..,", "\u200e", "\u200e.a"):
        text = part * 100_000
        assert "".join(Text.raw(text).words) == text.replace(" ", "") * (part != "\u200e")


def test_spaced_words_keep_what_stands_inside_them() -> None:
    text = Text.spaced(" New\u00a0York,\t is  (big) ")
    assert text.words == ("New\u00a0York,", "is", "(big)")
    assert [text.text[start:end] for start, end in text.offsets] == list(text.words)


def test_the_text_of_words_has_them_at_their_places() -> None:
    text = Text.of_words(["New York", "", "!"])
    assert text == Text("New York  !", ("New York", "", "!"), ((0, 8), (9, 9), (10, 11)))
