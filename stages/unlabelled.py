"""Text without tags, and what the teacher says about every word of it."""

from pathlib import Path
from typing import Annotated

import typer

from stages.arguments import Code, Encoded, Mirror, Params, Root, Teacher
from stages.command import run
from stages.guard import guarded


def main(
    encoded: Encoded,
    teacher: Teacher,
    code: Code,
    out: Annotated[Path, typer.Option(help="Folder to write: the text and the scores; empty without text.")],
    params: Params = Path("params.yaml"),
    root: Root = Path(),
    mirror: Mirror = None,
) -> None:
    """Fetch the text of `distill.unlabelled` and run the teacher once over it."""
    from pipeline import processes
    from pipeline.storage.sealed_folder import new_folder

    with guarded(
        "unlabelled",
        params,
        code,
        lambda given: (given.unlabelled, given.unlabelled_checksum, given.task, given.corpus, given.dump),
        out,
    ) as (source, checksum, task, corpus, settings):
        if source is None:
            if processes.is_first():
                with new_folder(out):
                    pass
            return
        from pipeline.corpora.unlabelled_text import fetch_unlabelled
        from pipeline.scores.unlabelled import write_unlabelled

        text = fetch_unlabelled(source, corpus, checksum=checksum, mirror=mirror and mirror / task)
        print(f"unlabelled: {text}")
        write_unlabelled(
            text.sentences, out, encoded=encoded, teacher=teacher, code=code, settings=settings, root=root
        )


if __name__ == "__main__":
    run(main)
