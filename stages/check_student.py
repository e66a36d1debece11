"""Check that students fit their encoder and teacher, and that the encoders can be trained."""

from pathlib import Path
from typing import Annotated

import typer

from stages.arguments import Code, Encoded, Encoder, ImportedScores, Params, StudentEncoder
from stages.command import run
from stages.guard import guarded


def main(
    encoded: Encoded,
    encoder: Encoder,
    student_encoder: StudentEncoder,
    imported_scores: ImportedScores,
    code: Code,
    out: Annotated[Path, typer.Option(help="Folder to write, always empty.")],
    params: Params = Path("params.yaml"),
) -> None:
    """Check that the encoders can be trained as params.yaml says, and that students and scores fit them.

    The students' encoder must have enough layers, or wide enough embeddings, and both must be computable in
    the precision of the training. The students' head must fit encoder, teacher and methods, and scores
    from elsewhere the training sentences.
    """
    from pipeline.storage.sealed_folder import check, filled, write_empty
    from pipeline.training.student_check import check_encoders, check_heads, check_imported_scores

    uses = lambda given: (
        (given.student_shape, given.precisions),
        (given.starts, *given.heads, given.teacher_labels),
        given.dump,
    )
    with guarded("check_student", params, code, uses, out) as (sizes, heads, dump):
        folder = filled(student_encoder, encoder)
        check(encoded)
        check(folder)
        check_heads(
            *heads, encoder=encoder, student_encoder=folder, encoded=encoded, imported=dump.scores is not None
        )
        if check(imported_scores):
            check_imported_scores(imported_scores, encoded / "train.parquet", dump)
        check_encoders(*sizes, encoder=encoder, student_encoder=folder)
        write_empty(out)


if __name__ == "__main__":
    run(main)
