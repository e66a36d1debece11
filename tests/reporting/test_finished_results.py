"""The results of a run, read from folders as the stages write them; what is missing names its stage."""

import json
import shutil
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.reporting.finished_results import Results
from pipeline.reporting.summary import summarise
from pipeline.storage.sealed_folder import new_folder
from tests.helpers.sample_results import TIMING, TRANSITIONS, evaluation, write

WRONG = {"vanilla": {1: (0, 1), 4: (0,)}, "kbest": {1: (1,), 4: ()}}


def write_model(folder: Path, epochs: int, **made: object) -> None:
    history = [{"epoch": n + 1, "loss": 1.0 / (n + 1), "development_f1": 10.0 * n} for n in range(epochs)]
    with new_folder(folder) as aside:
        (aside / "history.json").write_text(
            json.dumps({"epochs": history} | ({"made": made} if made else {}))
        )


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folders of a teacher and of two methods with the seeds 1 and 4."""
    root = tmp_path_factory.mktemp("finished")
    write(root / "eval" / "teacher", evaluation())
    write_model(root / "teacher", 3, method="teacher", seed=9)
    for method, seeds in WRONG.items():
        for seed, wrong in seeds.items():
            write(root / "eval" / method / str(seed), evaluation(*wrong))
            write_model(root / "students" / method / str(seed), 2, method=method, seed=seed)
    (root / "timing.json").write_text(json.dumps(TIMING))
    return root


def read(
    root: Path, methods: tuple[str, ...] = ("vanilla", "kbest"), seeds: tuple[int, ...] = (1, 4)
) -> Results:
    return Results.read(
        root / "eval",
        root / "teacher",
        root / "students",
        root / "timing.json",
        task="toy",
        methods=methods,
        seeds=seeds,
    )


def test_all_is_read_and_summarised(finished: Path) -> None:
    results = read(finished)
    students = {name: {s: evaluation(*wrong) for s, wrong in seeds.items()} for name, seeds in WRONG.items()}
    assert results.summary == summarise(evaluation(), students, task="toy", scheme="iob2")
    assert results.timing == TIMING
    assert results.teacher.predicted == evaluation().predicted
    assert results.students["kbest"][1].predicted == evaluation(1).predicted
    teacher, curves = results.curves
    assert [epoch["epoch"] for epoch in teacher] == [1, 2, 3]
    assert [epoch["epoch"] for epoch in curves["vanilla"][4]] == [1, 2]
    assert results.best == ("kbest", 1)  # both seeds have one F1 on development: the first
    assert results.transitions == ((TRANSITIONS["tags"], TRANSITIONS["scores"]),) * 2
    assert results.made == {
        "teacher": {"method": "teacher", "seed": 9},
        "vanilla": {"method": "vanilla", "seed": 1},
        "kbest": {"method": "kbest", "seed": 1},
    }


def test_only_the_methods_and_seeds_that_are_asked_for_are_read(finished: Path) -> None:
    results = read(finished, ("vanilla",), (4,))
    assert {name: [*seeds] for name, seeds in results.students.items()} == {"vanilla": [4]}
    assert results.best == ("vanilla", 4)
    assert results.made["vanilla"] == {"method": "vanilla", "seed": 4}


def test_runs_are_the_evaluations_of_each_model_in_order(finished: Path) -> None:
    results = read(finished)
    assert {name: len(runs) for name, runs in results.runs.items()} == {
        "teacher": 1,
        "vanilla": 2,
        "kbest": 2,
    }
    assert results.runs["kbest"][1] is results.students["kbest"][4]
    assert results.runs["teacher"] == [results.teacher]


@pytest.mark.parametrize(
    ("gone", "says"),
    [
        ("eval/teacher", r"eval/teacher: missing or unfinished; run `dvc repro evaluate_teacher`$"),
        ("eval/kbest/4", r"eval/kbest/4: missing or unfinished; run `dvc repro evaluate@kbest-4`$"),
        ("teacher", r"/teacher: missing or unfinished; run `dvc repro teacher`$"),
        ("students/vanilla/1", r"vanilla/1: missing or unfinished; run `dvc repro distill@vanilla-1`$"),
        ("timing.json", r"timing\.json: missing; run `dvc repro time_epochs`$"),
    ],
)
def test_what_is_missing_is_one_line_that_names_its_stage(
    finished: Path, tmp_path: Path, gone: str, says: str
) -> None:
    root = shutil.copytree(finished, tmp_path / "run")
    path = root / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(UserError, match=says):
        read(root)


def test_an_evaluation_on_another_test_set_is_refused(finished: Path, tmp_path: Path) -> None:
    root = shutil.copytree(finished, tmp_path / "run")
    shutil.rmtree(root / "eval/kbest/1")
    write(root / "eval/kbest/1", evaluation(1, repeat=2))
    with pytest.raises(UserError, match="not evaluated on the same test sentences"):
        read(root)


@pytest.mark.parametrize(
    ("model", "target"), [("teacher", "evaluate_teacher"), ("kbest/1", "evaluate@kbest-1")]
)
def test_transitions_that_are_none_name_the_stage_that_writes_them(
    finished: Path, tmp_path: Path, model: str, target: str
) -> None:
    root = shutil.copytree(finished, tmp_path / "run")
    with new_folder(root / "eval" / model) as aside:
        for name in ("metrics.json", "predictions.parquet"):
            shutil.copy(finished / "eval" / model / name, aside)
        (aside / "transitions.json").write_text("{}")
    with pytest.raises(UserError, match=rf"transitions\.json: holds no `scores` .* --force {target}`$"):
        read(root)
