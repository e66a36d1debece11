"""Store what the teacher says about every word of text without tags."""

from pathlib import Path
from typing import Annotated

import typer

from stages.arguments import Code, Params, Root, Teacher, Text
from stages.command import run
from stages.guard import guarded


def main(
    text: Text,
    teacher: Teacher,
    code: Code,
    out: Annotated[Path, typer.Option(help="Folder to write: the teacher's scores; empty without text.")],
    params: Params = Path("params.yaml"),
    root: Root = Path(),
) -> None:
    """Run the teacher once over the encoded text."""
    from pipeline.scores.unlabelled import write_unlabelled

    with guarded("unlabelled", params, code, lambda given: given.dump, out) as settings:
        write_unlabelled(text, out, teacher=teacher, code=code, settings=settings, root=root)


if __name__ == "__main__":
    run(main)
