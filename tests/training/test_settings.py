"""The group `student`: how long it trains, what it starts from, and what a method sets for itself."""

import copy
from typing import Any

import pytest

from pipeline.training.run_length import RunLength
from pipeline.training.student_settings import student_settings
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


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"student.steps": 100}, "student.steps: give either steps or epochs, and leave the other empty"),
        ({"student.epochs": None}, "student.steps: give either steps or epochs"),
        ({"student.labelled_share": 0.1}, "student.labelled_share: is used only with steps; empty it"),
        ({"student.labelled_share": 1.5}, "student.labelled_share: must be less than or equal to 1"),
        (
            {"student.labelled_share": 0.1, "student.epochs": None, "student.steps": 9}
            | {"unlabelled.sentences": 0},
            "student.labelled_share: is used only with unlabelled text",
        ),
        ({"student.patience": 0}, "student.patience: must be greater than 0"),
        ({"teacher.epochs": None}, "teacher.epochs: must be a valid integer"),
        (
            {"student.epochs": None, "student.steps": 9, "distill.kbest.epochs": 2},
            "distill.kbest.epochs: student.steps is given; empty one of them",
        ),
    ],
)
def test_a_run_is_counted_in_epochs_or_in_steps(
    load: Load, refuse: Refuse, changes: dict[str, Any], says: str
) -> None:
    tree = copy.deepcopy(TREE)
    for key, value in changes.items():
        *groups, last = key.split(".")
        group = tree
        for name in groups:
            group = group[name]
        group[last] = value
    assert refuse(tree).startswith(f": {says}")
    tree = copy.deepcopy(TREE)
    tree["student"] |= {"epochs": None, "steps": 1000, "labelled_share": 0.25, "patience": 3}
    assert load(tree).student.length(7) == RunLength(1000, 500, 3)


def test_a_method_may_set_for_itself_what_students_start_from_and_how_they_train(load: Load) -> None:
    tree = changed("distill.kbest", {"init": "pretrained", "epochs": 9, "learning_rate": None})
    tree["student"]["init"] = "teacher"
    tree["distill"]["efficient"] = {}
    params = load(tree)
    student = params.student
    own = student.model_copy(update={"init": "pretrained", "epochs": 9})
    assert student_settings(student, params.settings("kbest")) == own
    assert student_settings(student, params.settings("efficient")) == student


@pytest.mark.parametrize("other", [{"encoder": "org/name"}, {"network": "bilstm"}])
@pytest.mark.parametrize(
    ("init", "own", "key"),
    [
        ("teacher", None, "student.init"),
        ("pretrained", "teacher", "distill.structural.init"),
        ("teacher", "pretrained", None),
        ("pretrained", None, None),
    ],
)
def test_only_layers_of_the_teachers_encoder_start_from_the_teacher(
    load: Load, refuse: Refuse, other: dict[str, str], init: str, own: str | None, key: str | None
) -> None:
    tree = copy.deepcopy(TREE) | {"methods": ["structural"], "method": "structural"}
    tree["student"] |= other | {"init": init}
    tree["distill"]["structural"]["init"] = own
    named = "student.encoder" if "encoder" in other else "student.network: bilstm"
    if key is None:
        load(tree)
    else:
        assert refuse(tree).startswith(
            f": {key}: `teacher` starts from the teacher's first layers, which do not fit {named}; set"
        )
