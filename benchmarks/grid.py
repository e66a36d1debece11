"""The same small search for every method: learning rate × epochs, judged on development, one seed.

`python -m benchmarks.grid search TASK` trains all methods in every cell through `dvc exp run` and writes
`results/TASK-cpu/grid.json`; `python -m benchmarks.grid best TASK` prints each method's best cell as options
of `dvc exp run`, one a line. Stopped, it goes on: DVC keeps what is finished, a stage its checkpoint. The
test split is not scored.
"""

import json
import subprocess
from itertools import product
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.experiment import exp_run
from pipeline.model_folder import HISTORY
from pipeline.params import load_params
from pipeline.reporting.outcomes import write_json
from pipeline.reporting.provenance import provenance

RATES, EPOCHS = (1e-4, 2e-4, 4e-4), (5, 10)  # 2e-4 is the paper's
SEED = 1

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
Task = Annotated[str, typer.Argument(help="conll2000 or conll2003.")]
Device = Annotated[str, typer.Option(help="Ends the name of the folder under results/.")]


@app.command()
def search(
    task: Task,
    device: Device = "cpu",
    layers: Annotated[int, typer.Option(help="Of the students.")] = 2,
) -> None:
    """Train every cell that is not finished, and write the grid after each."""
    cells = []
    for rate, epochs in product(RATES, EPOCHS):
        values = {"task": task, "seeds": [SEED], "student.layers": layers}
        values |= {"student.learning_rate": rate, "student.epochs": epochs}
        settings = [f"{key}={value}" for key, value in values.items()]
        subprocess.run(exp_run(settings, ["distill"]), check=True)
        params = load_params(Path("params.yaml"))
        found = {
            method: development_f1(Path("data/students") / method / str(SEED)) for method in params.methods
        }
        cells.append({"learning_rate": rate, "epochs": epochs, "development_f1": found})
        content = {"task": task, "cells": cells, "run": provenance(params)}
        write_json(path_of(task, device), content)


@app.command()
def best(task: Task, device: Device = "cpu") -> None:
    """Print the best cell of every method; the smaller rate, then the fewer epochs, win a tie."""
    cells: list[dict[str, Any]] = json.loads(path_of(task, device).read_text(encoding="utf-8"))["cells"]
    for method in cells[0]["development_f1"]:
        cell = max(cells, key=lambda cell: cell["development_f1"][method])
        for key in ("learning_rate", "epochs"):
            print("-S", f"distill.{method}.{key}={cell[key]}", sep="\n")


def development_f1(student: Path) -> float:
    """The kept epoch's span F1 on development, in percent."""
    history = json.loads((student / HISTORY).read_text(encoding="utf-8"))
    value: float = history["epochs"][history["kept"] - 1]["development_f1"]
    return value


def path_of(task: str, device: str) -> Path:
    """Where the grid stands."""
    return Path("results") / f"{task}-{device}" / "grid.json"


if __name__ == "__main__":
    app()
