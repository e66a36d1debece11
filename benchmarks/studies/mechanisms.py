"""What each way to learn more from a teacher is worth, and all of them together, with one set of settings.

Text without tags is the training text of another corpus, or what newsdesk brings. Runs go through DVC's
cache, so that a stopped one goes on. Run it from the root of a checkout of its own, since `dvc exp run`
changes `params.yaml` there:

    CORPUS_MIRROR=DIR python -m benchmarks.studies.mechanisms conll2003 --device cpu --layers 2
"""

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.studies.compared_runs import FROM_TEACHER, Kind, chosen_kinds, compare_runs
from benchmarks.studies.experiment import Device, EncoderName, Put, Task, label, shared_settings
from benchmarks.studies.parts import read_corpus, write_text
from stages import command

OTHER = {"conll2000": "conll2003", "conll2003": "conll2000"}
"""The corpus whose training sentences are a task's text without tags."""
BILSTM = {"student.network": "bilstm", "student.epochs": "20", "student.learning_rate": "1e-3"}
FOLDS = {"folds": "[1,2]"}
MADE_UP = {"unlabelled.made_up": "1"}
UNCHANGED = {
    "teacher.epochs": "6",
    "teachers": "[1]",
    "folds": "[1]",
    "unlabelled.files": "null",
    "unlabelled.made_up": "0",
    "student.network": "transformer",
    "student.learning_rate": "2e-4",
}
"""What some kind changes and all others leave: `dvc exp run` keeps what the run before has set."""


def kinds(text: str) -> dict[str, Kind]:
    """The kinds of the study by name, with what each changes; the most telling first."""
    with_text = {"unlabelled.files": text, "unlabelled.sentences": "null"}
    both, one, less_sure = ["vanilla", "structural"], ["structural"], ["structural", "efficient"]
    return {
        "as given": ([*both, "efficient"], {}),
        "from the teacher": (both, FROM_TEACHER),
        "with two folds, from the teacher": (one, FOLDS | FROM_TEACHER),
        "with two folds": (less_sure, FOLDS),
        "with text, from the teacher": (one, with_text | FROM_TEACHER),
        "with made-up sentences, from the teacher": (one, MADE_UP | FROM_TEACHER),
        "with all of these": (one, with_text | MADE_UP | FOLDS | FROM_TEACHER),
        "with a teacher of one epoch": (less_sure, {"teacher.epochs": "1"}),
        "with three teachers, from the teacher": (one, {"teachers": "[1,2,3]"} | FROM_TEACHER),
        "as a BiLSTM": (both, BILSTM),
        "with text, as a BiLSTM": (one, with_text | BILSTM),
        "with text": (one, with_text),
        "with made-up sentences": (one, MADE_UP),
    }


def main(
    task: Task,
    device: Device,
    layers: Annotated[int, typer.Option(help="Of the students that are no BiLSTM.")] = 3,
    epochs: Annotated[int, typer.Option(help="Of the same.")] = 10,
    seeds: Annotated[list[int], typer.Option(help="Of the students.")] = [1, 2, 3],  # noqa: B006
    only: Annotated[list[str], typer.Option(help="A kind, or KIND: METHOD, METHOD; else all.")] = [],  # noqa: B006
    encoder: EncoderName = None,
    put: Put = [],  # noqa: B006
) -> None:
    """Run the students and write results/TASK-mechanisms-DEVICE.json after each kind."""
    text, device = "data/newsdesk/text.txt", label(device, encoder)
    if task in OTHER:
        other = OTHER[task]
        _, splits = read_corpus(other)
        text = f"data/own/{other}.txt"
        write_text(splits["train"], Path(text))
    unchanged = {**UNCHANGED, "student.layers": layers, "student.epochs": epochs}
    shared = [*(f"{key}={value}" for key, value in unchanged.items()), *shared_settings(task, encoder, put)]
    chosen = chosen_kinds(kinds(text), only)
    compare_runs("mechanisms", chosen, shared, task=task, device=device, seeds=seeds)


if __name__ == "__main__":
    command.run(main)
