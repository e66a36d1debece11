"""`prepare --check` and `substructured check`: what labelled files hold, and what is wrong with them."""

from pathlib import Path
from typing import NoReturn

import typer


def check_corpus(file: Path | None, params: Path, *, encoder: Path | None, mirror: Path | None) -> NoReturn:
    """Print what the files of the task hold, and end with status 1 if anything is wrong with them.

    Args:
        file: read only this one, as the task's.
        params: the file of parameters.
        encoder: the folder whose tokenizer is asked which words it breaks; None: where `download` puts it.
        mirror: see stages.arguments.Mirror.

    Raises:
        UserError: the parameters are wrong, or the encoder has no usable tokenizer.
    """
    from pipeline.encoding.corpus_check import check_entry, check_file, report
    from pipeline.params import load_params

    given = load_params(params)
    place = mirror and mirror / given.task
    found = check_file(file, given.corpus) if file else check_entry(given.corpus, mirror=place)
    print(*report(found, encoder, usual=Path("data/encoder")), sep="\n")
    raise typer.Exit(int(found.wrong))
