"""Unlabelled text: fetched, cut into words, and no sentence in it twice."""

from pathlib import Path
from typing import Annotated

import typer

from stages.arguments import Code, Mirror, Params
from stages.command import run
from stages.guard import guarded


def main(
    corpus: Annotated[Path, typer.Option(help="The corpus as fetched, from `download`.")],
    code: Code,
    out: Annotated[Path, typer.Option(help="Folder to write: words as Parquet; empty without text.")],
    params: Params = Path("params.yaml"),
    mirror: Mirror = None,
) -> None:
    """Fetch the unlabelled text; leave out repeated sentences and those of the test split."""
    from pipeline.storage.sealed_folder import check, write_empty

    # Augmented sentences come later, in `encode_text`.
    uses = lambda given: (given.text.model_copy(update={"augmented": 0}), given.task, given.corpus)
    with guarded("text", params, code, uses, out) as (settings, task, entry):
        if settings.files is None:
            write_empty(out)
            return
        from pipeline.corpora.splits import read_split
        from pipeline.corpora.unlabelled_corpus import write_unlabelled_text
        from pipeline.storage.scratch import scratch_folder

        check(corpus)
        say = lambda line: print(f"text: {line}")
        with scratch_folder() as scratch:
            has_test = "test" in entry.files.by_split()
            test = read_split(corpus, entry, "test", scratch) if has_test else []
            write_unlabelled_text(settings, entry, test, out, mirror=mirror and mirror / task, say=say)


if __name__ == "__main__":
    run(main)
