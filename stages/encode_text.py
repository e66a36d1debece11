"""Text without tags → word pieces, by the tokenizer of one encoder."""

from pathlib import Path
from typing import Annotated

import typer

from stages.arguments import Code, Encoded, Encoder, Params
from stages.command import run
from stages.guard import guarded


def main(
    text: Annotated[Path, typer.Option(help="Text without tags, from `text`.")],
    encoder: Encoder,
    encoded: Encoded,
    code: Code,
    out: Annotated[Path, typer.Option(help="Folder to write: the sentences, encoded; empty without text.")],
    params: Params = Path("params.yaml"),
) -> None:
    """Cut the words into the pieces of the encoder, laid out as the encoded corpus is."""
    from pipeline.encoding.encoded_text import encode_text

    with guarded("encode_text", params, code, lambda given: (), out):
        encode_text(text, out, encoder=encoder, encoded=encoded)


if __name__ == "__main__":
    run(main)
