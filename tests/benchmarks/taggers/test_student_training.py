import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.taggers.student_training import Recipe
from pipeline.distillation.registry import method_settings
from pipeline.errors import UserError
from pipeline.storage.file_names import HISTORY
from pipeline.storage.sealed_folder import new_folder
from pipeline.training.student_settings import student_settings

TRAINING: dict[str, Any] = {"layers": 3, "epochs": 5, "learning_rate": 1e-4, "head_learning_rate": 1e-3}


def student(folder: Path, **made: Any) -> Path:
    with new_folder(folder) as aside:
        record = {"method": "structural", "settings": {"weight": 0.5}, "seed": 7, "training": TRAINING} | made
        (aside / HISTORY).write_text(json.dumps({"epochs": [], "kept": 0, "made": record}))
    return folder


def test_a_students_folder_says_how_it_was_trained(tmp_path: Path) -> None:
    recipe = Recipe.of(student(tmp_path / "student"))
    assert (recipe.method, recipe.own, recipe.seed) == ("structural", {"weight": 0.5}, 7)
    assert (recipe.student.layers, recipe.student.epochs) == (3, 5)
    assert recipe.with_epochs(1).student.epochs == 1
    made = recipe.as_json()
    assert (made["method"], made["settings"], made["seed"]) == ("structural", {"weight": 0.5}, 7)
    assert made["training"].items() >= TRAINING.items()


def test_students_without_a_like_in_the_trainer_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no student of a run"):
        Recipe.of(student(tmp_path / "teacher", method="teacher"))
    bilstm = Recipe.of(student(tmp_path / "bilstm", training=TRAINING | {"network": "bilstm"}))
    with pytest.raises(UserError, match="network is bilstm"):
        bilstm.check_like_in_trainer()
    steps = Recipe.of(student(tmp_path / "steps", training=TRAINING | {"epochs": None, "steps": 100}))
    with pytest.raises(UserError, match="its epochs None"):
        steps.check_like_in_trainer()
    assert steps.with_epochs(2).student.epochs == 2


def test_other_epochs_come_before_those_of_the_method(tmp_path: Path) -> None:
    """What a method sets for itself holds for its student (`train_student`)."""
    recipe = Recipe.of(student(tmp_path / "student", settings={"epochs": 8})).with_epochs(1)
    settings = method_settings(recipe.method)(**recipe.own)
    assert student_settings(recipe.student, settings).epochs == 1


def test_a_bilstm_is_named_as_one(tmp_path: Path) -> None:
    bilstm = student(tmp_path / "bilstm", training=TRAINING | {"network": "bilstm"})
    assert Recipe.of(bilstm).name == "student, structural, BiLSTM"
    assert Recipe.of(student(tmp_path / "student")).name == "student, structural"
