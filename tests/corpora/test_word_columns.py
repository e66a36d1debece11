"""Words come from the column that holds them; a file of another layout is refused by line."""

import tracemalloc
from itertools import chain, count

import pytest

from pipeline.corpora.conll import MOST_WORDS
from pipeline.corpora.word_columns import Columns, read_words
from pipeline.errors import UserError

CONLLU = """# sent_id = 1
# text = Anna Hope left Paris.
1\tAnna\tanna\tPROPN
2\tHope\thope\tPROPN
3\tleft\tleave\tVERB
4-5\tParis.\t_\t_
4\tParis\tparis\tPROPN
4.1\tcity\tcity\tNOUN
5\t.\t.\tPUNCT

"""
GERMEVAL = """#\thttp://example.org/a\t[2001-01-01]
1\tIda\tO\tO
2\tsah\tO\tO

#\thttp://example.org/b\t[2001-01-02]
1\tUlm\tO\tO
"""


def read(text: str, columns: Columns = Columns()) -> list[list[str]]:  # noqa: B008
    return list(read_words(enumerate(text.splitlines(), 1), "file", columns))


@pytest.mark.parametrize(
    ("text", "columns", "sentences"),
    [
        (CONLLU, Columns(1, comment="#"), [["Anna", "Hope", "left", "Paris", "."]]),
        (GERMEVAL, Columns(1, comment="#"), [["Ida", "sah"], ["Ulm"]]),
        ("1 Ida O\n2 sah O\n\n1 Ulm O\n", Columns(1), [["Ida", "sah"], ["Ulm"]]),
        ("1 O\n2 O\n\n1 O\n", Columns(0), [["1", "2"], ["1"]]),
        ("1\n2\n3\n", Columns(), [["1", "2", "3"]]),
        ("New York\tO\nUlm\tO\n", Columns(separator="\t"), [["New York", "Ulm"]]),
        ("O Ida\nO sah\n", Columns(-1), [["Ida", "sah"]]),
        ("# NN\n1 CD\n", Columns(), [["#", "1"]]),
        ("a 1\n1 1\n\n1 1\n2 1\n", Columns(), [["a", "1"], ["1", "2"]]),
        ("3-1 x\n2.5 x\na x\n", Columns(1), [["x", "x", "x"]]),
        ("-DOCSTART- -X- O\n\na b\n-DOCSTART-\nc d", Columns(), [["a"], ["c"]]),
        ("", Columns(), []),
    ],
)
def test_words_of_a_column(text: str, columns: Columns, sentences: list[list[str]]) -> None:
    assert read(text, columns) == sentences


@pytest.mark.parametrize(
    ("text", "columns", "says"),
    [
        (CONLLU, Columns(), "file:2: has 7 columns, but line 1 has 4; correct the line, or set how comments"),
        (GERMEVAL, Columns(1), "file:2: has 4 columns, but line 1 has 3; .*predict: --comment '#'"),
        (CONLLU, Columns(comment="#"), "file:3: column 0 holds word numbers; .*predict: --word 1"),
        ("1 Ida\n\n1 Ulm\n2 .\n", Columns(), "file:3: column 0 holds word numbers"),
        ("a b\n", Columns(2), "file:1: has 2 columns, so column 2 does not exist; choose 0 to 1"),
        ("a\n", Columns(1), "file:1: has 1 column, so column 1 does not exist"),
        ("a\tb\n\tb", Columns(separator="\t"), "file:2: the word in column 0 is empty"),
        (
            "a\n" * (MOST_WORDS + 1),
            Columns(),
            f"file:{MOST_WORDS + 1}: the sentence has more than 40,000 words",
        ),
        (
            f"{'a' * 999} {'b' * 999}\n" * 301,
            Columns(),
            "file:201: .* longer than 200,000 characters; .*blank",
        ),
    ],
)
def test_another_layout_is_refused_by_line(text: str, columns: Columns, says: str) -> None:
    with pytest.raises(UserError, match=rf"^{says}"):
        read(text, columns)


HASHTAGS = [
    ("see O\n#rome O\n\n#x O\n", Columns(comment="#"), 2, "2 such lines"),
    ("-DOCSTART- O\n\n#rome O\nsee O\n", Columns(comment="#"), 3, "1 such line"),
    ("see\n#rome\n#\n", Columns(comment="#"), 2, "2 such lines"),
    ("1\tsee\tVERB\n#2\t#rome\tX\n", Columns(1, comment="#"), 2, "1 such line"),
    ("New York\tO\n#big apple\tO\n", Columns(separator="\t", comment="#"), 2, "1 such line"),
    ("5 CD\n# NN\nof NN\n# doc1\n", Columns(comment="#"), 2, "1 such line"),
    ("//me x\nyou x\n", Columns(comment="//"), 1, "1 such line"),
]


@pytest.mark.parametrize(("text", "columns", "line", "count"), HASHTAGS)
def test_comments_that_look_like_rows_get_a_warning(
    text: str, columns: Columns, line: int, count: str, caplog: pytest.LogCaptureFixture
) -> None:
    read(text, columns)
    (message,) = caplog.messages
    assert message.startswith(f"file:{line}: looks like a row with a word, and is left out as a comment")
    assert f"the first of {count}; if words begin with {columns.comment!r}" in message


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        (CONLLU, Columns(1, comment="#")),
        (GERMEVAL, Columns(1, comment="#")),
        ("# doc1\nsee VERB\n\n# doc2\nnow ADV\n", Columns(comment="#")),
        ("#begin document (wsj); part 000\nsee VERB *\n#end document\n", Columns(comment="#")),
        ("#rome O\nsee O\n", Columns()),
        ("#rome O\n", Columns(comment="#")),
    ],
)
def test_other_comments_get_none(text: str, columns: Columns, caplog: pytest.LogCaptureFixture) -> None:
    read(text, columns)
    assert not caplog.messages


def test_comments_take_no_memory() -> None:
    """However many there are, and however their last cells differ."""
    lines = chain([(1, "a b")], ((n, f"# {n}") for n in range(2, 50_000)), ((n, "#b c") for n in range(9)))
    tracemalloc.start()
    assert list(read_words(lines, "file", Columns(comment="#"))) == [["a"]]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


NUMBERED = "1 Title\n\n1 Ulm\n\n"


def test_no_number_is_given_as_a_word_before_it_shows_that_it_is_none() -> None:
    lines = list(enumerate(f"{NUMBERED}1 Ida\n2 left\n".splitlines(), 1))
    with pytest.raises(UserError, match=r"^file:5: column 0 holds word numbers"):
        next(read_words(lines, "file", Columns()))
    typed = read_words(lines, "standard input", Columns(), typed=True)
    assert [next(typed), next(typed)] == [["1"], ["1"]]


def test_numbers_that_are_words_are_given_in_order() -> None:
    assert read(NUMBERED, Columns()) == [["1"], ["1"]]
    assert read(f"{NUMBERED}Ida left\n", Columns()) == [["1"], ["1"], ["Ida"]]
    words = read_words(enumerate(f"{NUMBERED}a b c\n".splitlines(), 1), "file", Columns())
    assert [next(words), next(words)] == [["1"], ["1"]]
    with pytest.raises(UserError, match="has 3 columns"):
        next(words)
    endless = ((number, "1 a" if number % 2 else "") for number in count(1))
    assert next(read_words(endless, "file", Columns())) == ["1"]


def test_a_sentence_is_bounded_however_many_lines_it_has() -> None:
    for word, says in (("a", "more than 40,000 words"), ("words", "longer than 200,000 characters")):
        endless = ((number, word) for number in count(1))
        with pytest.raises(UserError, match=says):
            next(read_words(endless, "file", Columns()))


@pytest.mark.parametrize(
    ("text", "columns", "sentences"),
    [
        ("Score O\n\n1-0 O\n\nAnna O\n", Columns(), [["Score"], ["1-0"], ["Anna"]]),
        ("3.5\n\nAnna\nleft\n", Columns(), [["3.5"], ["Anna", "left"]]),
        ("1\n2\n3-4\n", Columns(), [["1", "2", "3-4"]]),
        ("1-2\tdel\n1\tde\n2\tel\n", Columns(1), [["de", "el"]]),
        ("1-2\tdel\n", Columns(-1), [["del"]]),  # no row that the range could be of
        ("1-0\tO\n\nAnna\tO\n", Columns(-2), [["1-0"], ["Anna"]]),
    ],
)
def test_words_that_look_like_the_ranges_of_conll_u_are_words(
    text: str, columns: Columns, sentences: list[list[str]]
) -> None:
    assert read(text, columns) == sentences
