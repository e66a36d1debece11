"""Where what is made from a model may be written."""

from pathlib import Path

from pipeline.errors import UserError


def check_apart(model: Path, out: Path) -> None:
    """Refuse a folder `out` that is the model's own, holds it, or lies in it.

    A model's folder is sealed: with anything further in it, it can no longer be loaded.

    Raises:
        UserError: it is one of these.
    """
    ours, theirs = out.resolve(), model.resolve()
    if theirs.is_relative_to(ours):
        raise UserError(f"{out}: would replace the model itself; name another folder for --out")
    if ours.is_relative_to(theirs):
        raise UserError(f"{out}: lies in the model's own folder; name another folder for --out")
