"""Items of a matrix, as DVC names them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UserError
from stages.items import fold_of, student_of, teacher_and_fold_of, teacher_of
from tests.helpers.params_cases import TREE, load_from


@pytest.mark.parametrize(
    ("read", "item", "lists"),
    [
        (student_of, "distill@kbest--1", "methods and seeds"),  # seeds: [-1]
        (student_of, "kbest-" + 20 * "9", "methods and seeds"),  # of more digits than a seed has
        (teacher_and_fold_of, "dump@1-0", "teachers and folds"),
        (teacher_of, "dump_text@0", "teachers"),
        (fold_of, "fold_teacher@x", "folds"),
    ],
)
def test_an_item_of_a_wrong_list_names_the_parameters(
    read: Callable[[str], Any], item: str, lists: str
) -> None:
    """A stage reads its item first, and the stages that refuse params.yaml have run before."""
    with pytest.raises(UserError, match=rf"correct {lists} in params\.yaml$"):
        read(item)


def test_an_item_that_params_yaml_does_not_list_is_refused(tmp_path: Path) -> None:
    """A third fold of two would have no sentence, and its teacher would have seen all of them."""
    params = load_from(tmp_path / "params.yaml", TREE | {"folds": [1, 2]})
    assert params.folds_of(1, 2) == 2
    for item, says in (
        ((1, 3), "no 3 under `folds`"),
        ((2, 1), "no 2 under `teachers`"),
    ):
        with pytest.raises(UserError, match=f"^--item: params.yaml lists {says}; choose one that is listed$"):
            params.folds_of(*item)
