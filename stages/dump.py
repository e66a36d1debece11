"""Store what the teacher says about every training word."""

from pathlib import Path
from typing import Annotated, Any

import typer

from stages import arguments
from stages.command import run
from stages.guard import guarded
from stages.items import teacher_of


def main(
    encoded: arguments.Encoded,
    teacher: arguments.Teacher,
    scoring_teachers: arguments.ScoringTeachers,
    imported_scores: arguments.ImportedScores,
    code: arguments.Code,
    out: Annotated[Path, typer.Option(help="Folder of the score stores; TEACHER/FOLD is written there.")],
    item: arguments.Item,
    params: arguments.Params = Path("params.yaml"),
    root: arguments.Root = Path(),
) -> None:
    """Score the training sentences of a fold, once, by a teacher that has not seen them.

    With one fold a teacher scores all sentences. Scores from elsewhere take the place of a teacher.
    """
    from pipeline.device import accelerator
    from pipeline.encoding.batching import Batches
    from pipeline.encoding.encoded import load, read_words
    from pipeline.encoding.folds import fold_rows
    from pipeline.model.model_folder import load_model
    from pipeline.scores.dump import dump_scores, origin_of, scoring_teacher
    from pipeline.scores.imported import import_scores
    from pipeline.storage.checkpoint import CHECKPOINTS, Checkpoint, run_key
    from pipeline.storage.sealed_folder import check, filled

    number, fold = teacher_of(item)
    out = out / str(number) / str(fold)
    uses = lambda given: (given.dump, len(given.folds))  # noqa: E731
    with guarded("dump", params, code, uses, out) as (settings, folds):
        check(encoded)
        split = load(encoded / "train.parquet")
        rows = None if folds == 1 else fold_rows(len(split), fold, folds)
        first = filled(imported_scores, teacher)
        scoring = scoring_teacher(first, scoring_teachers, number, fold, folds)
        origin = origin_of(encoded, scoring, fold=fold, folds=folds)
        key = run_key("dump", settings.model_dump(), encoded, scoring, code, fold, folds)
        with Checkpoint.hold(root / CHECKPOINTS, key) as checkpoint:
            places: dict[str, Any] = {"origin": origin, "checkpoint": checkpoint.folder, "out": out}
            if first == imported_scores:
                import_scores(scoring, read_words(encoded / "train.parquet"), settings, **places)
            else:
                batches = Batches(split, settings.batch_size, rows)
                dump_scores(load_model(scoring), batches, accelerator(settings.precision), settings, **places)


if __name__ == "__main__":
    run(main)
