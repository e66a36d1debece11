"""Fetch what the task needs from outside: the corpus, or the encoder."""

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from stages.arguments import Code, Params
from stages.command import run
from stages.guard import guarded


def main(
    what: Annotated[Literal["corpus", "encoder"], typer.Argument(help="What to fetch.")],
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    code: Code,
    params: Params = Path("params.yaml"),
) -> None:
    """Fetch the corpus of `task` or the encoder of `teacher.encoder`, and check it.

    Files of a corpus are looked for in $CORPUS_MIRROR/<task>/ first.
    """
    from pipeline.corpora.splits import fetch_corpus
    from pipeline.fetching.sources import fetch_encoder
    from pipeline.storage.sealed_folder import new_folder

    if what == "encoder":
        with (
            guarded("download", params, code, lambda given: given.encoder, out) as encoder,
            new_folder(out) as folder,
        ):
            fetch_encoder(encoder.source, folder, sha256=encoder.sha256)
    else:
        mirror = os.environ.get("CORPUS_MIRROR")
        with (
            guarded("download", params, code, lambda given: (given.corpus, given.task), out) as used,
            new_folder(out) as folder,
        ):
            corpus, task = used
            fetch_corpus(corpus, folder, mirror=Path(mirror, task) if mirror else None)


if __name__ == "__main__":
    run(main)
