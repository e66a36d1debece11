"""Reads the outputs of evaluation and training; a bad file is refused with the stage that writes it."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any, TypeVar, get_args

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.corpora.tagging import Scheme
from pipeline.errors import UserError, first_line
from pipeline.storage.file_names import HISTORY, METRICS, PREDICTIONS, TRANSITIONS
from pipeline.storage.sealed_folder import SEAL, check

SPAN_RATES = ("precision", "recall", "f1")
RATES = (*SPAN_RATES, "token_f1")
SIZE = ("parameters", "megabytes")
FIGURES = (*RATES, "constrained_f1", "accuracy", *SIZE, "sentences_per_second")
_COLUMNS = ("id", "words", "gold", "predicted", "confidence")
Read = TypeVar("Read")


@dataclass(frozen=True)
class SavedEvaluation:
    """An `Evaluation` read back: `metrics` (FIGURES, `scheme`, `device`, …), words and tags by sentence.

    ids: row of each sentence in the test split.
    confidences: the marginal probability of each predicted tag.
    """

    folder: Path
    metrics: Mapping[str, Any]
    ids: list[int]
    words: list[list[str]]
    gold: list[list[str]]
    predicted: list[list[str]]
    confidences: list[list[float]]


def read_evaluation(folder: Path, *, target: str) -> SavedEvaluation:
    """Read `metrics.json` and `predictions.parquet` of a sealed folder.

    Args:
        folder: what the evaluating stage wrote.
        target: that stage as DVC names it, for the error message.

    Raises:
        UserError: the folder is missing or damaged, or a figure or column is not in it.
    """
    _check(folder, target)
    path = folder / METRICS
    metrics = read_output(path, target=target, numbers=FIGURES)
    if metrics.get("kept_epoch") != 0:  # 0: a teacher that was not trained here
        require_numbers(metrics, ("development_f1",), path, target)
    for name, choices in {"device": None, "scheme": get_args(Scheme)}.items():
        require_text(metrics, name, path, target, choices)
    path = folder / PREDICTIONS
    try:
        table = pq.read_table(path, columns=list(_COLUMNS))
        columns = [table[name].to_pylist() for name in _COLUMNS]
    except (OSError, pa.ArrowException, KeyError) as error:
        raise UserError(f"{path}: cannot be read ({first_line(error)}); {run_again(target)}") from None
    return SavedEvaluation(folder, metrics, *columns)


def read_transitions(folder: Path, *, target: str) -> tuple[list[str], list[list[float]]]:
    """Tags and the scores of their pairs [N][N] of a model whose evaluation is in `folder`.

    Raises:
        UserError: transitions.json is missing, or is not what the evaluating stage writes.
    """
    path = folder / TRANSITIONS
    content = read_output(path, target=target)
    tags, scores = content.get("tags"), content.get("scores")
    match tags, scores:
        case [*_], [*rows] if len(rows) == len(tags) and all(
            isinstance(row, list) and len(row) == len(tags) for row in rows
        ):
            return [str(tag) for tag in tags], rows
    raise UserError(f"{path}: holds no `scores` for each pair of `tags`; {run_again(target)}")


def read_evaluations(
    folder: Path, methods: Iterable[str], seeds: Sequence[int]
) -> tuple[SavedEvaluation, dict[str, dict[int, SavedEvaluation]]]:
    """The teacher's evaluation in `folder/teacher`, and those in `folder/<method>/<seed>`.

    Raises:
        UserError: see `read_evaluation`.
    """
    students = _of_students(read_evaluation, folder, methods, seeds, stage="evaluate")
    return read_evaluation(folder / "teacher", target="evaluate_teacher"), students


def read_histories(
    teacher: Path, students: Path, methods: Iterable[str], seeds: Sequence[int]
) -> tuple[list[dict[str, Any]], dict[str, dict[int, list[dict[str, Any]]]]]:
    """The epochs of the teacher, and of every student in `students/<method>/<seed>`.

    Raises:
        UserError: see `read_history`.
    """
    runs = _of_students(read_history, students, methods, seeds, stage="distill")
    return read_history(teacher, target="teacher"), runs


def read_history(folder: Path, *, target: str) -> list[dict[str, Any]]:
    """The epochs of a training run, each with at least `epoch`, `loss` and `development_f1`.

    Raises:
        UserError: the folder is missing or damaged, or its history.json lacks one of these.
    """
    _check(folder, target)
    path = folder / HISTORY
    epochs = read_output(path, target=target).get("epochs")
    if not isinstance(epochs, list):
        raise UserError(f"{path}: lacks the list `epochs`; {run_again(target)}")
    for epoch in epochs:
        require_numbers(epoch, ("epoch", "loss", "development_f1"), path, target)
    return epochs


def read_output(path: Path, *, target: str, numbers: Iterable[str] = ()) -> dict[str, Any]:
    """Read a JSON object that a stage wrote, with a number under each name in `numbers`.

    Raises:
        UserError: the file is missing, is no JSON object, or lacks one of the numbers.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: missing; run `dvc repro {target}`") from None
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path}: cannot be read ({first_line(error)}); {run_again(target)}") from None
    require_numbers(content, numbers, path, target)
    return dict(content)


def _of_students(
    read: Callable[..., Read], folder: Path, methods: Iterable[str], seeds: Sequence[int], *, stage: str
) -> dict[str, dict[int, Read]]:
    """What `read` gives for each `folder/<method>/<seed>`, which DVC's `stage` of that name wrote."""
    return {
        method: {seed: read(folder / method / str(seed), target=f"{stage}@{method}-{seed}") for seed in seeds}
        for method in methods
    }


def _check(folder: Path, target: str) -> None:
    if not (folder / SEAL).exists():
        raise UserError(f"{folder}: missing or unfinished; run `dvc repro {target}`")
    check(folder)


def require_numbers(
    content: Any, names: Iterable[str], path: Path, target: str, *, where: str = "", above: float = -inf
) -> None:
    """Raise UserError, naming the file `path`, unless `content` is an object with a number under each name.

    `where` says where in the file it stands; numbers must be finite and more than `above`.
    """
    if not isinstance(content, dict):
        kind = f"`{where}` is not an" if where else "holds no JSON"
        raise UserError(f"{path}: {kind} object; {run_again(target)}")
    for name in names:
        value = content.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not above < value < inf:
            named = f"{where}.{name}" if where else name
            wanted = "a number" if above == -inf else f"a number above {above:g}"
            raise UserError(f"{path}: `{named}` is {value!r:.80}, must be {wanted}; {run_again(target)}")


def require_text(
    content: Mapping[str, Any], name: str, path: Path, target: str, choices: Sequence[str] | None = None
) -> None:
    """Raise UserError, naming the file `path`, unless a text, or one of `choices`, stands under `name`."""
    value = content.get(name)
    if not isinstance(value, str) or (choices is not None and value not in choices):
        wanted = "a text" if choices is None else f"one of {', '.join(choices)}"
        raise UserError(f"{path}: `{name}` is {value!r:.80}, must be {wanted}; {run_again(target)}")


def run_again(target: str) -> str:
    """What to do about an output that is not as it should be: run its stage, and no stage before it."""
    return f"run `dvc repro --single-item --force {target}`"
