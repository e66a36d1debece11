"""Runs recorded under `results/`: a folder each, with the figures, what made them, and pictures."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.pages.svg_file import svg_file
from pipeline.errors import UserError
from pipeline.params import Params
from pipeline.reporting.epoch_times import read_epoch_times
from pipeline.reporting.pictures import draw
from pipeline.reporting.plot_tables import epoch_time_frame, f1_frame
from pipeline.reporting.stage_outputs import read_output, require_numbers, require_text
from pipeline.storage.text_file import write_json

SUMMARY, TIMING, GRID = "summary.json", "timing.json", "grid.json"


@dataclass(frozen=True)
class RecordedRun:
    """A folder under `results/`; None stands for a file that is not there.

    `summary` and `timing` are copies from `reports/`; `grid` is the search of `benchmarks.studies.grid`.
    """

    folder: Path
    summary: dict[str, Any] | None
    timing: dict[str, Any] | None
    grid: dict[str, Any] | None

    @property
    def name(self) -> str:
        """The folder's name: the task, then what `--keep` added."""
        return self.folder.name

    @property
    def task(self) -> str:
        """The corpus of the run."""
        return str(self._figures[0]["task"])

    @property
    def runs(self) -> list[dict[str, Any]]:
        """Commit, parameters, versions, date and device of the summary's run and of the timing's."""
        return [content["run"] for content in self._figures]

    @property
    def student_layers(self) -> int:
        """Number of layers of the run's students."""
        layers: int = self.runs[0]["parameters"]["student"]["layers"]
        return layers

    @property
    def beyond_the_paper(self) -> str:
        """What students had beyond the paper's setting, as ", from the teacher, with text"; else ""."""
        parameters = self.runs[0]["parameters"]
        text, corpora = parameters.get("unlabelled", {}), parameters.get("corpora", {}).values()
        given = text.get("files") or any(corpus["files"].get("unlabelled") for corpus in corpora)
        has = {
            ", from the teacher": parameters["student"].get("init") == "teacher",
            ", with text": bool(given) and text.get("sentences") != 0,
        }
        return "".join(words for words, true in has.items() if true)

    @property
    def _figures(self) -> list[dict[str, Any]]:
        return [content for content in (self.summary, self.timing) if content is not None]


def record_run(
    reports: Path, folder: Path, run: Mapping[str, Any], *, times_only: bool = False
) -> list[Path]:
    """Copy a finished run's figures to `folder`, with what made them under the key `run`.

    Args:
        reports: holds summary.json and timing.json.
        folder: named after the task, under `results/`; older files in it are replaced.
        run: commit, parameters, versions and date; the device is taken from the figures.
        times_only: copy timing.json alone; a summary in `folder` stays.

    Returns:
        The files written.

    Raises:
        UserError: one of the two is missing or not what the stages write, or the folder cannot be written.
    """
    contents: dict[str, dict[str, Any]] = {}
    if not times_only:
        contents[SUMMARY] = read_output(reports / SUMMARY, target="report")
        require_text(contents[SUMMARY], "device", reports / SUMMARY, "report")
    contents[TIMING] = read_epoch_times(reports / TIMING)
    if not contents[TIMING]:
        raise UserError(f"{reports / TIMING}: no epoch was timed, so there is no run to record")
    for name, content in contents.items():
        write_json(folder / name, content | {"run": {**run, "device": content["device"]}})
    return [folder / name for name in contents]


def check_reports(reports: Path, params: Params, *, times_only: bool = False) -> None:
    """Check that a finished run's figures are of these parameters, as far as the figures tell.

    Args:
        reports: holds summary.json and timing.json.
        params: with which they are to be recorded.
        times_only: look at timing.json alone.

    Raises:
        UserError: one of the two is missing or not what the stages write, or is of another task, of other
            methods or seeds.
    """
    if not times_only:
        summary = read_output(reports / SUMMARY, target="report")
        require_numbers(summary.get("methods"), (), reports / SUMMARY, "report", where="methods")
        methods = summary["methods"]
        seeds = dict.fromkeys(seed for figures in methods.values() for seed in figures["f1"]["seeds"])
        found = {"task": [summary.get("task")], "methods": methods, "seeds": seeds}
        for name, given in {"task": [params.task], "methods": params.methods, "seeds": params.seeds}.items():
            _compare(reports / SUMMARY, name, found[name], given)
    if timing := read_epoch_times(reports / TIMING):
        _compare(reports / TIMING, "task", [timing["task"]], [params.task])


def _compare(path: Path, name: str, found: Iterable[object], given: Iterable[object]) -> None:
    """Raise UserError where the file `path` is of another `name` than params.yaml is."""
    theirs, ours = (", ".join(map(str, one)) for one in (found, given))
    if theirs != ours:
        raise UserError(
            f"{path}: was made with {name} {theirs}, and params.yaml has {ours}; run `dvc repro`, then keep "
            "the results"
        )


def recorded_runs(results: Path, task: str | None = None) -> list[RecordedRun]:
    """All folders with a summary or times, by name; those of one task if it is given.

    Raises:
        UserError: a file is not readable.
    """
    folders = sorted({path.parent for name in (SUMMARY, TIMING) for path in results.glob(f"*/{name}")})
    runs = [
        RecordedRun(folder, *(_load(folder / name) for name in (SUMMARY, TIMING, GRID))) for folder in folders
    ]
    return [run for run in runs if task in (None, run.task)]


def pictures(results: Path) -> dict[Path, str]:
    """SVG pictures of every recorded run and confirmed study, by path; they lie beside their numbers.

    They are drawn as those of the report and of `dvc plots`, from the same definitions.

    Raises:
        UserError: a file is not readable.
    """
    drawn: dict[Path, str] = {}
    for run in recorded_runs(results):
        if run.summary is not None:
            f1 = draw("f1_by_method", f1_frame(run.summary))
            drawn[run.folder / "f1.svg"] = svg_file(f1, f"Test F1 by method on {run.task}")
        if run.timing is not None:
            times = draw("epoch_time", epoch_time_frame(run.timing))
            drawn[run.folder / "epoch_time.svg"] = svg_file(times, "Time of one epoch by phase")
    for path in sorted(results.glob("*-confirmed-*.json")):
        study = read_result(path)
        f1 = draw("f1_by_method", f1_frame(study["summary"]))
        drawn[path.with_suffix(".svg")] = svg_file(f1, f"Test F1 of students on {study['task']}")
    return drawn


def read_result(path: Path) -> dict[str, Any]:
    """One JSON file under `results/`.

    Raises:
        UserError: it is missing, or not JSON.
    """
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: missing; benchmarks/studies/reproduce.sh shows what writes it") from None
    except ValueError as error:
        raise UserError(f"{path}: not JSON ({error}); restore it with `git checkout -- {path}`") from None
    return content


def _load(path: Path) -> dict[str, Any] | None:
    return read_result(path) if path.exists() else None
