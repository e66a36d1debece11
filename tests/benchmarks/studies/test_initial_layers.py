"""The study of initial layers: the layers are the teacher's, and a stopped study goes on."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.studies import initial_layers as study
from benchmarks.studies.matched_layers import layers_of
from pipeline.model.chain_tagger import ChainTagger
from pipeline.params import load_params
from tests.helpers.params_cases import ROOT

ROWS = (study.Row("first", 0.0), study.Row("last", 1.0))
RELATIONS = study.What.RELATIONS


@pytest.mark.parametrize(
    ("start", "layers", "of", "expected"),
    [
        ("first", 2, 6, [0, 1]),
        ("last", 2, 6, [4, 5]),
        ("evenly spaced", 2, 6, [2, 5]),
        ("evenly spaced", 3, 12, [3, 7, 11]),
        ("evenly spaced", 3, 4, [0, 1, 3]),
        ("evenly spaced", 4, 4, [0, 1, 2, 3]),
    ],
)
def test_the_layers_that_are_chosen(start: str, layers: int, of: int, expected: list[int]) -> None:
    assert study.chosen(start, layers, of) == expected


def test_a_student_has_the_layers_and_the_head_of_its_teacher(data: Path) -> None:
    student = load_params(ROOT / "params.yaml").student
    model, teacher = study.start_from(data / "teacher", [1, 3], student), ChainTagger.load(data / "teacher")
    ours, theirs = (layers_of(one.encoder) for one in (model, teacher))
    assert (len(ours), len(theirs)) == (2, 4)
    for layer, number in zip(ours, (1, 3), strict=True):
        for name, tensor in layer.state_dict().items():
            assert torch.equal(tensor, theirs[number].state_dict()[name]), name
    assert torch.equal(model.emission.weight, teacher.emission.weight)
    assert torch.equal(model.transitions, teacher.transitions)


@pytest.fixture
def run(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The study of two rows, whose results go to `tmp_path`."""
    monkeypatch.setattr(study, "ROWS", {RELATIONS: ROWS})
    monkeypatch.setattr(study, "RESULTS", tmp_path)
    monkeypatch.setattr(study, "provenance", lambda params: {"commit": "abc"})
    monkeypatch.chdir(ROOT)
    return partial(study.main, "toy", "cpu", layers=2, epochs=1, data=data, matched=RELATIONS)


@pytest.fixture
def trained(data: Path, monkeypatch: pytest.MonkeyPatch) -> list[study.Row]:
    """The rows whose training was asked for; each gives the same student."""
    rows: list[study.Row] = []

    def train(work: Any, what: study.What, row: study.Row, *rest: Any) -> dict[str, Any]:
        rows.append(row)
        return {"folder": data / "student"}

    monkeypatch.setattr(study, "apart", train)
    return rows


def rows_of(folder: Path) -> Any:
    return json.loads((folder / "toy-initial-layers-attention-relations-cpu.json").read_text())["rows"]


def test_a_stopped_study_goes_on_behind_its_last_row(
    run: Any, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[study.Row] = []

    def train(work: Any, what: study.What, row: study.Row, *rest: Any) -> dict[str, Any]:
        trained.append(row)
        if len(trained) == 2:
            raise KeyboardInterrupt
        return {"folder": data / "student"}

    monkeypatch.setattr(study, "apart", train)
    with pytest.raises(KeyboardInterrupt):
        run()
    assert [row["start"] for row in rows_of(tmp_path)] == ["first"]
    run()
    assert trained == [ROWS[0], ROWS[1], ROWS[1]]
    assert [(row["start"], row["weight"]) for row in rows_of(tmp_path)] == [("first", 0.0), ("last", 1.0)]


@pytest.mark.parametrize(
    ("fact", "goes_on"),
    [({"date": "2030-01-02"}, True), ({"commit": "abd"}, False), ({"parameters": {"layers": 3}}, False)],
)
def test_rows_of_another_day_are_kept_and_those_of_other_code_or_settings_are_not(
    fact: dict[str, Any],
    goes_on: bool,
    run: Any,
    trained: list[study.Row],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run()
    made = {"commit": "abc", "date": "2030-01-01", "parameters": {"layers": 2}}
    path = tmp_path / "toy-initial-layers-attention-relations-cpu.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"run": made}))
    monkeypatch.setattr(study, "provenance", lambda params: made | fact)
    trained.clear()
    run()
    assert trained == ([] if goes_on else [*ROWS])


def test_rows_of_students_of_another_teacher_are_not_kept(
    run: Any, trained: list[study.Row], tmp_path: Path
) -> None:
    run()
    path = tmp_path / "toy-initial-layers-attention-relations-cpu.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"teacher": {"dev": 1.0, "test": 1.0}}))
    trained.clear()
    run()
    assert trained == [*ROWS]


@pytest.mark.slow
def test_students_are_trained_and_scored(run: Any, tmp_path: Path) -> None:
    run()
    assert all(
        0 < row[split]["1"] <= 100 for row in rows_of(tmp_path) for split in ("development_f1", "test_f1")
    )
