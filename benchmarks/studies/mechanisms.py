"""What each way to learn more from a teacher is worth, and all of them together, with one set of settings.

Unlabelled text is the training text of another corpus, or what newsdesk brings. Runs go through DVC's
cache, so that a stopped one goes on. Run it from the root of a checkout of its own, since `dvc exp run`
changes `params.yaml` there:

    CORPUS_MIRROR=DIR python -m benchmarks.studies.mechanisms conll2003 --device cpu --layers 2
"""

from collections.abc import Sequence
from typing import Annotated

import typer

from benchmarks.studies.compared_runs import FROM_TEACHER, Kind, Only, chosen_kinds, compare_runs, with_text
from benchmarks.studies.experiment import (
    Device,
    EncoderName,
    Put,
    Seeds,
    Task,
    as_settings,
    name_ending,
    shared_settings,
)
from benchmarks.studies.parts import text_of
from stages import command

BILSTM = {"student.network": "bilstm", "student.epochs": "20", "student.learning_rate": "1e-3"}
FOLDS = {"folds": "[1,2]"}
AUGMENTED = {"unlabelled.augmented": "1"}


def kinds(text: str) -> dict[str, Kind]:
    """The kinds of the study by name, with what each changes; the most telling first."""
    more_text = with_text(text)
    both, one, less_sure = ["vanilla", "structural"], ["structural"], ["structural", "efficient"]
    return {
        "as given": ([*both, "efficient"], {}),
        "from the teacher": (both, FROM_TEACHER),
        "with two folds, from the teacher": (one, FOLDS | FROM_TEACHER),
        "with two folds": (less_sure, FOLDS),
        "with text, from the teacher": (one, more_text | FROM_TEACHER),
        "with augmented sentences, from the teacher": (one, AUGMENTED | FROM_TEACHER),
        "with two folds, text and augmented sentences, from the teacher": (
            one,
            more_text | AUGMENTED | FOLDS | FROM_TEACHER,
        ),
        "with a teacher of one epoch": (less_sure, {"teacher.epochs": "1"}),
        "with three teachers, from the teacher": (one, {"teachers": "[1,2,3]"} | FROM_TEACHER),
        "as a BiLSTM": (both, BILSTM),
        "with text, as a BiLSTM": (one, more_text | BILSTM),
        "with text": (one, more_text),
        "with augmented sentences": (one, AUGMENTED),
    }


def shared_by_kinds(
    task: str, encoder: str | None, put: Sequence[str], *, layers: int, epochs: int
) -> list[str]:
    """KEY=VALUE of params.yaml for students of so many layers, trained for so many epochs."""
    size = {"student.layers": layers, "student.epochs": epochs}
    return [*as_settings(size), *shared_settings(task, encoder, put)]


def main(
    task: Task,
    device: Device,
    layers: Annotated[int, typer.Option(help="Of the students that are no BiLSTM.")] = 3,
    epochs: Annotated[int, typer.Option(help="Epochs of those students.")] = 10,
    seeds: Seeds = [1, 2, 3],
    only: Only = [],
    encoder: EncoderName = None,
    put: Put = [],
) -> None:
    """Run the students and write results/TASK-mechanisms-DEVICE.json after each kind."""
    device = name_ending(device, encoder)
    shared = shared_by_kinds(task, encoder, put, layers=layers, epochs=epochs)
    chosen = chosen_kinds(kinds(text_of(task)), only)
    compare_runs("mechanisms", chosen, shared, task=task, device=device, seeds=seeds)


if __name__ == "__main__":
    command.run(main)
