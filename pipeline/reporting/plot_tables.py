"""The tables that the pictures are drawn from: by `dvc plots` from CSV files, and by the report."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.corpora.tagging import Scheme
from pipeline.evaluation.calibration import calibration
from pipeline.evaluation.metrics import confusion
from pipeline.reporting.stage_outputs import SavedEvaluation
from pipeline.reporting.summary import every_model
from pipeline.reporting.tables import BLOCKS, PHASES
from pipeline.storage.text_file import write_text

Transitions = tuple[list[str], list[list[float]]]
"""Tags, and the scores [N][N] of their pairs, row previous, column current."""

_CALIBRATED = ("gold", "predicted", "confidences")  # of an evaluation, as `calibration` takes them


def f1_frame(summary: Mapping[str, Any]) -> pd.DataFrame:
    """`plots/f1.csv`: method, seed, f1; the teacher comes first and has no seed."""
    rows = [("teacher", "", summary["teacher"]["f1"])]
    for method, figures in summary["methods"].items():
        rows += [(method, seed, f1) for seed, f1 in figures["f1"]["seeds"].items()]
    return pd.DataFrame(rows, columns=["method", "seed", "f1"])


def learning_curve_frame(
    teacher: Sequence[Mapping[str, Any]], students: Mapping[str, Mapping[int, Sequence[Mapping[str, Any]]]]
) -> pd.DataFrame:
    """`plots/learning_curves.csv`: model, seed, epoch, development_f1, loss.

    Args:
        teacher: its epochs (`read_history`).
        students: the same per method and seed.
    """
    runs = {("teacher", ""): teacher} | {
        (method, str(seed)): epochs for method, seeds in students.items() for seed, epochs in seeds.items()
    }
    frames = [
        pd.DataFrame(epochs, columns=["epoch", "development_f1", "loss"]).assign(model=model, seed=seed)
        for (model, seed), epochs in runs.items()
        if epochs  # a teacher that was not trained here has none
    ]
    return pd.concat(frames)[["model", "seed", "epoch", "development_f1", "loss"]]


def epoch_time_frame(timing: Mapping[str, Any]) -> pd.DataFrame:
    """`plots/epoch_time.csv`: block, method, phase, seconds; the lower bound stands in both blocks.

    Empty where nothing was timed.
    """
    rows = [
        (block, method, phase, phases.get(phase) or 0.0)
        for block in (BLOCKS if timing else ())
        for method, phases in {**timing[block], "lower bound": timing["lower_bound"]}.items()
        for phase in PHASES[:-1]
    ]
    return pd.DataFrame(rows, columns=["block", "method", "phase", "seconds"])


def confusion_frame(evaluations: Iterable[SavedEvaluation]) -> pd.DataFrame:
    """`plots/confusion.csv`: actual, predicted, words; over all seeds of one method."""
    pairs = [pair for evaluation in evaluations for pair in confusion(evaluation.gold, evaluation.predicted)]
    frame = pd.DataFrame(pairs, columns=["actual", "predicted"])
    return frame.groupby(["actual", "predicted"]).size().reset_index(name="words")


def type_confusion_frame(
    evaluations: Mapping[str, Sequence[SavedEvaluation]], *, scheme: Scheme
) -> pd.DataFrame:
    """Words by the types of their actual and predicted tags: rev (the model), actual, predicted, words.

    Args:
        evaluations: by model, one for each seed, which are added up.
        scheme: of the tags; plain tags are types of their own.
    """
    frames = []
    for model, runs in evaluations.items():
        frame = confusion_frame(runs)
        if scheme != "plain":
            for name in ("actual", "predicted"):
                named = frame[name].replace(["B-O", "I-O"], "type O")  # which is not the tag O
                frame[name] = named.str.replace(r"^[BI]-", "", regex=True)
        words = frame.groupby(["actual", "predicted"])["words"].sum().reset_index(name="words")
        frames.append(words.assign(rev=model))
    return pd.concat(frames)


def f1_by_latency_frame(summary: Mapping[str, Any]) -> pd.DataFrame:
    """`plots/f1_by_latency.csv`: model, milliseconds (of a sentence, in batches), f1, megabytes."""
    rows = [
        (
            model,
            1000 / figures["sentences_per_second"],
            figures["f1"] if model == "teacher" else figures["f1"]["mean"],
            figures["megabytes"],
        )
        for model, figures in every_model(summary).items()
    ]
    return pd.DataFrame(rows, columns=["model", "milliseconds", "f1", "megabytes"])


def reliability_frame(evaluations: Mapping[str, Sequence[SavedEvaluation]]) -> pd.DataFrame:
    """`plots/reliability.csv`: model, confidence, accuracy (both in percent), words; a row for each bin.

    Args:
        evaluations: by model, one for each seed, whose words are taken together.
    """
    rows = []
    for model, runs in evaluations.items():
        columns = [[sentence for run in runs for sentence in getattr(run, name)] for name in _CALIBRATED]
        rows += [{"model": model, **one} for one in calibration(*columns)["bins"]]
    return pd.DataFrame(rows, columns=["model", "confidence", "accuracy", "words"])


def transitions_frame(teacher: Transitions, student: Transitions, name: str) -> pd.DataFrame:
    """`plots/transitions.csv`: matrix, previous, current, score; of the tags that both models have.

    Args:
        teacher: its transition scores.
        student: those of a student.
        name: of the student.
    """
    both = [dict(_scores(*one)) for one in (teacher, student)]
    pairs = [pair for pair in both[0] if pair in both[1]]
    difference = {pair: both[1][pair] - both[0][pair] for pair in pairs}
    matrices = {"teacher": both[0], name: both[1], f"{name} − teacher": difference}
    rows = [(matrix, *pair, scores[pair]) for matrix, scores in matrices.items() for pair in pairs]
    return pd.DataFrame(rows, columns=["matrix", "previous", "current", "score"])


def _scores(
    tags: Sequence[str], scores: Sequence[Sequence[float]]
) -> Iterable[tuple[tuple[str, str], float]]:
    for previous, row in zip(tags, scores, strict=True):
        for current, score in zip(tags, row, strict=True):
            yield (previous, current), score


def write_csv(path: Path, frame: pd.DataFrame) -> None:
    """Write a table as CSV with Unix line ends."""
    write_text(path, frame.to_csv(index=False, lineterminator="\n"))
