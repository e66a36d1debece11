"""What unlabelled text brings beyond its training steps, with a tenth of a corpus labelled.

Students of the labelled tenth are trained for the epochs that suit it, and for as many steps as those that
have the other sentences as text. Runs go through DVC's cache, so that a stopped one goes on. Run it from the
root of a checkout of its own, since `dvc exp run` changes `params.yaml` there:

    CORPUS_MIRROR=DIR python -m benchmarks.studies.equal_steps conll2003 --device cpu
"""

import math
from typing import Annotated

import typer

from benchmarks.studies.compared_runs import Kind, compare_runs, for_epochs, for_steps, with_text
from benchmarks.studies.experiment import (
    Device,
    EncoderName,
    Layers,
    Put,
    Seeds,
    Task,
    as_values,
    committed_params,
    name_ending,
    shared_settings,
)
from benchmarks.studies.parts import write_tenth
from stages import command


def kinds(text: str, epochs: int, steps: int) -> dict[str, Kind]:
    """The kinds of the study by name, with what each changes.

    Args:
        text: the file of unlabelled text.
        epochs: of students that learn only from the labelled sentences.
        steps: of students with text, and of those that are trained for as long without.
    """
    without = {"unlabelled.files": "null", "unlabelled.sentences": "null"}
    return {
        "labelled": (["vanilla", "structural"], without | for_epochs(epochs)),
        "for as many steps": (["vanilla", "structural"], without | for_steps(steps)),
        "with text": (["structural"], with_text(text) | for_steps(steps)),
    }


def main(
    task: Task,
    device: Device,
    epochs: Annotated[int, typer.Option(help="Of students that learn only from labelled sentences.")] = 8,
    passes: Annotated[int, typer.Option(help="Through all sentences, of students with text.")] = 10,
    layers: Layers = 2,
    seeds: Seeds = [1],
    put: Put = [],
    encoder: EncoderName = None,
) -> None:
    """Run the students and write results/TASK-equal-steps-DEVICE.json after each kind."""
    tenth = write_tenth(task)
    given, student = as_values(put), committed_params().student
    batch_size = int(given.get("student.batch_size", student.batch_size))
    steps = passes * sum(math.ceil(tenth.sentences[part] / batch_size) for part in ("train", "text"))
    shared = [*shared_settings(tenth.name, encoder, put), *tenth.settings, f"student.layers={layers}"]
    of_study = kinds(str(tenth.text), epochs, steps)
    compare_runs("equal-steps", of_study, shared, task=task, device=name_ending(device, encoder), seeds=seeds)


if __name__ == "__main__":
    command.run(main)
