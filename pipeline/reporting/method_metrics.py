"""`metrics/methods`: one small file per method, which `dvc metrics show metrics/methods` prints as rows."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.reporting.summary import every_model
from pipeline.storage.text_file import write_json


def method_metrics(summary: Mapping[str, Any]) -> dict[str, dict[str, float | None]]:
    """Four rounded figures of the teacher and each method; the teacher has no `gap_closed`.

    Args:
        summary: the content of `reports/summary.json`, which has them unrounded.
    """
    shown: dict[str, dict[str, float | None]] = {}
    for name, figures in every_model(summary).items():
        f1, share = figures["f1"], figures.get("gap_closed")
        shown[name] = {"f1": round(f1 if name == "teacher" else f1["mean"], 2)}
        if name != "teacher":
            shown[name]["gap_closed"] = None if share is None else round(share, 2) + 0.0  # no -0.0
        shown[name]["megabytes"] = round(figures["megabytes"], 1)
        shown[name]["sentences_per_second"] = round(figures["sentences_per_second"])
    return shown


def write_method_metrics(folder: Path, summary: Mapping[str, Any]) -> None:
    """Write `folder/METHOD.json` for the teacher and each method, and remove those of other methods.

    Raises:
        UserError: the folder cannot be written.
    """
    shown = method_metrics(summary)
    for name, figures in shown.items():
        write_json(folder / f"{name}.json", figures)
    for path in folder.glob("*.json"):
        if path.stem not in shown:
            path.unlink()
