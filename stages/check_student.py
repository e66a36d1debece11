"""Check that the encoders can be trained as params.yaml says, and are large enough for the students."""

from pathlib import Path
from typing import Annotated

import typer

from stages.arguments import Code, Encoder, Params, StudentEncoder
from stages.command import run
from stages.guard import guarded


def main(
    encoder: Encoder,
    student_encoder: StudentEncoder,
    code: Code,
    out: Annotated[Path, typer.Option(help="Folder to write, always empty.")],
    params: Params = Path("params.yaml"),
) -> None:
    """Check that the encoders can be trained as params.yaml says.

    The students' must have enough layers, or wide enough embeddings, and both must be computable in the
    precision of the training.
    """
    from pipeline.model.encoder import load_encoder
    from pipeline.model.first_layers import check_embedding_width, check_first_layers
    from pipeline.model.precision_check import check_precision
    from pipeline.storage.sealed_folder import check, filled, write_empty

    uses = lambda given: (given.student_shape, given.precisions)
    with guarded("check_student", params, code, uses, out) as ((network, layers, width), precisions):
        folder = filled(student_encoder, encoder)
        check(folder)
        whole = load_encoder(folder)
        if network == "bilstm":
            check_embedding_width(whole, width, folder)
        else:
            check_first_layers(whole, layers, folder)
        trained = {"teacher.precision": encoder, "student.precision": folder}
        for key, precision in precisions.items():
            check_precision(load_encoder(trained[key]).eval(), trained[key], precision, key)
        write_empty(out)


if __name__ == "__main__":
    run(main)
