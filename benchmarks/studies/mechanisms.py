"""What other teachers, other students and made-up sentences are worth, with the settings of params.yaml.

Runs go through DVC's cache, so that a stopped one goes on. Run it from the root of a checkout of its own,
since `dvc exp run` changes `params.yaml` there:

    python -m benchmarks.studies.mechanisms newsdesk --device cpu
"""

from typing import Annotated

import typer

from benchmarks.studies.compared_runs import Kind, compare_runs
from benchmarks.studies.experiment import Device, Task
from stages import command

DEFAULTS = {
    "teachers": "[1]",
    "folds": "[1]",
    "unlabelled.made_up": "0",
    "student.init": "pretrained",
    "student.network": "transformer",
    "student.epochs": "5",
    "student.learning_rate": "2e-4",
}
BILSTM = {"student.network": "bilstm", "student.epochs": "20", "student.learning_rate": "1e-3"}
KINDS: dict[str, Kind] = {
    "as given": (["vanilla", "structural"], {}),
    "from the teacher": (["vanilla", "structural"], {"student.init": "teacher"}),
    "with two folds": (["structural"], {"folds": "[1,2]"}),
    "with two folds, from the teacher": (["structural"], {"folds": "[1,2]", "student.init": "teacher"}),
    "with three teachers": (["structural"], {"teachers": "[1,2,3]"}),
    "with made-up sentences": (["structural"], {"unlabelled.made_up": "2"}),
    "with made-up sentences, from the teacher": (
        ["structural"],
        {"unlabelled.made_up": "2", "student.init": "teacher"},
    ),
    "as a BiLSTM": (["vanilla", "structural"], BILSTM),
}


def main(
    task: Task,
    device: Device,
    layers: Annotated[int, typer.Option(help="Of the students that are no BiLSTM.")] = 3,
    seeds: Annotated[list[int], typer.Option(help="Of the students.")] = [1, 2, 3],  # noqa: B006
) -> None:
    """Run the students and write results/TASK-mechanisms-DEVICE.json after each kind."""
    shared = [f"task={task}", f"student.layers={layers}"]
    kinds = {name: (methods, {**DEFAULTS, **changed}) for name, (methods, changed) in KINDS.items()}
    compare_runs("mechanisms", kinds, shared, task=task, device=device, seeds=seeds)


if __name__ == "__main__":
    command.run(main)
