"""Store what the teacher says about every training word."""

from pathlib import Path
from typing import Annotated

import typer

from stages import arguments
from stages.command import run
from stages.guard import guarded
from stages.items import fold_of


def main(
    encoded: arguments.Encoded,
    teacher: arguments.Teacher,
    fold_teachers: arguments.FoldTeachers,
    code: arguments.Code,
    out: Annotated[Path, typer.Option(help="Folder of the score stores; this fold's is written there.")],
    item: arguments.Item,
    params: arguments.Params = Path("params.yaml"),
    root: arguments.Root = Path(),
) -> None:
    """Score the training sentences of a fold, once, by the teacher that has not seen them.

    With one fold the teacher itself scores all sentences.
    """
    from pipeline.device import accelerator
    from pipeline.encoding.batching import Batches
    from pipeline.encoding.encoded import load
    from pipeline.encoding.folds import fold_rows
    from pipeline.model.model_folder import load_model
    from pipeline.scores.dump import dump_scores, origin_of
    from pipeline.storage.checkpoint import CHECKPOINTS, Checkpoint, run_key
    from pipeline.storage.sealed_folder import check

    fold = fold_of(item)
    out /= str(fold)
    uses = lambda given: (given.dump, len(given.folds))  # noqa: E731
    with guarded("dump", params, code, uses, out) as (settings, folds):
        check(encoded)
        split = load(encoded / "train.parquet")
        rows = None if folds == 1 else fold_rows(len(split), fold, folds)
        scoring = teacher if folds == 1 else fold_teachers / str(fold)
        origin = origin_of(encoded, scoring, fold=fold, folds=folds)
        key = run_key("dump", settings.model_dump(), encoded, scoring, code, fold, folds)
        with Checkpoint.hold(root / CHECKPOINTS, key) as checkpoint:
            dump_scores(
                load_model(scoring),
                Batches(split, settings.batch_size, rows),
                accelerator(settings.precision),
                settings,
                origin=origin,
                checkpoint=checkpoint.folder,
                out=out,
            )


if __name__ == "__main__":
    run(main)
