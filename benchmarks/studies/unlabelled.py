"""How much unlabelled text helps: a tenth of a corpus with its tags, and the rest as text.

Two runs of the pipeline, through DVC's cache, so a stopped one continues: the teacher and all students on
the labelled tenth, then the students of the methods with a distillation loss on both. Run it from the root
of a checkout of its own, since `dvc exp run` changes `params.yaml` there:

    CORPUS_MIRROR=DIR python -m benchmarks.studies.unlabelled conll2000 --device cpu
"""

from typing import Annotated

import typer

from benchmarks.studies.compared_runs import Kind, compare_runs, for_epochs, with_text
from benchmarks.studies.experiment import Device, EncoderName, Put, Seeds, Task, name_ending, shared_settings
from benchmarks.studies.parts import write_tenth
from stages import command


def main(
    task: Task,
    device: Device,
    seeds: Seeds = [1, 2, 3],
    methods: Annotated[list[str], typer.Option(help="With and without text, beside vanilla.")] = [
        "structural",
        "posterior",
        "efficient",
    ],
    epochs: Annotated[int, typer.Option(help="Of students with text.")] = 8,
    labelled_epochs: Annotated[int, typer.Option(help="Of students without.")] = 8,
    put: Put = [],
    encoder: EncoderName = None,
) -> None:
    """Run the experiment and write results/TASK-unlabelled-DEVICE.json."""
    tenth = write_tenth(task)
    shared = [*tenth.settings, "student.layers=2", *shared_settings(tenth.name, encoder, put)]
    without_text = for_epochs(labelled_epochs) | {"unlabelled.files": "null"}
    kinds: dict[str, Kind] = {
        "labelled": (["vanilla", *methods], without_text),
        "with text": (methods, for_epochs(epochs) | with_text(str(tenth.text))),
    }
    device, facts = name_ending(device, encoder), {"sentences": tenth.sentences}
    compare_runs("unlabelled", kinds, shared, task=task, device=device, seeds=seeds, facts=facts)


if __name__ == "__main__":
    command.run(main)
