"""params.yaml with a teacher that exists, or without labelled sentences: what does not go together."""

import copy
from typing import Any

import pytest

from tests.helpers.params_cases import TREE, Load, Refuse, changed
from tests.helpers.params_cases import (
    load_fixture as load_fixture,
)
from tests.helpers.params_cases import (
    path_fixture as path_fixture,
)
from tests.helpers.params_cases import (
    refuse_fixture as refuse_fixture,
)

GIVEN = TREE | {
    "teacher": TREE["teacher"] | {"model": "org/ner", "types": {"PER": "PERSON", "MISC": None}},
    "student": TREE["student"] | {"init": "pretrained"},
}


def test_a_teacher_that_exists_takes_the_encoders_place(load: Load) -> None:
    params = load(GIVEN | {"sources": TREE["sources"] | {"ner": {"source": "folder"}}})
    assert params.encoder.source == "org/ner"
    assert params.teacher.types == {"PER": "PERSON", "MISC": None}
    assert load(changed("teacher.model", "all-MiniLM-L6-v2")).encoder.source.startswith("pypi:")
    # Whether it has a CRF is not known here, so that no method is refused for it.
    softmax = {"student": TREE["student"] | {"head": "softmax"}}
    load(GIVEN | {"student": GIVEN["student"] | {"head": "softmax"}})
    load(TREE | softmax | {"dump": TREE["dump"] | {"scores": "x.parquet"}})  # whose pairs have scores of 0


@pytest.mark.parametrize(
    ("tree", "says"),
    [
        (GIVEN | {"folds": [1, 2]}, "folds: cross-fitting and several teachers need teachers trained here"),
        (
            GIVEN | {"teachers": [1, 2]},
            "teachers: cross-fitting and several teachers need teachers trained here",
        ),
        (
            GIVEN | {"student": TREE["student"]},
            "student.init: `teacher` starts from the teacher's first layers, which do not fit teacher.types",
        ),
        (changed("teacher.types", {"PER": "PERSON"}), "teacher.types: is not used without teacher.model"),
        (changed("teacher.scheme", "iob1"), "teacher.scheme: is not used without teacher.model"),
        (changed("teacher.types", {"PER": 3}), "teacher.types.PER: must be a valid string"),
        (changed("teacher.scheme", "iob3"), "teacher.scheme: must be 'iob1', 'iob2'"),
        (changed("teacher.model", ""), "teacher.model: must have at least 1 character"),
    ],
)
def test_settings_that_do_not_go_with_the_teacher_are_refused(
    refuse: Refuse, tree: dict[str, Any], says: str
) -> None:
    assert refuse(tree).startswith(f": {says}")


def text_alone(**changes: Any) -> dict[str, Any]:
    """Parameters for students that learn from unlabelled text alone; `changes` go into the groups."""
    tree = copy.deepcopy(GIVEN) | {"task": "mine", "methods": ["kbest"], "method": "kbest"}
    tree["corpora"]["mine"] = {"files": {"test": "test.txt"}}
    tree["unlabelled"] |= {"files": "text.txt"}
    tree["distill"]["kbest"] |= {"schedule": "constant", "weight": 1.0}
    for group, values in changes.items():
        tree[group] = tree[group] | values if isinstance(values, dict) else values
    return tree


def test_a_corpus_may_have_no_labelled_sentence(load: Load) -> None:
    assert load(text_alone()).corpus.files.by_split() == {"test": ("test.txt",)}
    assert load(text_alone(corpora={"mine": {"files": {}}})).corpus.files.by_split() == {}
    assert load(TREE | {"corpora": TREE["corpora"] | {"mine": {"files": {}}}})  # not the task's


MINE = {"files": {"test": "test.txt"}}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"teacher": {"model": None, "types": {}}},
            "corpora.mine.files.train: is missing; add it, or name",
        ),
        (
            {"student": {"labelled_share": 0.5, "steps": 9, "epochs": None}},
            "student.labelled_share: corpora.mine",
        ),
        (
            {"unlabelled": {"augmented": 2}},
            "unlabelled.augmented: corpora.mine has no files.train to augment",
        ),
        ({"unlabelled": {"files": None}}, "corpora.mine.files.train: is missing; add it, or give unlabelled"),
        (
            {"unlabelled": {"sentences": 0}},
            "corpora.mine.files.train: is missing; add it, or set unlabelled.sentences to more than 1",
        ),
        (
            {"unlabelled": {"sentences": 1}},
            "corpora.mine.files.train: is missing; add it, or set unlabelled.sentences to more than 1",
        ),
        (
            {"methods": ["vanilla", "kbest"]},
            "methods: vanilla learns from gold tags, and corpora.mine has",
        ),
        (
            {"methods": ["kbest", "posterior"]},
            "distill.posterior.schedule: must be constant and weight 1.0, as corpora.mine has no files.train",
        ),
        (
            {"distill": {"kbest": {"schedule": "constant", "weight": 0.9}}},
            "distill.kbest.schedule: must be constant and weight 1.0",
        ),
        ({"corpora": {"mine": MINE | {"hold_out": 3}}}, "corpora.mine.hold_out: is not used without"),
        ({"corpora": {"mine": {"files": {"dev": "d"}}}}, "corpora.mine.files.dev: is not used without"),
        ({"corpora": {"mine": {"files": {"train": "d"}}}}, "corpora.mine.files.test: is missing; add it"),
        (
            {"corpora": {"mine": MINE | {"counts": {"train": [1, 1]}}}},
            "corpora.mine.counts.train: there is no files.train; remove it",
        ),
        (
            {"corpora": {"mine": MINE | {"checksums": {"train": "md5:" + "0" * 32}}}},
            "corpora.mine.checksums.train: there is no files.train; remove it",
        ),
    ],
)
def test_without_labelled_sentences_nothing_may_need_a_gold_tag(
    refuse: Refuse, changes: dict[str, Any], says: str
) -> None:
    assert refuse(text_alone(**changes)).startswith(f": {says}")
