"""The corpus in the word pieces of the students' own encoder."""

from pathlib import Path
from typing import Annotated

import typer

from stages.arguments import Code, Encoded, Params, StudentEncoder
from stages.command import run
from stages.guard import guarded


def main(
    encoded: Encoded,
    student_encoder: StudentEncoder,
    code: Code,
    out: Annotated[Path, typer.Option(help="Folder to write; empty where the encoder is the teacher's.")],
    params: Params = Path("params.yaml"),
) -> None:
    """Split all words into word pieces of `student.encoder`; without one, write an empty folder."""
    from pipeline.storage.sealed_folder import check, new_folder

    with (
        guarded("prepare_student", params, code, lambda given: given.prepare, out) as cut,
        new_folder(out) as folder,
    ):
        if not check(student_encoder):
            return
        from pipeline.corpora.settings import SPLITS
        from pipeline.encoding.encode_split import encode_split
        from pipeline.encoding.split_file import load, read_sentences
        from pipeline.encoding.tokenization import input_layout, load_tokenizer
        from pipeline.model.encoder_check import check_encoder

        check(encoded)
        tokenizer = load_tokenizer(student_encoder)
        layout = input_layout(tokenizer, student_encoder, cut)
        check_encoder(student_encoder, layout)
        for split in SPLITS:
            source, target = (place / f"{split}.parquet" for place in (encoded, folder))
            encode_split(read_sentences(source), tokenizer, target, load(source).tag_set, layout)


if __name__ == "__main__":
    run(main)
