"""What a user does after a run: take the best student, tag text with it, read the page."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.reporting.stage_outputs import SavedEvaluation


def best_student(
    summary: Mapping[str, Any], students: Mapping[str, Mapping[int, SavedEvaluation]]
) -> tuple[str, int]:
    """Method with the highest mean test F1, and its seed with the highest development F1; ties: the first."""
    method = max(summary["methods"], key=lambda name: summary["methods"][name]["f1"]["mean"])
    runs = students[method]
    return method, max(runs, key=lambda seed: runs[seed].metrics["development_f1"])


def next_steps(summary: Mapping[str, Any], best: tuple[str, int], folder: Path, page: Path) -> str:
    """Three lines: the best student and its folder, the command that tags a text with it, and the page.

    Args:
        summary: of all methods.
        best: method and seed, from `best_student`.
        folder: of all students.
        page: the report.
    """
    method, seed = best
    student = folder / method / str(seed)
    f1, teacher = summary["methods"][method]["f1"]["mean"], summary["teacher"]["f1"]
    return (
        f"Best student: {student} (mean test F1 of {method}: {f1:.2f}; teacher: {teacher:.2f})\n"
        f"Tag a text with it: python -m stages.predict --model {student} TEXT_FILE\n"
        f"All methods side by side: {page}"
    )
