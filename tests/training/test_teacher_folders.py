"""Which teacher scores which sentences, and where its scores lie."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.training.teacher_folders import TeacherFolders


def folders(**changes: Any) -> TeacherFolders:
    return TeacherFolders(Path("teacher"), Path("first"), Path("others"), Path("scores"), **changes)


def named(paths: list[Path]) -> list[str]:
    return [path.as_posix() for path in paths]


@pytest.mark.parametrize(
    ("counts", "scoring"),
    [
        ({}, {(1, 1): "first"}),
        ({"teachers": 3}, {(1, 1): "first", (2, 1): "others/further/2", (3, 1): "others/further/3"}),
        ({"folds": 2}, {(1, 1): "others/fold/1", (1, 2): "others/fold/2"}),
    ],
)
def test_every_sentence_has_the_scores_of_a_teacher_that_has_not_seen_it(
    counts: dict[str, int], scoring: dict[tuple[int, int], str]
) -> None:
    found = folders(**counts)
    assert {place: found.scoring(*place).as_posix() for place in scoring} == scoring
    stores = [found.store(*place) for place in scoring]
    assert named(stores) == [f"scores/{number}/{fold}" for number, fold in scoring]
    assert found.stores == stores


def test_numbers_count_the_teachers_from_1() -> None:
    assert [*folders().numbers] == [1]
    assert [*folders(teachers=3).numbers] == [1, 2, 3]


def test_text_is_scored_by_every_teacher_of_all_sentences_and_by_none_of_a_fold() -> None:
    text = {"text_scores": Path("text")}
    several, cross = folders(teachers=2, **text), folders(folds=3, **text)
    assert named(several.text_scoring) == ["first", "others/further/2"]
    assert named(several.text_stores) == ["text/1", "text/2"]
    assert named(several.stores) == ["scores/1/1", "scores/2/1", "text/1", "text/2"]
    assert named(cross.text_scoring) == ["first"]
    assert named(cross.stores) == ["scores/1/1", "scores/1/2", "scores/1/3", "text/1"]


def test_without_text_there_are_no_stores_of_it() -> None:
    assert folders(teachers=2).text_stores == []
