"""Which item of a stage's matrix a command is to make: DVC says it in DVC_STAGE, as `distill@kbest-1`.

The commands in dvc.yaml hold no value of params.yaml, so that the shell never reads one.
"""

import re
from pathlib import Path

from pipeline.errors import UserError


def student_of(item: str) -> tuple[str, int]:
    """Method and seed of `METHOD-SEED`.

    Raises:
        UserError: the item names none.
    """
    found = re.fullmatch(r"(\w+)-([0-9]+)", _key(item))
    if not found:
        raise UserError(f"--item: {item!r} is no METHOD-SEED; name one, such as kbest-1")
    return found[1], int(found[2])


def number_of(item: str) -> int:
    """The number of a teacher, `TEACHER`, from 1.

    Raises:
        UserError: the item names none.
    """
    if not re.fullmatch(r"[1-9][0-9]*", _key(item)):
        raise UserError(f"--item: {item!r} is no TEACHER; name one, such as 1")
    return int(_key(item))


def student_folder(folder: Path, item: str | None) -> Path:
    """`folder/METHOD/SEED`, or `folder` itself where the item is of no matrix."""
    if item is None or "-" not in _key(item):
        return folder
    method, seed = student_of(item)
    return folder / method / str(seed)


def teacher_of(item: str) -> tuple[int, int]:
    """The numbers of a teacher and of a fold, `TEACHER-FOLD`, both from 1.

    Raises:
        UserError: the item names none.
    """
    found = re.fullmatch(r"([1-9][0-9]*)-([1-9][0-9]*)", _key(item))
    if not found:
        raise UserError(f"--item: {item!r} is no TEACHER-FOLD; name one, such as 1-1")
    return int(found[1]), int(found[2])


def _key(item: str) -> str:
    return item.rpartition("@")[2]
