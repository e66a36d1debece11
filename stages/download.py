"""Fetch what the task needs from outside: the corpus, or the encoder."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from stages.arguments import Code, Mirror, Params
from stages.command import run
from stages.guard import guarded


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
    """Fetch the corpus of `task`, the encoder of the teacher or the students, or scores from elsewhere.

    The folder stays empty where `student.encoder` or `dump.scores` is not set.
    """
    from pipeline.corpora.splits import fetch_corpus
    from pipeline.fetching.sources import fetch_dataset, fetch_encoder
    from pipeline.storage.sealed_folder import new_folder

    if what == "corpus":
        with (
            guarded("download", params, code, lambda given: (given.corpus, given.task), out) as used,
            new_folder(out) as folder,
        ):
            corpus, task = used
            fetch_corpus(corpus, folder, mirror=mirror and mirror / task)
    elif what == "imported_scores":
        with (
            guarded("download", params, code, lambda given: given.dump.scores, out) as source,
            new_folder(out) as folder,
        ):
            if source is not None:
                fetch_dataset(source, "train", folder / "files")
    else:
        with (
            guarded("download", params, code, lambda given: getattr(given, what), out) as encoder,
            new_folder(out) as folder,
        ):
            if encoder is not None:
                fetch_encoder(encoder.source, folder, sha256=encoder.sha256)


if __name__ == "__main__":
    run(main)
