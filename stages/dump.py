"""Store a teacher's scores of the training sentences."""

from pathlib import Path
from typing import Annotated

import typer

from stages import arguments
from stages.command import run
from stages.guard import guarded
from stages.items import teacher_and_fold_of


def main(
    encoded: arguments.Encoded,
    teacher: arguments.Teacher,
    scoring_teachers: arguments.ScoringTeachers,
    imported_scores: arguments.ImportedScores,
    code: arguments.Code,
    out: Annotated[Path, typer.Option(help="Folder of the score stores; TEACHER/FOLD is written there.")],
    item: arguments.TeacherAndFoldItem,
    params: arguments.Params = Path("params.yaml"),
    root: arguments.Root = Path(),
) -> None:
    """Store a teacher's scores of the training sentences.

    With several folds, each fold's by the teacher that has not seen it. Scores from elsewhere take the place
    of a teacher's.
    """
    from pipeline.encoding.folds import fold_rows
    from pipeline.encoding.split_file import load
    from pipeline.scores.dump import origin_of
    from pipeline.scores.scoring import scoring_teacher, write_split_scores
    from pipeline.storage.checkpoint import run_key
    from pipeline.storage.sealed_folder import check, filled

    number, fold = teacher_and_fold_of(item)
    out = out / str(number) / str(fold)
    uses = lambda given: (given.dump, given.folds_of(number, fold))
    with guarded("dump", params, code, uses, out) as (settings, folds):
        check(encoded)
        split = encoded / "train.parquet"
        rows = None if folds == 1 else fold_rows(len(load(split)), fold, folds)
        scoring = scoring_teacher(filled(imported_scores, teacher), scoring_teachers, number, fold, folds)
        origin = origin_of(split, scoring, fold=fold, folds=folds)
        key = run_key("dump", settings.model_dump(), encoded, scoring, code, fold, folds)
        write_split_scores(scoring, split, settings, rows=rows, origin=origin, key=key, root=root, out=out)


if __name__ == "__main__":
    run(main)
