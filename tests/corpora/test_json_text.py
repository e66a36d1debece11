"""JSON is known by its first lines; sentences that begin with a bracket are none."""

import json
import time
from typing import Any

import pytest

from pipeline.corpora.json_text import JsonStart, json_kind

OBJECT = {"text": 'Anna "Ann" left.\\', "id": -1.5e3, "ok": [None, True, False], "tags": {}}


@pytest.mark.parametrize("indent", [None, 0, 2])
@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (OBJECT, "object"),
        ({"tokens": ["Anna", "left"]}, "object"),
        ([OBJECT, OBJECT], "array of objects"),
        (["Anna left.", "Ben stays."], "array"),
        ([["Anna", "left"], ["Ben"]], "array"),
    ],
)
def test_json_on_one_line_or_several(value: Any, kind: str, indent: int | None) -> None:
    text = json.dumps(value, indent=indent)
    assert json_kind(f"\n  \n{text}\n".split("\n")) == kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('[{"text": "a"},\n{"text": "b"}]', "array of objects"),
        ('[\n{\n"text":\n"a"', "array of objects"),
        ('{ "text": "a",', "object"),
        ("{}", "object"),
        ('["a"', "array"),
        ('[3, "a"]', "array"),
        ('[\n\n"a",', "array"),
    ],
)
def test_json_that_is_cut_anywhere(text: str, kind: str) -> None:
    assert json_kind(text.split("\n")) == kind


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "{\nAnna left.",
        "[\nAnna left.",
        '[\n"Anna left," he said.',
        '{\n"Anna left."',
        "[Reuters] Anna left.",
        "[1] See above.",
        "[1]",
        "[1, 2]",
        "[]",
        "{Anna} left .",
        '{"Anna"}',
        '["No," he said.]',
        '["No", "yes"] are answers.',
        '{"a": 1} is an object.',
        '"Anna left."',
        "Anna left.\n[\n" + json.dumps(OBJECT),
        "[[Rome]] is a city.",
        "{{cite}}",
        "[" * 10 + '\n"a"',
    ],
)
def test_sentences_are_no_json(text: str) -> None:
    assert json_kind(text.split("\n")) is None


def test_no_line_is_waited_for() -> None:
    start = JsonStart()
    assert [start.look_at(line) for line in ("[", "{", '"text": "a"', "}")] == [
        None,
        None,
        "array of objects",
        None,
    ]


@pytest.mark.parametrize("text", ['"' * 200_001, "[" * 200_000, '["' + "\\" * 200_001, "[" + '"a",' * 50_000])
def test_long_lines_take_no_time(text: str) -> None:
    begun = time.process_time()
    json_kind([text, f"[{text}", *["[ " * 9] * 1000])
    assert time.process_time() - begun < 1
