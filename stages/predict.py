"""Tag text with a trained model."""

import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from stages.command import run


def main(
    model: Annotated[Path, typer.Option(help="A teacher or student.")],
    file: Annotated[Path | None, typer.Argument(help="UTF-8, gzip too; standard input if left out.")] = None,
    input: Annotated[
        Literal["text", "words", "columns"],
        typer.Option(
            help="text: raw, one sentence a line; words: likewise, words between spaces; "
            "columns: CoNLL, one word a line in the first column, blank lines between sentences."
        ),
    ] = "text",
    format: Annotated[
        Literal["conll", "jsonl", "text"] | None,
        typer.Option(
            help="conll: word and tag a line; jsonl: offsets, spans, confidence; text: for reading.",
            show_default="text on a terminal, else conll",
        ),
    ] = None,
) -> None:
    """Tag sentences and write them to standard output, in their order."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # end as other filters do when the reader has enough
    from pipeline.corpora.text_stream import read_file, read_stream
    from pipeline.inference.rendering import renderer
    from pipeline.inference.tagger import CHUNK_SENTENCES, load

    terminal = sys.stdout.isatty()
    tagger = load(model)
    texts = read_file(file, input) if file else read_stream(sys.stdin.buffer, "standard input", input)
    render = renderer(
        format or ("text" if terminal else "conll"),
        scheme=tagger.scheme,
        colour=terminal and not os.environ.get("NO_COLOR"),
    )
    typed = file is None and sys.stdin.isatty()  # then each line is answered at once
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # a text stream here
    for tagged in tagger.stream(texts, at_once=1 if typed else CHUNK_SENTENCES):
        sys.stdout.write(render(tagged))
        if typed:
            sys.stdout.flush()


if __name__ == "__main__":
    run(main)
