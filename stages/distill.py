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
    teacher: arguments.Teacher,
    fold_teachers: arguments.FoldTeachers,
    scores: arguments.Scores,
    text: arguments.Text,
    unlabelled: arguments.Unlabelled,
    code: arguments.Code,
    out: Annotated[Path, typer.Option(help="Folder of the students; METHOD/SEED is written there.")],
    item: arguments.Item,
    params: arguments.Params = Path("params.yaml"),
    root: arguments.Root = Path(),
) -> None:
    """Train one student by one method, from the teacher's stored scores and the gold tags."""
    from pipeline.training.student import train_student
    from pipeline.training.student_inputs import TeacherFolders
    from pipeline.training.student_settings import student_settings

    method, seed = student_of(item)
    code, out = code / method, student_folder(out, item)
    uses = lambda given: (given.student, given.settings(method), len(given.folds))  # noqa: E731
    with guarded(f"distill/{method}", params, code, uses, out) as (student, own, folds):
        train_student(
            student_settings(student, own),
            method,
            own,
            seed=seed,
            encoded=encoded,
            encoder=encoder,
            folders=TeacherFolders(teacher, fold_teachers, scores, folds),
            text=text,
            unlabelled=unlabelled,
            code=code,
            root=root,
            out=out,
        )


if __name__ == "__main__":
    run(main)
