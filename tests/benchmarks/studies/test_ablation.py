from collections.abc import Sequence
from types import SimpleNamespace

import pytest
import torch

from benchmarks.studies import ablation
from benchmarks.studies.ablation import ROWS, Setting, settings
from benchmarks.studies.experiment import PARAMS
from pipeline.params import load_params
from tests.helpers.params_cases import ROOT


def test_a_row_turns_what_it_says_and_takes_the_rest_as_tuned() -> None:
    changed = settings(
        "efficient", Setting("constant", 0.5, None, rate=4.0, head=2.0, epochs=2), (2e-4, 10), 1e-3
    )
    assert list(changed) == [
        "student.init=pretrained",
        "student.head_learning_rate=0.002",
        "distill.efficient.learning_rate=0.0008",
        "distill.efficient.epochs=20",
        "distill.efficient.schedule=constant",
        "distill.efficient.weight=0.5",
    ]


def test_a_method_without_a_teacher_has_no_schedule() -> None:
    assert not any(
        "schedule" in value or "weight" in value for value in settings("vanilla", Setting(), (1e-4, 5), 1e-3)
    )


def test_the_first_row_of_a_method_is_as_it_is_and_every_other_changes_something() -> None:
    params = load_params(ROOT / PARAMS)
    for method in {row[0] for row in ROWS}:
        first, *others = [row[2] for row in ROWS if row[0] == method]
        for name, value in params.settings(method).model_dump().items():
            if name in ("schedule", "weight", "temperature"):
                assert getattr(first, name) == value
        assert first not in others
        assert len(set(others)) == len(others)


def test_rows_take_the_heads_learning_rate_that_all_runs_have(monkeypatch: pytest.MonkeyPatch) -> None:
    params = load_params(ROOT / PARAMS)
    cell = {"learning_rate": 2e-4, "epochs": 5, "development_f1": dict.fromkeys(params.methods, 90.0)}
    monkeypatch.setattr(ablation, "searched_cells", lambda _: [cell])
    monkeypatch.setattr(ablation, "committed_params", lambda: params)
    monkeypatch.setattr(ablation, "accelerator", lambda _: SimpleNamespace(device=torch.device("cpu")))

    def stand_in(settings: Sequence[str], targets: Sequence[str]) -> None:
        given = dict(setting.split("=", 1) for setting in settings)
        raise InterruptedError(given["student.head_learning_rate"])

    monkeypatch.setattr(ablation, "run_pipeline", stand_in)
    with pytest.raises(InterruptedError, match=r"^0\.001$"):
        ablation.main("toy", "cpu", put=["student.head_learning_rate=1e-3"])
    with pytest.raises(InterruptedError, match=f"^{params.student.head_learning_rate:g}$"):
        ablation.main("toy", "cpu")
