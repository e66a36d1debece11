"""How much λ's schedule and the initialisation matter: tuned students, and the same with one changed.

Every method has its best learning rate and epochs of `benchmarks.studies.grid`. Runs go through DVC's
cache, so a stopped one continues. Run it from the root of a checkout of its own, since `dvc exp run` changes
`params.yaml` there:

    CORPUS_MIRROR=DIR python -m benchmarks.studies.variants conll2003 --device cpu
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

METHODS = ("vanilla", "structural", "efficient")
TUNED = {
    "distill.efficient.schedule": "last_epoch",
    "distill.efficient.weight": "1.0",
    "student.init": "pretrained",
}
CONSTANT = {
    "distill.efficient.schedule": "constant",
    "distill.efficient.weight": "0.9",
}  # the released code's
VARIANTS: dict[str, tuple[Sequence[str], Mapping[str, str]]] = {
    "tuned": (METHODS, {}),
    "with constant λ": (["efficient"], CONSTANT),
    "from the teacher": (METHODS, {"student.init": "teacher"}),
}


def main(
    task: Task,
    device: Device,
    layers: Annotated[int, typer.Option(help="Of the students.")] = 2,
    seeds: Annotated[list[int], typer.Option(help="Of the students.")] = [1, 2, 3],  # noqa: B006
    encoder: EncoderName = None,
) -> None:
    """Run the variants and write results/TASK-variants-DEVICE.json."""
    chosen = best_settings(task, label(device, encoder), layers)
    shared = [f"task={task}", f"student.layers={layers}", *encoder_settings(encoder), *chosen]
    runs = {
        label: finish(
            [*shared, *(f"{key}={value}" for key, value in {**TUNED, **changed}.items())], methods, seeds
        )
        for label, (methods, changed) in VARIANTS.items()
    }
    result = compare(task, runs)
    write_json(RESULTS / f"{task}-variants-{label(device, encoder)}.json", result)
    show(result)


if __name__ == "__main__":
    command.run(main)
