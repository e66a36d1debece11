"""The table of docs/recipe.md: what students of so many sentences reach, and the command of each row."""

from collections.abc import Iterable, Mapping
from typing import Any

from benchmarks.pages.study_tables import made_line
from pipeline.errors import counted
from pipeline.reporting.tables import NONE, mean_and_std, optional, table

DEFAULTS = {
    "student.init": "teacher",
    "student.steps": "null",
    "unlabelled.files": "null",
    "unlabelled.sentences": "null",
}
"""KEY: VALUE of params.yaml that a user need not set."""
ROWS = {
    "vanilla": "undistilled",
    "structural without text": "without text",
    "structural with text": "with text",
}
"""The rows of a study by the students' names in its summary."""


def recipe_section(results: Iterable[Mapping[str, Any]]) -> str:
    """A table with a row for each study and student, and the commands, fewest labelled sentences first.

    Args:
        results: what `benchmarks.studies.recipe` wrote, of one corpus.
    """
    studies = sorted(results, key=lambda result: result["sentences"]["train"])
    if not studies:
        return ""
    header = [
        "labelled",
        "text",
        "student",
        "F1",
        "teacher",
        "gap closed",
        "p vs vanilla",
        "minutes of one core",
    ]
    rows = [row for study in studies for row in _rows(study)]
    run, summary = next(iter(studies[0]["runs"].values())), studies[0]["summary"]
    commands = "\n\n".join(_commands(study) for study in studies)
    seeds = len(run["parameters"]["seeds"])
    return "\n\n".join(
        [
            f"## {studies[0]['task']}",
            table(header, rows),
            f"Students of {run['parameters']['student']['layers']} layers; F1 on the test set of "
            f"{summary['sentences']:,} sentences; {counted(seeds, 'seed')}. "
            "Minutes: CPU time of training and evaluation, the teacher's too where there is one.",
            made_line(run, summary["device"]),
            commands,
        ]
    )


def _rows(study: Mapping[str, Any]) -> Iterable[list[str]]:
    sizes, minutes = study["sentences"], study["minutes"]
    for name, row in ROWS.items():
        figures = study["summary"]["methods"].get(name)
        if figures is None:
            continue
        spent = minutes[row] + (0 if name == "vanilla" else minutes["teacher"])
        yield [
            f"{sizes['train']:,}",
            f"{sizes['text']:,}" if row == "with text" else NONE,
            {"undistilled": "`vanilla`"}.get(row, "`structural`"),
            mean_and_std(figures["f1"]),
            f"{study['summary']['teacher']['f1']:.2f}",
            optional(figures["gap_closed"], "{:z.0%}"),
            optional(figures["p_value_vs_vanilla"], "{:.4f}"),
            f"{spent:.0f}",
        ]


def _commands(study: Mapping[str, Any]) -> str:
    """The command of each row that has a teacher."""
    lines = []
    for row in ("without text", "with text"):
        settings = {key: value for key, value in study["settings"][row].items() if DEFAULTS.get(key) != value}
        words = " ".join(f"-S {key}={value}" for key, value in settings.items())
        lines.append(f"$ dvc exp run {words}")
    return f"{study['sentences']['train']:,} labelled sentences:\n\n```console\n" + "\n".join(lines) + "\n```"
