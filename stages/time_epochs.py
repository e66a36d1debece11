"""Time one epoch of every method."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from stages import arguments
from stages.command import run
from stages.guard import guarded


def main(
    encoded: arguments.Encoded,
    encoder: arguments.Encoder,
    student_encoded: arguments.StudentEncoded,
    student_encoder: arguments.StudentEncoder,
    teacher: arguments.Teacher,
    scoring_teachers: arguments.ScoringTeachers,
    scores: arguments.Scores,
    imported_scores: arguments.ImportedScores,
    code: arguments.Code,
    out: Annotated[Path, typer.Option(help="JSON file to write.")],
    params: arguments.Params = Path("params.yaml"),
) -> None:
    """Measure the time of an epoch by phase: as published, in this pipeline, and of the encoder alone."""
    from pipeline.encoding.batching import Batches
    from pipeline.encoding.encoded import load
    from pipeline.storage.sealed_folder import filled
    from pipeline.storage.text_file import write_json
    from pipeline.timing.epochs import epoch_times
    from pipeline.timing.shapes import timed_models
    from pipeline.training.loop import reproducible
    from pipeline.training.run import Inputs, cheaper_steps
    from pipeline.training.student_inputs import labelled_parts
    from pipeline.training.teacher_folders import TeacherFolders

    uses = lambda given: (given.task, given.methods, given.student, given.time_epochs, *given.counts)
    with guarded("time_epochs", params, code, uses, out) as (task, methods, student, settings, *counts):
        own, first = filled(student_encoded, encoded), filled(imported_scores, teacher)
        inputs = Inputs.load(own, batch_size=student.batch_size, precision=student.precision)
        folders = TeacherFolders(teacher, first, scoring_teachers, scores, None, *counts)
        parts, stored = labelled_parts(inputs, folders)
        inputs = replace(inputs, parts=tuple(parts))
        reproducible(seed=0)
        live, model = timed_models(
            settings, student, filled(student_encoder, encoder), teacher, inputs.train.encoded
        )
        cheaper_steps(model, inputs)
        others = own != encoded and settings.shapes == "encoder"
        figures = epoch_times(
            *(methods, inputs.batches, stored, live, model, student, settings, inputs.accelerator),
            teacher_batches=Batches(load(encoded / "train.parquet"), student.batch_size) if others else None,
        )
        write_json(out, {"task": task} | figures)


if __name__ == "__main__":
    run(main)
