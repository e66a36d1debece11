"""What many made-up sentences and many steps bring where all sentences are labelled and there is no text.

Students from the teacher's layers learn from several sentences made up of each labelled one, or for as many
steps from the labelled sentences alone. Runs go through DVC's cache, so that a stopped one goes on. Run it
from the root of a checkout of its own, since `dvc exp run` changes `params.yaml` there:

    CORPUS_MIRROR=DIR python -m benchmarks.studies.made_up conll2003 --device cpu
"""

from typing import Annotated

import typer

from benchmarks.studies.compared_runs import (
    FROM_TEACHER,
    Kind,
    chosen_kinds,
    compare_runs,
    for_epochs,
    for_steps,
)
from benchmarks.studies.experiment import (
    Device,
    EncoderName,
    Layers,
    Put,
    Seeds,
    Task,
    name_ending,
    shared_settings,
)
from benchmarks.studies.parts import other_text
from stages import command


def kinds(epochs: int, copies: int, steps: int, text: str) -> dict[str, Kind]:
    """The kinds of the study by name, with what each changes.

    Args:
        epochs: of the student without a teacher.
        copies: sentences made up of each labelled one.
        steps: of all other students.
        text: the path of the text without tags.
    """
    without = {"unlabelled.made_up": "0", "unlabelled.files": "null"}
    from_teacher = FROM_TEACHER | for_steps(steps) | without
    return {
        "as given": (["vanilla"], for_epochs(epochs) | without),
        f"with {copies} made-up sentences for each, from the teacher": (
            ["structural"],
            from_teacher | {"unlabelled.made_up": str(copies)},
        ),
        "for as many steps, from the teacher": (["vanilla", "structural"], from_teacher),
        f"with text and {copies} made-up sentences for each, from the teacher": (
            ["structural"],
            from_teacher
            | {"unlabelled.made_up": str(copies), "unlabelled.files": text, "unlabelled.sentences": "null"},
        ),
    }


def main(
    task: Task,
    device: Device,
    epochs: Annotated[int, typer.Option(help="Of the student without a teacher.")] = 10,
    copies: Annotated[int, typer.Option(help="Sentences made up of each labelled one.")] = 5,
    steps: Annotated[int, typer.Option(help="Of all other students.")] = 20_000,
    layers: Layers = 2,
    seeds: Seeds = [1],
    only: Annotated[list[str], typer.Option(help="A kind, or KIND: METHOD, METHOD; else all.")] = [],
    put: Put = [],
    encoder: EncoderName = None,
) -> None:
    """Run the students and write results/TASK-made-up-DEVICE.json after each kind."""
    shared = [*shared_settings(task, encoder, put), f"student.layers={layers}"]
    chosen = chosen_kinds(kinds(epochs, copies, steps, str(other_text(task))), only)
    compare_runs("made-up", chosen, shared, task=task, device=name_ending(device, encoder), seeds=seeds)


if __name__ == "__main__":
    command.run(main)
