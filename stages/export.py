"""Write a model as files that run without this project."""

from pathlib import Path
from typing import Annotated

import typer

from stages.command import run


def main(
    model: Annotated[Path, typer.Option(help="A teacher or student.")],
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    onnx: Annotated[bool, typer.Option("--onnx", help="As ONNX, the only format: required.")] = False,
    int8: Annotated[bool, typer.Option("--int8", help="With 8-bit weights: smaller and faster.")] = False,
) -> None:
    """Write the network, the CRF's transitions, the tokenizer, and tag.py, which tags text with them.

    tag.py needs only onnxruntime, tokenizers and numpy.
    """
    from pipeline.errors import UserError
    from pipeline.exporting.onnx_folder import PROGRAM, write_export

    if not onnx:
        raise UserError("--onnx: missing; it is the only format there is, so add it")
    write_export(model, out, int8=int8)
    print(f"{out / PROGRAM}: written, with all that it reads")


if __name__ == "__main__":
    run(main)
