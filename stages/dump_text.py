"""Store what a teacher says about every word of unlabelled text."""

from pathlib import Path
from typing import Annotated

import typer

from stages import arguments
from stages.command import run
from stages.guard import guarded
from stages.items import teacher_of


def main(
    text: arguments.Text,
    teacher: arguments.Teacher,
    scoring_teachers: arguments.ScoringTeachers,
    imported_scores: arguments.ImportedScores,
    code: arguments.Code,
    out: Annotated[Path, typer.Option(help="Folder of the score stores; TEACHER is written there.")],
    item: arguments.TeacherItem,
    params: arguments.Params = Path("params.yaml"),
    root: arguments.Root = Path(),
) -> None:
    """Run a teacher once over the encoded text; without text, write an empty folder."""
    from pipeline.scores.scoring import scoring_teacher
    from pipeline.scores.text_scores import write_text_scores
    from pipeline.storage.sealed_folder import filled

    number = teacher_of(item)
    out /= str(number)
    with guarded("dump_text", params, code, lambda given: given.dump, out) as settings:
        scoring = scoring_teacher(filled(imported_scores, teacher), scoring_teachers, number, 1, 1)
        write_text_scores(text, out, teacher=scoring, code=code, settings=settings, root=root)


if __name__ == "__main__":
    run(main)
