"""Epoch times of a run, from the folders of its stages: what is handed over to be timed, or refused."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from pipeline.encoding.split_file import load
from pipeline.errors import UserError
from pipeline.model.model_folder import save_model
from pipeline.storage.sealed_folder import new_folder
from pipeline.timing import timed_run as module
from pipeline.timing.settings import TimeEpochs
from pipeline.timing.timed_run import time_run
from pipeline.training.settings import Student
from pipeline.training.teacher_folders import TeacherFolders
from tests.helpers.tiny_inputs import HISTORY, SPLITS, dump, tagger, write_corpus

METHODS = ("vanilla", "efficient")
STUDENT = Student(
    layers=1, epochs=1, batch_size=5, learning_rate=1e-3, head_learning_rate=1e-2, precision="float32"
)


@pytest.fixture
def sealed(bert: Path, tmp_path: Path) -> Path:
    with new_folder(tmp_path / "encoder") as aside:
        shutil.copytree(bert, aside, dirs_exist_ok=True)
    return tmp_path / "encoder"


@pytest.fixture
def run(corpus: Path, teacher: Path, sealed: Path, tmp_path: Path) -> Any:
    """Times the students of a teacher whose scores are dumped; the arguments are changes."""
    dump(tmp_path / "scores/1/1", corpus, teacher)

    def call(settings: TimeEpochs | None = None, **changes: Any) -> dict[str, Any]:
        given: dict[str, Any] = {"encoded": corpus, "student_encoded": corpus, "student_encoder": sealed}
        given["folders"] = TeacherFolders(teacher, teacher, tmp_path / "others", tmp_path / "scores")
        return time_run(METHODS, STUDENT, settings or TimeEpochs(epochs=1, batches=1), **given | changes)

    yield call
    torch.use_deterministic_algorithms(False)


def test_the_figures_are_of_the_runs_own_folders(run: Any) -> None:
    figures = run()
    assert figures["published"].keys() == figures["pipeline"].keys() == set(METHODS)
    assert (figures["batches"], figures["batch_size"], figures["epochs"]) == (1, 5, 1)
    assert figures["epoch_batches"] == -(-SPLITS["train"] // 5)
    assert figures["shape"]["teacher_layers"] == 2
    assert figures["shape"]["student_layers"] == 1
    assert figures["lower_bound"]["total"] > 0


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    """What `epoch_times` is given, in place of a measurement."""
    seen: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def noted(*given: Any, **others: Any) -> dict[str, Any]:
        seen.append((given, others))
        return {}

    monkeypatch.setattr(module, "epoch_times", noted)
    return seen


def test_a_teacher_reads_its_own_pieces_where_the_students_have_others(
    run: Any,
    handed: list[tuple[tuple[Any, ...], dict[str, Any]]],
    encoder: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    with new_folder(tmp_path / "own") as aside:
        shutil.copytree(encoder("roberta"), aside, dirs_exist_ok=True)
    own = {"student_encoder": tmp_path / "own"}
    own["student_encoded"] = write_corpus(tmp_path / "own-encoded", tmp_path / "own")
    run()
    run(**own)
    (same, nothing), (other, its) = handed
    assert nothing == {"teacher_batches": None}
    pieces = [of.encoded.layout.identity for of in (same[1], other[1], its["teacher_batches"])]
    assert pieces[0] == pieces[2] != pieces[1]
    assert other[4].encoder.config.model_type == "roberta"


def test_scores_of_another_teacher_are_refused(
    run: Any, bert: Path, corpus: Path, tmp_path: Path, handed: list[Any]
) -> None:
    encoded = load(corpus / "train.parquet")
    save_model(tmp_path / "another", tagger(bert, encoded, seed=9), bert, HISTORY)
    folders = TeacherFolders(tmp_path / "another", tmp_path / "another", tmp_path, tmp_path / "scores")
    with pytest.raises(UserError, match="scores/1/1"):
        run(folders=folders)
    assert handed == []


def test_a_store_that_is_missing_is_refused_before_anything_is_timed(
    run: Any, tmp_path: Path, handed: list[Any]
) -> None:
    shutil.rmtree(tmp_path / "scores/1/1")
    with pytest.raises(UserError, match=r"scores/1/1: not a finished output of the pipeline"):
        run()
    assert handed == []
