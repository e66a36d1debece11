"""Distil one student."""

from pathlib import Path
from typing import Annotated

import typer

from stages import arguments
from stages.command import run
from stages.guard import guarded
from stages.items import student_folder, student_of


def main(
    encoded: arguments.Encoded,
    encoder: arguments.Encoder,
    student_encoded: arguments.StudentEncoded,
    student_encoder: arguments.StudentEncoder,
    teacher: arguments.Teacher,
    scoring_teachers: arguments.ScoringTeachers,
    scores: arguments.Scores,
    imported_scores: arguments.ImportedScores,
    text: arguments.Text,
    student_text: arguments.StudentText,
    text_scores: arguments.TextScores,
    code: arguments.Code,
    out: Annotated[Path, typer.Option(help="Folder of the students; METHOD/SEED is written there.")],
    item: arguments.StudentItem,
    params: arguments.Params = Path("params.yaml"),
    root: arguments.Root = Path(),
) -> None:
    """Train one student by one method, from the teacher's stored scores and the gold tags."""
    from pipeline.params import load_params
    from pipeline.storage.sealed_folder import filled
    from pipeline.training.student import train_student
    from pipeline.training.teacher_folders import TeacherFolders

    method, seed = student_of(item)
    code, out = code / method, student_folder(out, item)
    uses = lambda given: (given.student, given.settings(method), *given.counts)
    with guarded(f"distill/{method}", params, code, uses, out) as (student, settings, teachers, folds):
        first = filled(imported_scores, teacher)
        train_student(
            student,
            method,
            settings,
            seed=seed,
            encoded=filled(student_encoded, encoded),
            encoder=filled(student_encoder, encoder),
            folders=TeacherFolders(teacher, first, scoring_teachers, scores, text_scores, teachers, folds),
            text=filled(student_text, text),
            code=code,
            root=root,
            out=out,
            tensorboard=load_params(params).live.tensorboard,
        )


if __name__ == "__main__":
    run(main)
