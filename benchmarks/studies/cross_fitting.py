"""What teachers are worth that have not seen the sentences they score: students with one fold and with two.

Every method has its best learning rate and epochs of `benchmarks.studies.grid`, which was made with one fold.
Runs go through DVC's cache, so that a stopped one goes on. Run it from the root of a checkout of its own,
since `dvc exp run` changes `params.yaml` there:

    CORPUS_MIRROR=DIR python -m benchmarks.studies.cross_fitting conll2003 --device cpu
"""

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from benchmarks.studies.experiment import (
    RESULTS,
    Device,
    EncoderName,
    Task,
    compare,
    encoder_settings,
    finish,
    label,
    show,
)
from benchmarks.studies.grid import best_settings
from pipeline.storage.text_file import write_json
from stages import command

PRETRAINED, TEACHER = {"student.init": "pretrained"}, {"student.init": "teacher"}
ONE, TWO = {"folds": "[1]"}, {"folds": "[1,2]"}
RUNS: dict[str, tuple[Sequence[str], Mapping[str, str]]] = {
    "with one fold": (["vanilla", "structural"], ONE | PRETRAINED),
    "with two folds": (["structural", "efficient"], TWO | PRETRAINED),
    "with two folds, from the teacher": (["structural"], TWO | TEACHER),
    "from the teacher": (["vanilla", "structural"], ONE | TEACHER),
}


def main(
    task: Task,
    device: Device,
    layers: Annotated[int, typer.Option(help="Of the students.")] = 2,
    seeds: Annotated[list[int], typer.Option(help="Of the students.")] = [1, 2, 3],  # noqa: B006
    encoder: EncoderName = None,
) -> None:
    """Run the students and write results/TASK-cross-fitting-DEVICE.json after each kind."""
    chosen = best_settings(task, label(device, encoder), layers)
    shared = [f"task={task}", f"student.layers={layers}", *encoder_settings(encoder), *chosen]
    runs = {}
    for kind, (methods, changed) in RUNS.items():
        runs[kind] = finish([*shared, *(f"{key}={value}" for key, value in changed.items())], methods, seeds)
        result = compare(task, runs)
        write_json(RESULTS / f"{task}-cross-fitting-{label(device, encoder)}.json", result)
        show(result)


if __name__ == "__main__":
    command.run(main)
