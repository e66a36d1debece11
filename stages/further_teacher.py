"""Fine-tune a further teacher, with another seed, for a mean of several."""

from pathlib import Path
from typing import Annotated

import typer

from stages.arguments import Code, Encoded, Encoder, Params, Root, TeacherItem
from stages.command import run
from stages.guard import guarded
from stages.items import teacher_of


def main(
    encoded: Encoded,
    encoder: Encoder,
    code: Code,
    out: Annotated[Path, typer.Option(help="Folder of these teachers; TEACHER is written there.")],
    item: TeacherItem,
    params: Params = Path("params.yaml"),
    root: Root = Path(),
) -> None:
    """Train a teacher; for the first, which the stage `teacher` trains, write an empty folder."""
    from pipeline.storage.sealed_folder import write_empty

    number = teacher_of(item)
    out /= str(number)
    with guarded("further_teacher", params, code, lambda given: given.teacher, out) as settings:
        if number == 1:
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
            number=number,
            tensorboard=load_params(params).live.tensorboard,
        )


if __name__ == "__main__":
    run(main)
