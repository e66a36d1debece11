"""Unlabelled text → word pieces, by the tokenizer of one encoder."""

from pathlib import Path
from typing import Annotated

import typer

from stages.arguments import Code, Encoded, Encoder, Params
from stages.command import run
from stages.guard import guarded


def main(
    text: Annotated[Path, typer.Option(help="Unlabelled text, from `text`.")],
    encoder: Encoder,
    encoded: Encoded,
    code: Code,
    out: Annotated[Path, typer.Option(help="Folder to write: the sentences, encoded; empty without any.")],
    params: Params = Path("params.yaml"),
) -> None:
    """Split the text's words into the encoder's word pieces, in the form of the encoded corpus.

    The sentences that `unlabelled.augmented` asks for come last. Without text or encoder, write an
    empty folder.
    """
    from pipeline.storage.sealed_folder import check, write_empty

    with guarded("encode_text", params, code, lambda given: given.augmented, out) as augmented:
        if not (check(text) or augmented) or not check(encoder):
            write_empty(out)
            return
        from pipeline.encoding.encoded_text import encode_text

        encode_text(text, out, encoder=encoder, encoded=encoded, augmented=augmented)


if __name__ == "__main__":
    run(main)
