"""Runs kept under `results/`: a folder each, with the figures, what they were made of, and pictures."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.pages.figures import epoch_time_figure, f1_figure
from pipeline.errors import UserError
from pipeline.reporting.epoch_times import read_epoch_times
from pipeline.reporting.outcomes import read_json, require_text
from pipeline.storage.text_file import write_json

SUMMARY, TIMING, GRID = "summary.json", "timing.json", "grid.json"


@dataclass(frozen=True)
class Kept:
    """A folder under `results/`; what of it is not there is None.

    `summary` and `timing` hold what `metrics/` held, `grid` the search before it (`benchmarks.studies.grid`).
    """

    folder: Path
    summary: dict[str, Any] | None
    timing: dict[str, Any] | None
    grid: dict[str, Any] | None

    @property
    def name(self) -> str:
        """Of the folder: task-device."""
        return self.folder.name

    @property
    def runs(self) -> list[dict[str, Any]]:
        """Commit, parameters, versions, date and device of the summary's run and of the timing's."""
        return [content["run"] for content in (self.summary, self.timing) if content is not None]

    @property
    def student_layers(self) -> int:
        """How many layers the students of the run have."""
        layers: int = self.runs[0]["parameters"]["student"]["layers"]
        return layers


def keep(metrics: Path, folder: Path, run: Mapping[str, Any], *, times_only: bool = False) -> None:
    """Copy the metrics of a finished run to `folder`, with what it was made of under the key `run`.

    Args:
        metrics: holds summary.json and timing.json.
        folder: named task-device, under `results/`; older files in it are replaced.
        run: commit, parameters, versions and date; the device is taken from the metrics.
        times_only: the run was one of `time_epochs` alone; a summary in `folder` stays.

    Raises:
        UserError: one of the two is missing or not what the stages write, or the folder cannot be written.
    """
    contents: dict[str, dict[str, Any]] = {}
    if not times_only:
        contents[SUMMARY] = read_json(metrics / SUMMARY, target="report")
        require_text(contents[SUMMARY], "device", metrics / SUMMARY, "report")
    contents[TIMING] = read_epoch_times(metrics / TIMING)
    for name, content in contents.items():
        write_json(folder / name, content | {"run": {**run, "device": content["device"]}})


def kept_runs(results: Path) -> list[Kept]:
    """All folders with a summary or times, in order of name.

    Raises:
        UserError: a file is not readable.
    """
    folders = sorted({path.parent for name in (SUMMARY, TIMING) for path in results.glob(f"*/{name}")})
    return [Kept(folder, *(_load(folder / name) for name in (SUMMARY, TIMING, GRID))) for folder in folders]


def pictures(results: Path) -> dict[Path, str]:
    """SVG pictures of every kept run, by path beside the numbers they are drawn from.

    Raises:
        UserError: a file is not readable.
    """
    drawn: dict[Path, str] = {}
    for kept in kept_runs(results):
        if kept.summary is not None:
            drawn[kept.folder / "f1.svg"] = f1_figure(kept.summary)
        if kept.timing is not None:
            drawn[kept.folder / "epoch_time.svg"] = epoch_time_figure(kept.timing)
    return drawn


def read_result(path: Path) -> dict[str, Any]:
    """One JSON file under `results/`.

    Raises:
        UserError: it is missing, or no JSON.
    """
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: missing; benchmarks/studies/reproduce.sh says what writes it") from None
    except ValueError as error:
        raise UserError(f"{path}: no JSON ({error}); restore it with `git checkout -- {path}`") from None
    return content


def _load(path: Path) -> dict[str, Any] | None:
    return read_result(path) if path.exists() else None
