"""Refuses an output whose parameters or code are no longer those that DVC will record for it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from pipeline.params import Params

ROOT = Path(__file__).parents[1]
Used = TypeVar("Used")


@contextmanager
def guarded(
    stage: str, params: Path, code: Path, uses: Callable[["Params"], Used], *outs: Path
) -> Iterator[Used]:
    """Yield the parameters of a stage and hold its outputs' locks; of several processes, the first does.

    Before an output is committed, parameters and code are read again. If they are others by then, the output
    stays as it was: DVC would record the new ones for what the old ones made.

    Args:
        stage: its name in `data/code`.
        params: the file of parameters.
        code: the file from `fingerprint` with the digest of the stage's code.
        uses: what the stage reads of the parameters; an edit of any other is no change.
        outs: files or folders that the stage writes.

    Raises:
        UserError: the parameters or the code changed, or another process is writing an output.
    """
    from pipeline import processes
    from pipeline.errors import UserError
    from pipeline.params import load_params
    from pipeline.storage.commit import reserved

    used, digest = uses(load_params(params)), _digest(stage, code)

    def check() -> None:
        if name := _change(used, uses(load_params(params))):
            raise UserError(
                f"{params}: {name} changed while the stage {stage} ran, so nothing is written; "
                "revert the edit and run again, or run `dvc repro`"
            )
        if _digest(stage, code) != digest:
            raise UserError(f"{code}: changed while the stage {stage} ran; run `dvc repro`")

    with reserved(*outs, check=check) if processes.is_first() else nullcontext():
        yield used


def _digest(stage: str, code: Path) -> str:
    """The digest of the stage's code, which must be the one that `fingerprint` has written."""
    from pipeline.errors import UserError
    from pipeline.fingerprint import fingerprint_of

    try:
        recorded = code.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise UserError(f"{code}: cannot be read; run `dvc repro fingerprint`") from None
    if fingerprint_of(stage, ROOT) != recorded:
        raise UserError(
            f"{code}: the code of the stage {stage} changed since `fingerprint` ran, so nothing is written; "
            "revert the edit and run again, or run `dvc repro`"
        )
    return recorded


def _change(before: object, after: object) -> str | None:
    """The name of the first parameter that differs, or None."""
    from pydantic import BaseModel

    if isinstance(before, tuple) and isinstance(after, tuple) and len(before) == len(after):
        return next(filter(None, map(_change, before, after)), None)
    if isinstance(before, BaseModel) and isinstance(after, type(before)):
        values = ((name, getattr(before, name), getattr(after, name)) for name in type(before).model_fields)
        return next((name for name, one, other in values if one != other), None)
    return None if before == after else "a parameter"
