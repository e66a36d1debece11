"""Turns the figures into what a person reads: a page in Markdown and the tables that DVC plots.

It computes no metric: see `pipeline.summary` and `pipeline.evaluation`.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.evaluation import confusion
from pipeline.outcomes import Outcome
from pipeline.tables import (
    BLOCKS,
    PHASES,
    alarms,
    quality_notes,
    quality_table,
    timing_notes,
    timing_tables,
)


def page(summary: Mapping[str, Any], timing: Mapping[str, Any]) -> str:
    """The text of `reports/summary.md`: warnings, the table of scores, those of epoch times, and notes."""
    warnings = [f"> **WARNING: {text}.**" for text in alarms(summary)]
    parts = [
        f"# Results on {summary['task']}",
        *warnings,
        "## Scores",
        quality_table(summary),
        quality_notes(summary),
        "## Time of one epoch",
        timing_tables(timing),
        timing_notes(timing),
    ]
    return "\n\n".join(parts) + "\n"


def f1_rows(summary: Mapping[str, Any]) -> Iterable[Sequence[object]]:
    """Rows of `plots/f1.csv`: method, seed, f1; the teacher comes first and has no seed."""
    yield "method", "seed", "f1"
    yield "teacher", "", summary["teacher"]["f1"]
    for method, figures in summary["methods"].items():
        for seed, value in figures["f1"]["seeds"].items():
            yield method, seed, value


def learning_curve_rows(
    teacher: Sequence[Mapping[str, Any]], students: Mapping[str, Mapping[int, Sequence[Mapping[str, Any]]]]
) -> Iterable[Sequence[object]]:
    """Rows of `plots/learning_curves.csv`: model, seed, epoch, development_f1, loss.

    Args:
        teacher: its epochs (`read_history`).
        students: the same per method and seed.
    """
    yield "model", "seed", "epoch", "development_f1", "loss"
    runs = {("teacher", ""): teacher} | {
        (method, str(seed)): epochs for method, seeds in students.items() for seed, epochs in seeds.items()
    }
    for (model, seed), epochs in runs.items():
        for epoch in epochs:
            yield model, seed, epoch["epoch"], epoch["development_f1"], epoch["loss"]


def epoch_time_rows(timing: Mapping[str, Any]) -> Iterable[Sequence[object]]:
    """Rows of `plots/epoch_time.csv`: block, method, phase, seconds; the floor stands in every block."""
    yield "block", "method", "phase", "seconds"
    for block in BLOCKS:
        for method, phases in {**timing[block], "floor": timing["floor"]}.items():
            for phase in PHASES[:-1]:
                yield block, method, phase, phases.get(phase) or 0.0


def confusion_rows(outcomes: Iterable[Outcome]) -> Iterable[Sequence[object]]:
    """Rows of `plots/confusion.csv`: actual, predicted, words; over all seeds of one method."""
    words = Counter(pair for outcome in outcomes for pair in confusion(outcome.gold, outcome.predicted))
    yield "actual", "predicted", "words"
    for (actual, predicted), count in sorted(words.items()):
        yield actual, predicted, count


def write_csv(path: Path, rows: Iterable[Sequence[object]]) -> None:
    """Write rows, the first of which is the header, as CSV with Unix line ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
