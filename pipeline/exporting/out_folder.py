"""Where what is made from a model may be written."""

from pathlib import Path

from pipeline.errors import UserError
from pipeline.storage.sealed_folder import sealed_files, sha256


def check_out(model: Path, out: Path, written: str) -> None:
    """Refuse a folder `out` that is the model's own, or whose loss would be a loss to its user.

    A model's folder is sealed: with anything further in it, it can no longer be loaded. An earlier output of
    the same command is replaced, unless its user has edited it.

    Args:
        model: its folder.
        out: the folder to write.
        written: the name of a file that tells this command's outputs from all others.

    Raises:
        UserError: `out` is the model's folder, holds it or lies in it, is another output, such as another
            model, or was edited.
    """
    ours, theirs = out.resolve(), model.resolve()
    if theirs.is_relative_to(ours):
        raise UserError(f"{out}: would replace the model itself; name another folder for --out")
    if ours.is_relative_to(theirs):
        raise UserError(f"{out}: lies in the model's own folder; name another folder for --out")
    files = sealed_files(out)
    if files and written not in files:
        raise UserError(f"{out}: holds another output ({min(files)}); name another folder for --out")
    for name, digest in files.items():
        if (out / name).is_file() and sha256(out / name) != digest:
            raise UserError(
                f"{out / name}: was edited since it was written; move it away or name another folder for "
                "--out"
            )
