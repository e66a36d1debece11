"""What is written can be read back: columns by the corpus reader, lines by JSON, text by people."""

import json
from pathlib import Path

import pytest

from pipeline.corpora.conll import read_conll
from pipeline.corpora.tagging import Sentence, TagSet
from pipeline.inference.rendering import Format, renderer
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
