"""Items of a matrix, as DVC names them."""

from collections.abc import Callable
from typing import Any

import pytest

from pipeline.errors import UserError
from stages.items import number_of, student_of, teacher_of


@pytest.mark.parametrize(
    ("read", "item", "lists"),
    [
        (student_of, "distill@kbest--1", "methods and seeds"),  # seeds: [-1]
        (teacher_of, "dump@1-0", "teachers and folds"),
        (number_of, "unlabelled@0", "teachers"),
    ],
)
def test_an_item_of_a_wrong_list_names_the_parameters(
    read: Callable[[str], Any], item: str, lists: str
) -> None:
    """A stage reads its item first, and the stages that refuse params.yaml have run before."""
    with pytest.raises(UserError, match=rf"correct {lists} in params\.yaml$"):
        read(item)
