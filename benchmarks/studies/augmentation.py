"""What many augmented sentences and many steps bring where all sentences are labelled.

Students from the teacher's layers learn from several augmented sentences per labelled one, from these and
the training text of another corpus, with cross-fitting too, or for as many steps from the labelled sentences
alone. Runs go through DVC's cache, so that a stopped one goes on. Run it from the root of a checkout of its
own, since `dvc exp run` changes `params.yaml` there:

    CORPUS_MIRROR=DIR python -m benchmarks.studies.augmentation conll2003 --device cpu
"""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from benchmarks.studies.compared_runs import (
    FROM_TEACHER,
    Kind,
    Only,
    chosen_kinds,
    compare_runs,
    for_epochs,
    for_steps,
    with_text,
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
from benchmarks.studies.mechanisms import FOLDS
from benchmarks.studies.parts import text_of
from stages import command


def kinds(epochs: int, copies: int, steps: int, text: str) -> dict[str, Kind]:
    """The kinds of the study by name, with what each changes.

    Args:
        epochs: of the students "as given" and "from the teacher".
        copies: augmented sentences per labelled one.
        steps: of all others.
        text: the path of the unlabelled text.
    """
    from_teacher = FROM_TEACHER | for_steps(steps)
    augmented = from_teacher | {"unlabelled.augmented": str(copies)}
    with_both = augmented | with_text(text)
    given = for_epochs(epochs)
    return {
        "as given": (["vanilla"], given),
        "from the teacher": (["vanilla"], given | FROM_TEACHER),
        f"with {copies} augmented sentences for each, from the teacher": (
            ["structural"],
            augmented,
        ),
        "for as many steps, from the teacher": (["vanilla", "structural"], from_teacher),
        f"with text and {copies} augmented sentences for each, from the teacher": (
            ["structural"],
            with_both,
        ),
        f"with text, {copies} augmented sentences for each and two folds, from the teacher": (
            ["structural"],
            with_both | FOLDS,
        ),
    }


def searched_kinds(search: Mapping[str, Any], text: str) -> dict[str, Kind]:
    """The kinds of a search that this study has recorded, with its epochs, copies and steps."""
    runs = {name: run["parameters"] for name, run in search["runs"].items()}
    return kinds(
        runs["as given"]["student"]["epochs"],
        max(run["unlabelled"]["augmented"] for run in runs.values()),
        max(run["student"]["steps"] or 0 for run in runs.values()),
        text,
    )


def main(
    task: Task,
    device: Device,
    epochs: Annotated[
        int, typer.Option(help="Epochs of the students `as given` and `from the teacher`.")
    ] = 10,
    copies: Annotated[int, typer.Option(help="Augmented sentences per labelled one.")] = 5,
    steps: Annotated[int, typer.Option(help="Steps of all other students.")] = 20_000,
    layers: Layers = 2,
    seeds: Seeds = [1],
    only: Only = [],
    put: Put = [],
    encoder: EncoderName = None,
) -> None:
    """Run the students and write results/TASK-augmentation-DEVICE.json after each kind."""
    shared = [*shared_settings(task, encoder, put), f"student.layers={layers}"]
    chosen = chosen_kinds(kinds(epochs, copies, steps, text_of(task)), only)
    compare_runs("augmentation", chosen, shared, task=task, device=name_ending(device, encoder), seeds=seeds)


if __name__ == "__main__":
    command.run(main)
