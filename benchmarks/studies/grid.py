"""The same small search for every method: learning rate and epochs, by development F1, one seed.

`python -m benchmarks.studies.grid TASK --device DEVICE` trains all methods in every cell by `dvc exp run` and
writes `results/TASK-LAYERS-layers-DEVICE/grid.json` after each; `--best` prints each method's best cell as
options of `dvc exp run`. A stopped search continues where it was. The test split is not evaluated.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.pages.provenance import provenance
from benchmarks.pages.recorded_runs import GRID, read_result
from benchmarks.studies.experiment import (
    PARAMS,
    RESULTS,
    Device,
    EncoderName,
    Layers,
    Put,
    Task,
    as_values,
    committed_params,
    name_ending,
    run_pipeline,
    shared_settings,
)
from pipeline.errors import UserError
from pipeline.params import Params, load_params
from pipeline.storage.file_names import HISTORY
from pipeline.storage.text_file import write_json
from stages import command

CELLS = ((2e-4, 5), (4e-4, 5), (2e-4, 10))
"""(learning rate, epochs): the paper's rate first, then one of the two changed at a time."""
SEED = 1


def main(
    task: Task,
    device: Device,
    layers: Layers = 2,
    best: Annotated[bool, typer.Option("--best", help="Train nothing; print what was best.")] = False,
    encoder: EncoderName = None,
    put: Put = [],
) -> None:
    """Search, or print what a search found."""
    if best:
        for setting in best_settings(task, name_ending(device, encoder), layers, put):
            print("-S", setting, sep="\n")
        return
    params = committed_params()
    shared = [*shared_settings(task, encoder, put), f"seeds=[{SEED}]", f"student.layers={layers}"]
    cells: list[dict[str, Any]] = []
    for cell in CELLS:
        chosen = settings(dict.fromkeys(params.methods, cell), params, put)
        run_pipeline([*shared, *chosen], ["distill"])
        scores = {
            method: development_f1(Path("data/students", method, str(SEED))) for method in params.methods
        }
        cells.append({"learning_rate": cell[0], "epochs": cell[1], "development_f1": scores})
        write_json(
            path_of(task, name_ending(device, encoder), layers),
            {
                "task": task,
                "cells": cells,
                "cells_left": len(CELLS) - len(cells),
                "run": provenance(load_params(PARAMS)),
            },
        )


def best_settings(task: str, ending: str, layers: int, put: Sequence[str] = ()) -> Iterable[str]:
    """What a finished search found best for every method, as KEY=VALUE of params.yaml; see `settings`.

    Raises:
        UserError: as `searched_cells`.
    """
    cells = searched_cells(path_of(task, ending, layers))
    return settings(best_cells(cells), committed_params(), put)


def path_of(task: str, ending: str, layers: int) -> Path:
    """The file of a search; `ending` is the `name_ending` of its device and encoder."""
    return RESULTS / f"{task}-{layers}-layers-{ending}" / GRID


def searched_cells(path: Path) -> list[dict[str, Any]]:
    """The cells of the search in the file `path`.

    Raises:
        UserError: there is no search, or it was stopped, so that another cell may be the best.
    """
    found = read_result(path)
    cells: list[dict[str, Any]] = found["cells"]
    if left := found.get("cells_left", 0):  # not in results recorded before it was counted
        raise UserError(
            f"{path}: the search was stopped after {len(cells)} of {len(cells) + left} cells; run it again, "
            "which goes on from there"
        )
    return cells


def best_cells(cells: Sequence[Mapping[str, Any]]) -> dict[str, tuple[float, int]]:
    """Learning rate and epochs of each method's best cell; the earlier wins a tie."""
    best = {
        method: max(cells, key=lambda cell: cell["development_f1"][method])
        for method in cells[0]["development_f1"]
    }
    return {method: (cell["learning_rate"], cell["epochs"]) for method, cell in best.items()}


def settings(
    chosen: Mapping[str, tuple[float, int]], params: Params, put: Sequence[str] = ()
) -> Iterable[str]:
    """A method's learning rate and epochs as KEY=VALUE of params.yaml; null where they are every student's.

    A run with the same values by default then finds these students in DVC's cache.

    Args:
        chosen: learning rate and epochs of each method.
        params: as committed.
        put: KEY=VALUE of all runs, which may give every student other ones.
    """
    changed = as_values(put)
    for method, cell in chosen.items():
        for key, value in zip(("learning_rate", "epochs"), cell, strict=True):
            default = f"student.{key}" not in changed and value == getattr(params.student, key)
            yield f"distill.{method}.{key}={'null' if default else value}"


def development_f1(student: Path) -> float:
    """The kept epoch's span F1 on development, in percent."""
    history = json.loads((student / HISTORY).read_text(encoding="utf-8"))
    value: float = history["epochs"][history["kept"] - 1]["development_f1"]
    return value


if __name__ == "__main__":
    command.run(main)
