import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.pages.recipe_tables import DEFAULTS, recipe_section
from benchmarks.studies.recipe import EPOCHS, settings_of
from pipeline.params import load_params
from tests.helpers.recorded_runs import RUN, recorded_in

ROOT = Path(__file__).parents[3]


@pytest.fixture
def study(tmp_path: Path) -> dict[str, Any]:
    summary = json.loads((recorded_in(tmp_path) / "toy-cpu" / "summary.json").read_text())
    of = summary["methods"]
    of["structural without text"] = of["structural with text"] = of.pop("kbest")
    return {
        "task": "toy",
        "summary": summary,
        "sentences": {"train": 1_000, "text": 9_876},
        "minutes": {"teacher": 10.0, "undistilled": 2.4, "without text": 3.0, "with text": 5.0},
        "settings": settings_of(1_000),
        "runs": {"undistilled": RUN},
    }


def test_a_row_has_its_size_and_its_minutes_with_the_teachers(study: dict[str, Any]) -> None:
    fewer = study | {"sentences": {"train": 100, "text": 99_999}}
    lines = recipe_section([study, fewer]).splitlines()
    rows = [line.split(" | ") for line in lines if line.startswith("| 1")]
    assert [row[0] for row in rows] == ["| 100"] * 3 + ["| 1,000"] * 3
    assert [row[1:3] for row in rows[3:]] == [
        ["–", "`vanilla`"],
        ["–", "`structural`"],
        ["9,876", "`structural`"],
    ]
    assert [row[-1] for row in rows[3:]] == ["2 |", "13 |", "15 |"]
    assert "Commit 0123456789ab" in "\n".join(lines)


def test_a_command_sets_what_is_not_the_default(study: dict[str, Any]) -> None:
    text = recipe_section([study])
    assert "\n$ dvc exp run -S teacher.epochs=15 -S student.epochs=25\n" in text
    assert (
        "\n$ dvc exp run -S teacher.epochs=15 -S student.epochs=null -S student.steps=4000 "
        "-S unlabelled.files=data/own/mine/text.txt\n"
    ) in text


def test_what_a_command_leaves_out_is_the_default() -> None:
    tree = load_params(ROOT / "params.yaml").model_dump()
    for key, value in DEFAULTS.items():
        group, name = key.split(".")
        assert tree[group][name] == (None if value == "null" else value)


def test_every_size_has_its_settings() -> None:
    for labelled in EPOCHS:
        assert {"teacher", "undistilled", "without text", "with text"} == set(settings_of(labelled))


def test_without_a_study_nothing_is_written() -> None:
    assert recipe_section([]) == ""
