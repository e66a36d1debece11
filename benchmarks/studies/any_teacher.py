"""Small students of a large teacher whose encoder is not theirs, and of teachers that were not trained here.

Beside students of the teacher's scores stand a student of CRFsuite's, brought in as `dump.scores`, and one
without a single tag: of the same teacher, given as `teacher.model`, from the words of the training sentences.
Unlabelled text is the training text of the other corpus. Runs go through DVC's cache, so that a stopped one
goes on. Run it from the root of a checkout of its own, since `dvc exp run` changes `params.yaml` there:

    CORPUS_MIRROR=DIR python -m benchmarks.studies.any_teacher conll2003 --device cpu --encoder FOLDER
"""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.studies.compared_runs import Kind, compare_runs, with_text
from benchmarks.studies.experiment import (
    Device,
    EncoderName,
    Layers,
    Put,
    Seeds,
    Task,
    as_settings,
    finish,
    name_ending,
    shared_settings,
)
from benchmarks.studies.parts import OWN, corpus_settings, other_text, read_corpus, write_parts
from benchmarks.taggers.crfsuite_scores import write_probabilities
from stages import command

TEACHER, GIVEN = Path("data/teacher"), Path("data/given_teacher")


def kinds(untagged: str, text: str, scores: str) -> dict[str, Kind]:
    """The kinds of the study by name, with what each changes.

    Args:
        untagged: the corpus that is `task`'s test set alone; its folder under OWN holds the training words.
        text: the file of unlabelled text.
        scores: the file of CRFsuite's probabilities.
    """
    without_tags = {
        "task": untagged,
        "methods": "[structural]",
        "teacher.model": str(GIVEN),
        "distill.structural.schedule": "constant",
        **with_text(f"{OWN / untagged}/text.txt"),
    }
    return {
        "as given": (["vanilla", "structural", "efficient"], {}),
        "with text": (["structural"], with_text(text)),
        "without labelled sentences": (["structural"], without_tags),
        "from CRFsuite's scores": (["structural"], {"dump.scores": scores}),
    }


def main(
    task: Task,
    device: Device,
    encoder: EncoderName,
    student: Annotated[str, typer.Option(help="The encoder of the students.")] = "all-MiniLM-L6-v2",
    layers: Layers = 2,
    epochs: Annotated[int, typer.Option(help="Of the students.")] = 5,
    seeds: Seeds = [1],
    put: Put = [],
) -> None:
    """Run the students and write results/TASK-any-teacher-ENCODER-DEVICE.json after each kind."""
    corpus, splits = read_corpus(task)
    untagged, text, scores = f"{task}_untagged", other_text(task), OWN / f"{task}-crfsuite.parquet"
    write_parts(splits, 0, OWN / untagged, development=0)
    if not scores.exists():
        write_probabilities([sentence for sentence in splits["train"] if sentence.words], scores)
    size = {
        "methods": "[vanilla,structural,efficient]",
        "student.encoder": student,
        "student.layers": layers,
        "student.epochs": epochs,
    }
    shared = [
        *as_settings(size),
        *shared_settings(task, encoder, put),
        *corpus_settings(untagged, corpus, OWN / untagged, splits=["test"]),
    ]
    finish(shared, [], seeds)
    shutil.copytree(TEACHER, GIVEN, dirs_exist_ok=True)
    of_study = kinds(untagged, str(text), str(scores))
    compare_runs("any-teacher", of_study, shared, task=task, device=name_ending(device, encoder), seeds=seeds)


if __name__ == "__main__":
    command.run(main)
