"""The report as a page in Markdown, and the tables that DVC plots.

Metrics are computed elsewhere: see `pipeline.reporting.summary` and `pipeline.evaluation.metrics`.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.evaluation.metrics import confusion
from pipeline.reporting.outcomes import Outcome
from pipeline.reporting.tables import (
    BLOCKS,
    PHASES,
    quality_notes,
    quality_table,
    timing_notes,
    timing_tables,
    training_warnings,
)
from pipeline.storage.text_file import write_text

_NOT_TIMED = "No epoch was timed, as the corpus has no labelled sentences."


def page(summary: Mapping[str, Any], timing: Mapping[str, Any]) -> str:
    """The text of `reports/summary.md`: warnings, tables of metrics and epoch times, and notes."""
    warnings = [f"> **WARNING: {text}.**" for text in training_warnings(summary)]
    parts = [
        f"# Results on {summary['task']}",
        *warnings,
        "## Metrics",
        quality_table(summary),
        quality_notes(summary),
        "## Time of one epoch",
        *([timing_tables(timing), timing_notes(timing)] if timing else [_NOT_TIMED]),
    ]
    return "\n\n".join(parts) + "\n"


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
        for method, phases in {**timing[block], "lower bound": timing["floor"]}.items()
        for phase in PHASES[:-1]
    ]
    return pd.DataFrame(rows, columns=["block", "method", "phase", "seconds"])


def confusion_frame(outcomes: Iterable[Outcome]) -> pd.DataFrame:
    """`plots/confusion.csv`: actual, predicted, words; over all seeds of one method."""
    pairs = [pair for outcome in outcomes for pair in confusion(outcome.gold, outcome.predicted)]
    frame = pd.DataFrame(pairs, columns=["actual", "predicted"])
    return frame.groupby(["actual", "predicted"]).size().reset_index(name="words")


def write_csv(path: Path, frame: pd.DataFrame) -> None:
    """Write a table as CSV with Unix line ends."""
    write_text(path, frame.to_csv(index=False, lineterminator="\n"))
