"""Text without tags, and what the teacher says about every word of it."""

import os
from pathlib import Path
from typing import Annotated

import typer

from stages.arguments import Code, Encoded, Params, Teacher
from stages.command import run


def main(
    encoded: Encoded,
    teacher: Teacher,
    code: Code,
    out: Annotated[Path, typer.Option(help="Folder to write: the text and the scores; empty without text.")],
    params: Params = Path("params.yaml"),
) -> None:
    """Fetch the text of `distill.unlabelled` and run the teacher once over it.

    The text is looked for in $CORPUS_MIRROR/<task>/ first.
    """
    from pipeline.params import load_params
    from pipeline.storage.sealed_folder import new_folder

    settings = load_params(params)
    if settings.unlabelled is None:
        with new_folder(out):
            return
    from pipeline.corpora.unlabelled_text import fetch_unlabelled
    from pipeline.scores.unlabelled import write_unlabelled

    root = os.environ.get("CORPUS_MIRROR")
    mirror = Path(root, settings.task) if root else None
    text = fetch_unlabelled(settings.unlabelled, settings.corpus, mirror=mirror)
    print(f"unlabelled: {text}")
    write_unlabelled(text.sentences, out, encoded=encoded, teacher=teacher, code=code, settings=settings.dump)


if __name__ == "__main__":
    run(main)
