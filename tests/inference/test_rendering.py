"""What is written can be read back: columns by the corpus reader, lines by JSON, text by people."""

import io
import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.corpora.conll import DOCUMENT, read_conll
from pipeline.corpora.schemes import to_iob2
from pipeline.corpora.tagging import Sentence, TagSet
from pipeline.corpora.text_stream import Layout, read_stream
from pipeline.corpora.word_columns import Columns
from pipeline.errors import UserError
from pipeline.inference.rendering import Format, column_separator, renderer
from pipeline.inference.tagger import Entity, Tagged

ROME = Tagged(
    "Ann\u00e9 Ba (Rome)",
    ("Ann\u00e9", "Ba", "(", "Rome", ")"),
    ((0, 4), (5, 7), (8, 9), (9, 13), (13, 14)),
    ("B-PER", "I-PER", "O", "B-LOC", "O"),
    (Entity("PER", 0, 7, "Ann\u00e9 Ba", 0.75), Entity("LOC", 9, 13, "Rome", 0.5)),
)
TAGS = TagSet(("O", "B-LOC", "I-LOC", "B-PER", "I-PER"))
EMPTY = Tagged(" ", (), (), (), ())


def test_conll_is_read_back(tmp_path: Path) -> None:
    render = renderer("conll", TAGS)
    (tmp_path / "out").write_text(render(ROME) + render(EMPTY) + render(ROME), encoding="utf-8")
    assert render(EMPTY) == "\n"
    assert list(read_conll(tmp_path / "out")) == 2 * [Sentence(ROME.words, ROME.tags)]


def test_conll_is_read_back_though_tags_hold_spaces(tmp_path: Path) -> None:
    tagged = Tagged("Rome", ("Rome",), ((0, 4),), ("B-holy city",), (Entity("holy city", 0, 4, "Rome", 1.0),))
    render = renderer("conll", TagSet(("O", "B-holy city", "I-holy city")))
    (tmp_path / "out").write_text(render(tagged), encoding="utf-8")
    assert list(read_conll(tmp_path / "out", separator="\t")) == [Sentence(tagged.words, tagged.tags)]


@pytest.mark.parametrize(("separator", "word"), [("\t", "New York"), (",", "New York"), (" ", "New\tYork")])
def test_conll_is_read_back_though_words_hold_spaces(tmp_path: Path, separator: str, word: str) -> None:
    tagged = Tagged(f"{word} .", (word, "."), ((0, 8), (9, 10)), ("B-LOC", "O"), ())
    (tmp_path / "out").write_text(renderer("conll", TAGS, given=separator)(tagged), encoding="utf-8")
    found = read_conll(tmp_path / "out", separator=column_separator(TAGS, separator))
    assert list(found) == [Sentence(tagged.words, tagged.tags)]


@pytest.mark.parametrize("word", ["New\tYork", "-DOCSTART-", "-DOCSTART-,x"])
def test_a_word_that_columns_cannot_hold_is_refused(word: str) -> None:
    tagged = Tagged(f"{word} .", (word, "."), ((0, 8), (9, 10)), ("B-LOC", "O"), ())
    with pytest.raises(UserError, match=rf"^--format conll: the word {re.escape(repr(word))} "):
        renderer("conll", TAGS, given=",")(tagged)
    assert json.loads(renderer("jsonl", TAGS, given=",")(tagged))["words"] == [word, "."]


PIECES = st.sampled_from(
    ["a", "Rome", "1", ".", "-", "#", ",", " ", "\t", "\xa0", "\u200d", DOCUMENT, "New York"]
)
CELLS = st.lists(
    PIECES | st.characters(codec="utf-8", exclude_characters="\ufeff\n\r\0"), min_size=1, max_size=4
).map("".join)


@st.composite
def inputs(draw: st.DrawFn) -> tuple[str, Layout, Columns]:
    """A text, its layout and, where that is columns, how they are read; not every one can be read."""
    layout: Layout = draw(st.sampled_from(["text", "characters", "words", *4 * ["columns"]]))
    if layout != "columns":
        return "\n".join(draw(st.lists(CELLS, max_size=6))), layout, Columns()
    separator, width = draw(st.sampled_from([None, "\t", " ", ",", "||"])), draw(st.integers(1, 2))
    lines = draw(st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=4))
    columns = Columns(draw(st.integers(-1, width - 1)), separator)
    return "\n".join((separator or "\t").join(cells) for cells in lines), layout, columns


TAG_SETS = (TAGS, TagSet(("O", "B-holy city", "I-holy city")), TagSet(("noun", "O", "x y", "1,|"), "plain"))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("written") / "columns"


@settings(max_examples=1000)
@given(st.data(), inputs(), st.sampled_from(TAG_SETS))
def test_whatever_predict_takes_is_read_back_or_refused(
    written: Path, data: st.DataObject, taken: tuple[str, Layout, Columns], tag_set: TagSet
) -> None:
    """Spans stay the same: reading makes a B- of an I- that continues nothing."""
    text, layout, columns = taken
    render = renderer("conll", tag_set, given=columns.separator)
    output, wanted, refusal = "", [], ""
    try:
        for sentence in read_stream(io.BufferedReader(io.BytesIO(text.encode())), "text", layout, columns):
            size = len(sentence.words)
            tags = tuple(data.draw(st.lists(st.sampled_from(tag_set.tags), min_size=size, max_size=size)))
            output += render(Tagged(sentence.text, sentence.words, sentence.offsets, tags, ()))
            if size:
                wanted.append(Sentence(sentence.words, to_iob2(tags, tag_set.scheme)[0]))
    except UserError as error:
        refusal = str(error)
    assert "--format" not in refusal or "\\t" in refusal or DOCUMENT in refusal
    if wanted:
        written.write_text(output, encoding="utf-8", newline="")
        between = column_separator(tag_set, columns.separator)
        assert list(read_conll(written, scheme=tag_set.scheme, separator=between)) == wanted


def test_json_lines_hold_everything() -> None:
    line = renderer("jsonl", TAGS)(ROME)
    assert line.index("\n") == len(line) - 1
    assert "\u00e9" in line
    assert json.loads(line) == {
        "text": ROME.text,
        "words": ["Ann\u00e9", "Ba", "(", "Rome", ")"],
        "offsets": [[0, 4], [5, 7], [8, 9], [9, 13], [13, 14]],
        "tags": ["B-PER", "I-PER", "O", "B-LOC", "O"],
        "spans": [
            {"type": "PER", "start": 0, "end": 7, "text": "Ann\u00e9 Ba", "confidence": 0.75},
            {"type": "LOC", "start": 9, "end": 13, "text": "Rome", "confidence": 0.5},
        ],
    }


def test_text_marks_the_spans_where_they_stand() -> None:
    assert renderer("text", TAGS)(ROME) == "[Ann\u00e9 Ba PER] ([Rome LOC])\n"
    assert renderer("text", TAGS)(EMPTY) == " \n"
    plain = Tagged(
        "a b",
        ("a", "b"),
        ((0, 1), (2, 3)),
        ("X", "Y"),
        (Entity("X", 0, 1, "a", 1.0), Entity("Y", 2, 3, "b", 1.0)),
    )
    assert renderer("text", TagSet(("X", "Y"), "plain"))(plain) == "a/X b/Y\n"


def test_colour_is_around_the_spans_alone_and_differs_by_type() -> None:
    line = renderer("text", TAGS, colour=True)(ROME)
    colours = [part.partition("m")[0] for part in line.split("\x1b[")[1:]]
    assert len(colours) == 4
    assert colours[1] == colours[3] == "0"
    assert colours[0] != colours[2]


@pytest.mark.parametrize("format", ["conll", "jsonl", "text"])
@pytest.mark.parametrize("colour", [False, True])
def test_neither_words_nor_tags_give_orders_to_the_terminal(format: Format, colour: bool) -> None:
    evil = "\x1b[2J\x07\u202eab\x9b"
    span = Entity(evil, 0, 8, evil, 1.0)
    tagged = Tagged(evil + " x", (evil, "x"), ((0, 8), (9, 10)), (f"B-{evil}", "O"), (span,))
    lines = renderer(format, TAGS, terminal=True, colour=colour)(tagged)
    assert not set("\x07\u202e\x9b") & set(lines)
    assert "\x1b[2J" not in lines
    assert lines.endswith("\n")
    assert "ab" in lines


@pytest.mark.parametrize("format", ["conll", "jsonl", "text"])
def test_files_hold_every_character(format: Format) -> None:
    odd = "a\u200e\u202e\x9b\u202f\u200d"
    tagged = Tagged(odd, (odd,), ((0, 6),), ("O",), ())
    assert odd in renderer(format, TAGS)(tagged)


@pytest.mark.parametrize("format", ["conll", "jsonl", "text"])
def test_a_terminal_gets_the_spaces_and_joiners_that_languages_need(format: Format) -> None:
    french, persian, family = "12\u202f000\u2009x", "\u0645\u06cc\u200c\u062e", "\U0001f469\u200d\u2695"
    for text in (french, persian, family):
        tagged = Tagged(text, (text,), ((0, len(text)),), ("O",), ())
        assert text in renderer(format, TAGS, terminal=True)(tagged)


@pytest.mark.parametrize("format", ["conll", "jsonl", "text"])
def test_one_sentence_ends_its_last_line(format: Format) -> None:
    assert renderer(format, TAGS)(ROME).endswith("\n")
