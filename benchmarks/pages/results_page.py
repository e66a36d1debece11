"""Every figure under `results/` as tables, notes and pictures: the generated part of docs/results.md."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.pages.benchmark_tables import chain_section, confidence_section, store_section
from benchmarks.pages.recorded_runs import Kept, kept_runs, read_result
from benchmarks.pages.study_tables import (
    ablation_section,
    heads_section,
    made_line,
    unlabelled_section,
    variants_section,
)
from pipeline.reporting.tables import alarms, quality_notes, quality_table, table, timing_notes, timing_tables

_SIDE = {
    "unlabelled": unlabelled_section,
    "heads": heads_section,
    "variants": variants_section,
    "ablation": ablation_section,
    "confidence": confidence_section,
}
_PARTS = {"chain": chain_section, "store": store_section}


def details(results: Path, address: str) -> str:
    """A section for every kept run, then for `TASK-KIND-DEVICE.json` of `_SIDE` and `PART.json` of `_PARTS`.

    Args:
        results: the folder of kept runs.
        address: of that folder, seen from the page.

    Raises:
        UserError: a results file is not readable.
    """
    parts = [_section(run, f"{address}/{run.name}") for run in kept_runs(results)]
    for kind, write in _SIDE.items():
        parts += [write(read_result(path)) for path in sorted(results.glob(f"*-{kind}-*.json"))]
    for part, write in _PARTS.items():
        parts += [write(read_result(path)) for path in results.glob(f"{part}.json")]
    return "\n\n".join(parts)


def _section(run: Kept, address: str) -> str:
    parts = [f"### {run.name}"]
    if run.summary is not None:
        parts += [f"> **WARNING: {text}.**" for text in alarms(run.summary)]
        parts += [
            f"{run.summary['task']}, students of {run.student_layers} layers.",
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
    best = {method: max(cell["development_f1"][method] for cell in cells) for method in methods}
    rows = [
        [
            f"{cell['learning_rate']:.0e}, {cell['epochs']} epochs",
            *(_best_bold(cell["development_f1"][method], best[method]) for method in methods),
        ]
        for cell in cells
    ]
    return "\n\n".join(
        [
            table(["development F1, one seed", *(f"`{method}`" for method in methods)], rows),
            "The search before it: each method is then run with its best cell.",
        ]
    )


def _best_bold(value: float, best: float) -> str:
    return f"**{value:.2f}**" if value == best else f"{value:.2f}"
