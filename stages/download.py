"""Fetch what the task needs from outside: the corpus, the encoders, or scores from elsewhere."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from stages.arguments import Code, Mirror, Params
from stages.command import run
from stages.guard import guarded

NEEDS: dict[str, Any] = {
    "corpus": lambda given: (given.corpus, given.task),
    "encoder": lambda given: given.encoder,
    "student_encoder": lambda given: given.student_encoder,
    "imported_scores": lambda given: given.imported_scores,
}


def main(
    what: Annotated[
        Literal["corpus", "encoder", "student_encoder", "imported_scores"],
        typer.Argument(help="What to fetch."),
    ],
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    code: Code,
    params: Params = Path("params.yaml"),
    mirror: Mirror = None,
) -> None:
    """Fetch the corpus, an encoder or scores from elsewhere; the folder stays empty where none is named."""
    from pipeline.storage.sealed_folder import new_folder

    with guarded("download", params, code, NEEDS[what], out) as source, new_folder(out) as folder:
        if source is None:
            return
        from pipeline.corpora.splits import fetch_corpus
        from pipeline.fetching.settings import Source
        from pipeline.fetching.sources import fetch_dataset, fetch_encoder

        if what == "corpus":
            corpus, task = source
            fetch_corpus(corpus, folder, mirror=mirror and mirror / task)
        elif what == "imported_scores":
            fetch_dataset(source, "train", folder / "files")
        else:
            encoder: Source = source
            fetch_encoder(encoder.source, folder, sha256=encoder.sha256)


if __name__ == "__main__":
    run(main)
