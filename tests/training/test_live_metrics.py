"""Live metrics of a run: what the run has, where DVCLive writes it; they never stop a run."""

import csv
import time
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.training import live_metrics as module
from pipeline.training.live_metrics import live_metrics
from pipeline.training.loop import train
from tests.helpers.training_cases import SETTINGS, Case, accelerator, gold_loss


class Kept:
    """Figures by step; always due, or never."""

    def __init__(self, due: bool) -> None:
        self.due = due
        self.logged: list[tuple[int, dict[str, float]]] = []

    def log(self, step, figures):
        self.logged.append((step, dict(figures)))


def run(case, live):
    student = case.student()
    return train(
        student,
        case.batches,
        gold_loss,
        SETTINGS,
        seed=1,
        development=lambda: 50.0,
        accelerator=accelerator("float32"),
        checkpoint=case.checkpoint,
        label="test",
        live=live,
    )


@pytest.fixture(autouse=True)
def every_run_is_long_enough(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # in no git repository, whose files DVCLive leaves open
    monkeypatch.setattr(module, "SHORTEST_RUN_SECONDS", 0.0)


@pytest.fixture
def case(bert, corpus, tmp_path):
    return Case(bert, corpus, tmp_path / "checkpoint")


def rows(folder: Path, name: str) -> list[tuple[int, float]]:
    text = (folder / "plots" / "metrics" / f"{name}.tsv").read_text().splitlines()
    return [(int(row["step"]), float(row[name])) for row in csv.DictReader(text, delimiter="\t")]


def test_each_epoch_is_logged_with_the_figures_of_its_history(case):
    live = Kept(due=False)
    history = run(case, live)
    assert [step for step, _ in live.logged] == [case.steps, 2 * case.steps]
    for epoch, (_, figures) in zip(history.epochs, live.logged, strict=True):
        assert figures["epoch_loss"] == epoch.loss
        assert figures["development_f1"] == epoch.development_f1
        assert figures["gradient_norm"] > 0
        assert figures["sentences_per_second"] > 0


def test_where_it_is_due_every_step_that_is_read_has_its_loss_and_learning_rate(case, monkeypatch):
    monkeypatch.setattr("pipeline.training.training_state.READ_STEPS", 1)
    live = Kept(due=True)
    run(case, live)
    losses = [(step, figures) for step, figures in live.logged if "loss" in figures]
    assert [step for step, _ in losses] == list(range(1, 2 * case.steps + 1))
    rates = [figures["learning_rate"] for _, figures in losses]
    assert 0 < max(rates) <= SETTINGS.learning_rate
    assert rates[-1] < rates[1]


def test_logging_changes_no_weight(case, bert, corpus, tmp_path):
    other = Case(bert, corpus, tmp_path / "other")
    assert run(case, Kept(due=True)) == run(other, None)


def test_dvclive_writes_them_by_step_and_a_resumed_run_goes_on(tmp_path):
    folder = tmp_path / "live" / "kbest-1"
    with live_metrics(folder, resumed=False) as live:
        live.log(3, {"loss": 0.5})
        live.log(9, {"loss": 0.25, "development_f1": 80.0})
    assert rows(folder, "loss") == [(3, 0.5), (9, 0.25)]
    assert rows(folder, "development_f1") == [(9, 80.0)]
    with live_metrics(folder, resumed=True) as live:
        live.log(12, {"loss": 0.125})
    assert rows(folder, "loss") == [(3, 0.5), (9, 0.25), (12, 0.125)]
    with live_metrics(folder, resumed=False) as live:
        live.log(1, {"loss": 2.0})
    assert rows(folder, "loss") == [(1, 2.0)]
    assert not (folder / "dvc.yaml").exists()


def test_a_short_run_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SHORTEST_RUN_SECONDS", 1000.0)
    with live_metrics(tmp_path / "run", resumed=False) as live:
        live.log(1, {"loss": 0.5})
    assert not (tmp_path / "run").exists()


def test_a_short_run_leaves_no_figures_of_an_earlier_one(tmp_path, monkeypatch):
    with live_metrics(tmp_path / "run", resumed=False) as live:
        live.log(3, {"loss": 0.5})
    assert rows(tmp_path / "run", "loss") == [(3, 0.5)]
    monkeypatch.setattr(module, "SHORTEST_RUN_SECONDS", 1000.0)
    with live_metrics(tmp_path / "run", resumed=False) as live:
        live.log(1, {"loss": 2.0})
    assert not (tmp_path / "run").exists()


def test_what_was_logged_in_the_first_seconds_is_not_lost(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SHORTEST_RUN_SECONDS", 1000.0)
    with live_metrics(tmp_path / "run", resumed=False) as live:
        live.log(1, {"loss": 0.5})
        monkeypatch.setattr(module, "SHORTEST_RUN_SECONDS", 0.0)
        live.log(2, {"loss": 0.25})
    assert rows(tmp_path / "run", "loss") == [(1, 0.5), (2, 0.25)]


def test_what_cannot_be_written_is_one_warning_and_no_error(tmp_path, caplog):
    (tmp_path / "live").write_text("a file where the folder should be")
    with live_metrics(tmp_path / "live" / "teacher", resumed=False) as live:
        live.log(1, {"loss": 1.0})
        live.log(2, {"loss": 1.0})
    warned = [
        record.getMessage() for record in caplog.records if "live metrics stop here" in record.getMessage()
    ]
    assert len(warned) == 1
    assert "training goes on" in warned[0]


def test_it_is_due_when_the_last_is_old_enough(tmp_path, monkeypatch):
    with live_metrics(tmp_path / "run", resumed=False) as live:
        assert not live.due
        later = time.monotonic() + module.SECONDS_BETWEEN_FIGURES
        monkeypatch.setattr(module.time, "monotonic", lambda: later)
        assert live.due
        live.log(1, {"loss": 1.0})
        assert not live.due


def test_tensorboard_gets_the_same_figures(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    folder = tmp_path / "run"
    with live_metrics(folder, resumed=False, tensorboard=True) as live:
        live.log(3, {"loss": 0.5})
        live.log(9, {"loss": 0.25})
    events = EventAccumulator(str(folder / "tensorboard"))
    events.Reload()
    assert [(event.step, event.value) for event in events.Scalars("loss")] == rows(folder, "loss")
    with live_metrics(folder, resumed=False, tensorboard=True) as live:
        live.log(1, {"loss": 2.0})
    events = EventAccumulator(str(folder / "tensorboard"))
    events.Reload()
    assert [(event.step, event.value) for event in events.Scalars("loss")] == [(1, 2.0)]


def test_tensorboard_that_is_not_installed_is_refused_before_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    with (
        pytest.raises(UserError, match=r"^live\.tensorboard: .*pip install tensorboard"),
        live_metrics(tmp_path, resumed=False, tensorboard=True),
    ):
        pass
