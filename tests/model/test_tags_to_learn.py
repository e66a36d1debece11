"""The tags of the corpus, or without a labelled sentence those of the teacher."""

import json
import logging
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.corpora.tagging import Sentence
from pipeline.model.tags_to_learn import tags_to_learn


def sentences(*tags: str) -> list[Sentence]:
    return [Sentence(("word",) * len(tags), tags)] * 2


@pytest.fixture
def teacher(tmp_path: Path) -> Path:
    labels = dict(enumerate(["O", "B-PER", "I-PER"]))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert", "id2label": labels}))
    return tmp_path


def learnt(train: Sequence[Sentence], dev: Sequence[Sentence], test: Sequence[Sentence], folder: Path) -> str:
    tag_set = tags_to_learn({"train": train, "dev": dev, "test": test}, "iob2", folder, {}, None)
    return " ".join(tag_set.tags)


def test_labelled_sentences_say_the_tags_and_the_teacher_is_not_asked(tmp_path: Path) -> None:
    train, dev, test = sentences("B-ORG"), sentences("O", "B-LOC"), sentences("B-PER")
    assert learnt(train, dev, test, tmp_path / "nothing") == "O B-LOC I-LOC B-ORG I-ORG"


def test_without_any_the_teacher_does(teacher: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert learnt([], [], [], teacher) == "O B-PER I-PER"
        assert learnt([], [], sentences("B-PER", "O"), teacher) == "O B-PER I-PER"
    assert not caplog.messages


def test_tags_of_the_test_split_that_the_teacher_lacks_are_told(
    teacher: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        learnt([], [], sentences("B-PER", "B-ORG", "I-ORG"), teacher)
    assert caplog.messages == [
        "test: 4 words with tags that the teacher cannot give (B-ORG (2), I-ORG (2)); write under "
        "teacher.types what its types are in the corpus, or correct the tags"
    ]
