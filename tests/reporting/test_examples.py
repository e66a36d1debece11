"""The list of errors, of a few sentences that hand-made models tag."""

import json
from pathlib import Path

import pytest

from pipeline.reporting.examples import error_examples
from pipeline.reporting.stage_outputs import SavedEvaluation

WORDS = [["Ada", "Byron", "met", "Bo"], ["Rome", "fell"], ["it", "rains"], ["UN", "vote"]]
GOLD = [["B-PER", "I-PER", "O", "B-PER"], ["B-LOC", "O"], ["O", "O"], ["B-ORG", "O"]]
IDS = [10, 11, 12, 13]


def model(changes=None, confidence=0.5, *, words=WORDS, gold=GOLD, ids=IDS):
    """A model that tags as GOLD says, but for the sentences in `changes`; all as sure."""
    predicted = [(changes or {}).get(number, tags) for number, tags in enumerate(gold)]
    confidences = [[confidence] * len(tags) for tags in gold]
    return SavedEvaluation(Path("x"), {}, ids, words, gold, predicted, confidences)


def test_an_example_has_the_spans_of_gold_and_of_each_model_with_its_confidence():
    student = model({0: ["B-PER", "O", "O", "B-ORG"], 1: ["O", "O"]}, confidence=0.876)
    student.confidences[0][:2] = [0.994, 0.4]
    found = error_examples({"teacher": model(), "kbest": student}, scheme="iob2")
    assert found == {
        "types": ["LOC", "ORG", "PER"],
        "models": ["teacher", "kbest"],
        "errors": 2,
        "sentences": [
            {
                "id": 10,
                "words": WORDS[0],
                "gold": [[2, 0, 2], [2, 3, 4]],
                "found": [[[2, 0, 2, 50], [2, 3, 4, 50]], [[2, 0, 1, 99], [1, 3, 4, 88]]],
            },
            {"id": 11, "words": WORDS[1], "gold": [[0, 0, 1]], "found": [[[0, 0, 1, 50]], []]},
        ],
    }


def test_a_span_is_as_sure_as_the_least_sure_of_its_words():
    run = model({1: ["O", "O"]})
    run.confidences[0][:] = [0.9, 0.31, 1.0, 0.75]
    other = model({0: ["O"] * 4})
    found = error_examples({"teacher": run, "kbest": other}, scheme="iob2")
    assert found["types"] == ["LOC", "PER"]
    assert found["sentences"][0]["found"] == [[[1, 0, 2, 31], [1, 3, 4, 75]], []]


def test_models_without_an_error_have_no_examples():
    assert error_examples({"teacher": model(), "kbest": model()}, scheme="iob2") == {
        "types": [],
        "models": ["teacher", "kbest"],
        "errors": 0,
        "sentences": [],
    }


def test_a_test_set_without_sentences_has_no_examples():
    empty = model(words=[], gold=[], ids=[])
    assert error_examples({"teacher": empty}, scheme="iob2")["sentences"] == []


def test_plain_tags_are_spans_of_one_word():
    gold = [["DET", "NOUN"]]
    run = {"words": [["the", "cat"]], "gold": gold, "ids": [7]}
    found = error_examples(
        {"teacher": model(**run), "kbest": model({0: ["DET", "VERB"]}, **run)}, scheme="plain"
    )
    assert found["types"] == ["DET", "NOUN", "VERB"]
    assert found["sentences"][0]["gold"] == [[0, 0, 1], [1, 1, 2]]
    assert found["sentences"][0]["found"][1] == [[0, 0, 1, 50], [2, 1, 2, 50]]


@pytest.mark.parametrize("room", [0, 1, 2, 3])
def test_where_room_is_short_the_sentences_that_all_get_wrong_are_left_out_first(room):
    nothing = {number: ["O"] * len(tags) for number, tags in enumerate(GOLD)}
    everywhere, some = model(nothing), model({number: nothing[number] for number in (0, 3)})
    models = {"teacher": everywhere, "kbest": some}  # both err in 0 and 3, the teacher alone in 1
    whole = error_examples(models, scheme="iob2")
    assert [one["id"] for one in whole["sentences"]] == [10, 11, 13]
    size = {one["id"]: len(json.dumps(one).encode()) + 1 for one in whole["sentences"]}
    order = [11, 10, 13][:room]
    found = error_examples(models, scheme="iob2", limit=sum(size[id_] for id_ in order))
    assert [one["id"] for one in found["sentences"]] == sorted(order)
    assert (found["errors"], found["types"]) == (3, whole["types"])


def test_room_is_counted_in_bytes_of_utf_8():
    run = {"words": [["Åé日本"]], "gold": [["B-LOC"]], "ids": [1]}
    models = {"teacher": model(**run), "kbest": model({0: ["O"]}, **run)}
    (example,) = error_examples(models, scheme="iob2")["sentences"]
    size = len(json.dumps(example, ensure_ascii=False).encode()) + 1
    assert error_examples(models, scheme="iob2", limit=size)["sentences"] == [example]
    assert error_examples(models, scheme="iob2", limit=size - 1)["sentences"] == []
