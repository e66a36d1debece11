"""Fetch what the task needs from outside: the corpus, or the encoder."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from stages.arguments import Mirror, Params
from stages.command import run


def main(
    what: Annotated[Literal["corpus", "encoder"], typer.Argument(help="What to fetch.")],
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    params: Params = Path("params.yaml"),
    mirror: Mirror = None,
) -> None:
    """Fetch the corpus of `task` or the encoder of `teacher.encoder`, and check it."""
    from pipeline.corpora.splits import fetch_corpus
    from pipeline.fetching.sources import fetch_encoder
    from pipeline.params import load_params
    from pipeline.storage.sealed_folder import new_folder

    settings = load_params(params)
    with new_folder(out) as folder:
        if what == "encoder":
            fetch_encoder(settings.encoder.source, folder, sha256=settings.encoder.sha256)
        else:
            fetch_corpus(settings.corpus, folder, mirror=mirror and mirror / settings.task)


if __name__ == "__main__":
    run(main)
