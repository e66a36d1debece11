"""Fine-tune the teacher, or take an existing one."""

from pathlib import Path
from typing import Annotated

import typer

from stages.arguments import Code, Encoded, Encoder, Params, Root
from stages.command import run
from stages.guard import guarded


def main(
    encoded: Encoded,
    encoder: Encoder,
    code: Code,
    out: Annotated[Path, typer.Option(help="Folder to write: the teacher.")],
    params: Params = Path("params.yaml"),
    root: Root = Path(),
) -> None:
    """Train encoder, emission layer and CRF, if it has one, on the gold tags.

    With `teacher.model`, train nothing: write that model with the corpus's tags.
    """
    from pipeline import processes
    from pipeline.params import load_params
    from pipeline.training.teacher import take_teacher, train_teacher

    with guarded("teacher", params, code, lambda given: given.teacher, out) as settings:
        if settings.model is not None:
            if processes.is_first():
                print(take_teacher(settings, encoded=encoded, encoder=encoder, out=out))
            return
        train_teacher(
            settings,
            encoded=encoded,
            encoder=encoder,
            code=code,
            root=root,
            out=out,
            tensorboard=load_params(params).live.tensorboard,
        )


if __name__ == "__main__":
    run(main)
