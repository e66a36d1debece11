"""Tag text with a trained model."""

import os
import signal
from pathlib import Path
from typing import Annotated, Literal

import typer

from stages.command import run
from stages.streams import ResultStream


def main(
    model: Annotated[str, typer.Option(help="Folder of a teacher or student, or org/name on the hub.")],
    file: Annotated[
        Path | None, typer.Argument(help="UTF-8, plain or gzip; default: standard input.")
    ] = None,
    input: Annotated[
        Literal["text", "words", "columns"],
        typer.Option(help="text: raw, a sentence per line; words: cut at spaces; columns: a word per line."),
    ] = "text",
    words: Annotated[
        Literal["conll", "characters"],
        typer.Option(help="How text is cut: as in CoNLL corpora, or every character a word (Chinese, Thai)."),
    ] = "conll",
    word: Annotated[int | None, typer.Option(help="Word column, counted from 0; default: the first.")] = None,
    separator: Annotated[str | None, typer.Option(help="Column separator; default: spaces and tabs.")] = None,
    comment: Annotated[str | None, typer.Option(help="With columns: skip lines beginning with this.")] = None,
    format: Annotated[
        Literal["conll", "jsonl", "text"] | None,
        typer.Option(
            help="conll: word and tag per line; jsonl: offsets, spans, confidence; text: for reading.",
            show_default="text on a terminal, else conll",
        ),
    ] = None,
    constrained: Annotated[bool, typer.Option(help="Only tag sequences that the scheme allows.")] = False,
) -> None:
    """Tag sentences and write them to standard output, in order; at a terminal, each line as it is typed."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # end as other filters do when the reader has enough
    from pipeline.inference.command_input import columns_of, is_typed, read_input

    columns = columns_of(word, separator, comment)
    with ResultStream() as out, read_input(file, input, cut=words, columns=columns) as texts:
        from pipeline.corpora.tagging import TagSet  # these take seconds, so the input is opened before
        from pipeline.inference.rendering import renderer
        from pipeline.inference.tagger import CHUNK_SENTENCES, load

        tagger, terminal = load(model, constrained=constrained), out.stream.isatty()
        tags, colour = TagSet(tagger.tags, tagger.scheme), terminal and not os.environ.get("NO_COLOR")
        written, given = format or ("text" if terminal else "conll"), columns.separator
        render = renderer(written, tags, given=given, terminal=terminal, colour=colour)
        for tagged in tagger.stream(texts, at_once=1 if is_typed(file) else CHUNK_SENTENCES):
            out.write(render(tagged))
            if is_typed(file):
                out.flush()


if __name__ == "__main__":
    run(main)
