"""Fine-tune a further teacher: of a fold, for cross-fitting, or with another seed, for a mean of several."""

from pathlib import Path
from typing import Annotated

import typer

from stages.arguments import Code, Encoded, Encoder, FoldItem, Params, Root
from stages.command import run
from stages.guard import guarded
from stages.items import teacher_of


def main(
    encoded: Encoded,
    encoder: Encoder,
    code: Code,
    out: Annotated[Path, typer.Option(help="Folder of these teachers; TEACHER/FOLD is written there.")],
    item: FoldItem,
    params: Params = Path("params.yaml"),
    root: Root = Path(),
) -> None:
    """Train a further teacher on the training sentences of all folds but its own; with one fold, on all.

    Where the stage `teacher` has trained it already, write an empty folder.
    """
    from pipeline import processes
    from pipeline.storage.sealed_folder import write_empty

    number, fold = teacher_of(item)
    out = out / str(number) / str(fold)
    uses = lambda given: (given.teacher, given.folds_of(number, fold))
    with guarded("scoring_teacher", params, code, uses, out) as (settings, folds):
        if (number, folds) == (1, 1):
            if processes.is_first():
                write_empty(out)
            return
        from pipeline.encoding.folds import other_rows
        from pipeline.params import load_params
        from pipeline.training.teacher import train_teacher

        train_teacher(
            settings.model_copy(update={"seed": settings.seed + number - 1}),
            encoded=encoded,
            encoder=encoder,
            code=code,
            root=root,
            out=out,
            number=number,
            rows=None if folds == 1 else lambda sentences: other_rows(sentences, fold, folds),
            fold=None if folds == 1 else {"fold": fold, "folds": folds},
            tensorboard=load_params(params).live.tensorboard,
        )


if __name__ == "__main__":
    run(main)
