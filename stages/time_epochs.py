"""Time one epoch of every method."""

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
    from pipeline.storage.sealed_folder import filled
    from pipeline.storage.text_file import write_json
    from pipeline.timing.timed_run import time_run
    from pipeline.training.teacher_folders import TeacherFolders

    uses = lambda given: (given.task, given.methods, given.student, given.time_epochs, *given.counts)
    with guarded("time_epochs", params, code, uses, out) as (task, methods, student, settings, *counts):
        teachers, folds = counts
        first = filled(imported_scores, teacher)
        figures = time_run(
            methods,
            student,
            settings,
            encoded=encoded,
            student_encoded=filled(student_encoded, encoded),
            student_encoder=filled(student_encoder, encoder),
            folders=TeacherFolders(teacher, first, scoring_teachers, scores, teachers=teachers, folds=folds),
        )
        write_json(out, {"task": task} | figures)


if __name__ == "__main__":
    run(main)
