"""Check that the encoder has enough layers, or wide enough embeddings, for the students."""

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
    """Check that the encoder has enough layers, or wide enough embeddings, for the students."""
    from pipeline.model.encoder import load_encoder
    from pipeline.model.first_layers import check_embedding_width, check_first_layers
    from pipeline.storage.sealed_folder import check, filled, write_empty

    with guarded("check_student", params, code, lambda given: given.student_shape, out) as shape:
        network, layers, width = shape
        folder = filled(student_encoder, encoder)
        check(folder)
        whole = load_encoder(folder)
        if network == "bilstm":
            check_embedding_width(whole, width, folder)
        else:
            check_first_layers(whole, layers, folder)
        write_empty(out)


if __name__ == "__main__":
    run(main)
