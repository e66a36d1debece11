"""Every figure of the runs on one corpus: tables, notes and pictures."""

from collections.abc import Iterable, Mapping
from typing import Any

from benchmarks.pages.recorded_runs import RecordedRun
from benchmarks.pages.study_tables import made_line
from pipeline.reporting.tables import (
    quality_notes,
    quality_table,
    table,
    timing_notes,
    timing_tables,
    training_warnings,
)


def corpus_page(runs: Iterable[RecordedRun], address: str) -> str:
    """A section for every run.

    Args:
        runs: on one corpus.
        address: of the folder of all runs, seen from the page.
    """
    return "\n\n".join(_section(run, f"{address}/{run.name}") for run in runs)


def _section(run: RecordedRun, address: str) -> str:
    parts = [f"## {run.name}"]
    if run.summary is not None:
        parts += [f"> **WARNING: {text}.**" for text in training_warnings(run.summary)]
        parts += [
            f"Students of {run.student_layers} layers{run.beyond_the_paper}.",
            quality_table(run.summary),
            f"![Test F1 by method]({address}/f1.svg)",
            quality_notes(run.summary),
        ]
    if run.grid is not None:
        parts.append(_grid(run.grid))
    if run.timing is not None:
        parts += [
            timing_tables(run.timing),
            f"![Time of one epoch]({address}/epoch_time.svg)",
            timing_notes(run.timing),
        ]
    first, *others = run.runs
    made = [made_line(first, first["device"])]
    made += [made_line(other, other["device"], what="Times at commit") for other in others if other != first]
    parts.append(" ".join(made))
    return "\n\n".join(parts)


def _grid(grid: Mapping[str, Any]) -> str:
    cells = grid["cells"]
    methods = list(cells[0]["development_f1"])
    searched = len(cells) > 1
    best = {method: max(cell["development_f1"][method] for cell in cells) for method in methods}
    rows = [
        [
            f"{cell['learning_rate']:.0e}, {cell['epochs']} epochs",
            *(_f1(cell["development_f1"][method], best[method] if searched else None) for method in methods),
        ]
        for cell in cells
    ]
    said = (
        ": the search before, whose best cell each method is then trained with."
        if searched
        else ". All methods are trained with these settings; there was no search."
    )
    header = ["learning rate, epochs", *(f"`{method}`" for method in methods)]
    return "\n\n".join([table(header, rows), f"F1 on development, one seed{said}"])


def _f1(value: float, best: float | None) -> str:
    """F1 as it is shown, bold if it is the best."""
    return f"**{value:.2f}**" if value == best else f"{value:.2f}"
