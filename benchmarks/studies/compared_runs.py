"""Students of several kinds side by side, all with the same settings but for those of their kind."""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from benchmarks.studies.experiment import RESULTS, as_settings, compare, finish, shared_settings, show
from benchmarks.studies.grid import best_settings
from pipeline.errors import UserError
from pipeline.storage.text_file import write_json

Kind = tuple[Sequence[str], Mapping[str, str]]
"""The methods of a kind, and KEY: VALUE of params.yaml."""
Only = Annotated[
    list[str],
    typer.Option(help="A kind, or KIND: METHOD, METHOD; repeatable; else all. The file then has no others."),
]
EVALUATIONS = 10  # on development, of a student that is trained for a number of steps
FROM_TEACHER = {"student.init": "teacher", "distill.vanilla.init": "teacher"}
"""Students start from the teacher's layers, the undistilled one too."""


def for_epochs(epochs: int) -> dict[str, str]:
    """KEY: VALUE of params.yaml for students that are trained for so many epochs."""
    return {"student.epochs": str(epochs), "student.steps": "null"}


def for_steps(steps: int) -> dict[str, str]:
    """KEY: VALUE of params.yaml for students that are trained for so many steps."""
    every = math.ceil(steps / EVALUATIONS)
    return {"student.epochs": "null", "student.steps": str(steps), "student.evaluate_every": str(every)}


def with_text(path: str) -> dict[str, str]:
    """KEY: VALUE of params.yaml for students that learn from all unlabelled text of a file too."""
    return {"unlabelled.files": path, "unlabelled.sentences": "null"}


def tuned_settings(task: str, device: str, layers: int, encoder: str | None, put: Sequence[str]) -> list[str]:
    """KEY=VALUE of params.yaml for students of so many layers, each method at its best cell of the search."""
    chosen = best_settings(task, device, layers, put)
    return [*shared_settings(task, encoder, put), f"student.layers={layers}", *chosen]


def chosen_kinds(kinds: Mapping[str, Kind], only: Sequence[str]) -> dict[str, Kind]:
    """The kinds that `only` names, each alone or as "KIND: METHOD, METHOD"; all if it is empty.

    Raises:
        UserError: there is no such kind, or it has no such method.
    """
    chosen: dict[str, Kind] = {}
    for item in only:
        name, _, of = item.partition(":")
        if name not in kinds:
            raise UserError(f"--only: no kind {name!r}; give one of: {'; '.join(kinds)}")
        methods, changed = kinds[name]
        named = [method.strip() for method in of.split(",")] if of else methods
        if unknown := set(named) - set(methods):
            raise UserError(f"--only: {name} has no {min(unknown)!r}; give some of: {', '.join(methods)}")
        chosen[name] = named, changed
    return chosen or dict(kinds)


def compare_runs(
    study: str,
    kinds: Mapping[str, Kind],
    shared: Sequence[str],
    *,
    task: str,
    device: str,
    seeds: Sequence[int],
    facts: Mapping[str, Any] = {},
) -> None:
    """Run the students of each kind and write results/TASK-STUDY-DEVICE.json after each.

    Args:
        study: its name.
        kinds: by their names.
        shared: KEY=VALUE of params.yaml for all of them.
        task: of the results' name.
        device: the end of the results' name (see `experiment.name_ending`).
        seeds: of the students.
        facts: what else the results hold.

    Raises:
        UserError, SystemExit: see experiment.run_pipeline.
    """
    runs = {}
    for kind, (methods, changed) in kinds.items():
        runs[kind] = finish([*shared, *as_settings(changed)], methods, seeds)
        result = {**compare(task, runs), **facts}
        write_json(RESULTS / f"{task}-{study}-{device}.json", result)
        show(result)
