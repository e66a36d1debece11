"""Keeps the results in the README equal to the files under `results/`: a marked section, generated."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import UserError
from pipeline.reporting.epoch_times import read_epoch_times
from pipeline.reporting.figures import epoch_time_figure, f1_figure
from pipeline.reporting.outcomes import read_json, require_text, write_json
from pipeline.reporting.side_results import heads_section, latency_section, unlabelled_section
from pipeline.reporting.tables import alarms, quality_notes, quality_table, timing_notes, timing_tables

BEGIN = "<!-- results: written by `python -m stages.results`, do not edit -->"
END = "<!-- /results -->"
FILES = ("summary.json", "timing.json")


def keep(metrics: Path, folder: Path, run: Mapping[str, Any]) -> None:
    """Copy the metrics of a finished run to `folder`, with what it was made of under the key `run`.

    Args:
        metrics: holds summary.json and timing.json.
        folder: named task-device, under `results/`; older files in it are replaced.
        run: commit, parameters, versions and date; the device is taken from the metrics.

    Raises:
        UserError: one of the two is missing or not what the stages write, or the folder cannot be written.
    """
    contents = {
        "summary.json": read_json(metrics / "summary.json", target="report"),
        "timing.json": read_epoch_times(metrics / "timing.json"),
    }
    require_text(contents["summary.json"], "device", metrics / "summary.json", "report")
    for name, content in contents.items():
        write_json(folder / name, content | {"run": {**run, "device": content["device"]}})


def pictures(results: Path) -> dict[Path, str]:
    """The SVG pictures that the section shows, by path beside the numbers they are drawn from.

    Raises:
        UserError: a results file is not readable.
    """
    drawn: dict[Path, str] = {}
    for folder in _folders(results):
        if (summary := _load(folder / "summary.json")) is not None:
            drawn[folder / "f1.svg"] = f1_figure(summary)
        if (timing := _load(folder / "timing.json")) is not None:
            drawn[folder / "epoch_time.svg"] = epoch_time_figure(timing)
    return drawn


def section(results: Path) -> str:
    """Tables, notes and pictures for every folder of `results` in order of name, in Markdown; "" without any.

    A folder may lack one of the two files. Pictures are addressed relative to the parent of `results`. After
    the folders come `*-unlabelled-*.json`, `*-heads-*.json` and `latency.json`.

    Raises:
        UserError: a results file is not readable.
    """
    parts = [_folder_section(folder, f"{results.name}/{folder.name}") for folder in _folders(results)]
    parts += [unlabelled_section(_read(path)) for path in sorted(results.glob("*-unlabelled-*.json"))]
    parts += [heads_section(_read(path)) for path in sorted(results.glob("*-heads-*.json"))]
    parts += [latency_section(_read(path)) for path in results.glob("latency.json")]
    return "\n\n".join(parts)


def update(text: str, results: Path) -> str:
    """The README's text with the section between its markers replaced.

    Raises:
        UserError: the markers are not there once each, in order, or a results file is not readable.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in before + after:
        raise UserError(f"README.md: must hold the lines {BEGIN!r} and {END!r} once each, in this order")
    body = section(results)
    inside = f"\n{body}\n\n" if body else ""
    return f"{before}{BEGIN}\n{inside}{END}{after}"


def _folder_section(folder: Path, address: str) -> str:
    parts = [f"### {folder.name}"]
    summary, timing = _load(folder / "summary.json"), _load(folder / "timing.json")
    if summary is not None:
        parts += [f"> **WARNING: {text}.**" for text in alarms(summary)]
        parts += [quality_table(summary), f"![Test F1 by method]({address}/f1.svg)", quality_notes(summary)]
    if timing is not None:
        parts += [
            timing_tables(timing),
            f"![Time of one epoch]({address}/epoch_time.svg)",
            timing_notes(timing),
        ]
    run = (summary or timing or {}).get("run", {})
    if run:
        parts.append(f"Commit {str(run['commit'])[:12]}, {run['device']}, {run['date']}.")
    return "\n\n".join(parts)


def _folders(results: Path) -> list[Path]:
    return sorted({path.parent for name in FILES for path in results.glob(f"*/{name}")})


def _load(path: Path) -> dict[str, Any] | None:
    return _read(path) if path.exists() else None


def _read(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{path}: no JSON ({error}); restore it with `git checkout -- {path}`") from None
    return content
