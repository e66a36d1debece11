"""Fine-tune the teacher that scores a fold, for cross-fitting."""

from pathlib import Path
from typing import Annotated

import typer

from stages.arguments import Code, Encoded, Encoder, FoldItem, Params, Root
from stages.command import run
from stages.guard import guarded
from stages.items import fold_of


def main(
    encoded: Encoded,
    encoder: Encoder,
    code: Code,
    out: Annotated[Path, typer.Option(help="Folder of these teachers; FOLD is written there.")],
    item: FoldItem,
    params: Params = Path("params.yaml"),
    root: Root = Path(),
) -> None:
    """Train a teacher on the training sentences of all other folds; with one fold, write an empty folder."""
    from pipeline.storage.sealed_folder import write_empty

    fold = fold_of(item)
    out /= str(fold)
    uses = lambda given: (given.teacher, given.folds_of(1, fold))
    with guarded("fold_teacher", params, code, uses, out) as (settings, folds):
        if folds == 1:
            write_empty(out)
            return
        from pipeline.params import load_params
        from pipeline.training.teacher import train_teacher

        train_teacher(
            settings,
            encoded=encoded,
            encoder=encoder,
            code=code,
            root=root,
            out=out,
            fold=fold,
            folds=folds,
            tensorboard=load_params(params).live.tensorboard,
        )


if __name__ == "__main__":
    run(main)
