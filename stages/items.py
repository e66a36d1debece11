"""Which item of a stage's matrix a command is to make: DVC says it in DVC_STAGE, as `distill@kbest-1`.

The commands in dvc.yaml hold no value of params.yaml, so that the shell never reads one.
"""

import re
from pathlib import Path

from pipeline.errors import UserError

_NUMBER = r"([1-9][0-9]*)"


def student_of(item: str) -> tuple[str, int]:
    """Method and seed of `METHOD-SEED`.

    Raises:
        UserError: the item names none.
    """
    seeds = r"[0-9]{1,10}"  # as many digits as a seed of params.yaml has at most
    method, seed = _parts(item, rf"(\w+)-({seeds})", "METHOD-SEED", "kbest-1", "methods and seeds")
    return method, int(seed)


def teacher_of(item: str) -> int:
    """The number of a teacher, `TEACHER`, from 1.

    Raises:
        UserError: the item names none.
    """
    (number,) = _parts(item, _NUMBER, "TEACHER", "1", "teachers")
    return int(number)


def fold_of(item: str) -> int:
    """The number of a fold, `FOLD`, from 1.

    Raises:
        UserError: the item names none.
    """
    (number,) = _parts(item, _NUMBER, "FOLD", "1", "folds")
    return int(number)


def teacher_and_fold_of(item: str) -> tuple[int, int]:
    """The numbers of a teacher and of a fold, `TEACHER-FOLD`, both from 1.

    Raises:
        UserError: the item names none.
    """
    teacher, fold = _parts(item, f"{_NUMBER}-{_NUMBER}", "TEACHER-FOLD", "1-1", "teachers and folds")
    return int(teacher), int(fold)


def student_folder(folder: Path, item: str | None) -> Path:
    """`folder/METHOD/SEED`, or `folder` itself where the item is of no matrix."""
    if item is None or "-" not in _key(item):
        return folder
    method, seed = student_of(item)
    return folder / method / str(seed)


def _parts(item: str, pattern: str, form: str, example: str, lists: str) -> tuple[str, ...]:
    """The groups of `pattern` in the item, which must be of that `form`; DVC makes it of these `lists`."""
    found = re.fullmatch(pattern, _key(item))
    if not found:
        raise UserError(
            f"--item: {item!r} is not a {form}; name one, such as {example}, or correct {lists} in "
            "params.yaml"
        )
    return found.groups()


def _key(item: str) -> str:
    return item.rpartition("@")[2]
