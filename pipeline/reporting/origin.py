"""Where a report comes from: commit, versions, devices, seeds, parameters and commands."""

import json
import platform
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pipeline.distillation.settings import Settings, Tempered
from pipeline.reporting.stage_outputs import read_output
from pipeline.storage.file_names import HISTORY
from pipeline.training.settings import Student, Teacher

PACKAGES = (
    "substructured-distillation",
    "torch",
    "transformers",
    "accelerate",
    "dvc",
    "pyarrow",
    "tokenizers",
)
# What methods have in common. The default of `schedule` is each method's own, whose code is not read here:
# an edited method does not re-run the report.
_METHOD = {name: field for name, field in Tempered.model_fields.items() if name != "schedule"}
_CODE = ("pipeline", "stages", "dvc.yaml", "params.yaml")


def read_made(folder: Path, *, target: str) -> dict[str, Any]:
    """How the model in `folder` was made: method, its settings, seed and training; {} if it does not say.

    Raises:
        UserError: its history.json cannot be read.
    """
    made = read_output(folder / HISTORY, target=target).get("made")
    return made if isinstance(made, dict) else {}


def commit(folder: Path) -> str:
    """The commit of the checkout around `folder`, and whether code or parameters differ from it."""
    found = _git(folder, "rev-parse", "HEAD")
    if found is None:
        return "none: not a git checkout"
    changed = _git(folder, "status", "--porcelain", "--", *_CODE)
    return f"{found}, with changes that are not committed" if changed else found


def versions() -> str:
    """Python and the main packages with their versions."""
    found = [f"Python {platform.python_version()}"]
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


def parameters(teacher: Mapping[str, Any], students: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row for each parameter of training: name, value, default (– if none is known), whether they differ.

    Args:
        teacher: `read_made` of it.
        students: `read_made` of one student of each method.
    """
    rows = list(_rows("teacher", teacher.get("training"), Teacher.model_fields))
    rows += _rows("student", _of_all_students([*students.values()]), Student.model_fields)
    for method, made in students.items():
        rows += _rows(f"distill.{method}", made.get("settings"), _METHOD, none="as the student's")
    return rows


def _of_all_students(made: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The group `student`, from what students of several methods were trained with.

    What a method may set for itself is taken from one that leaves it to the group; it is left out if all
    methods set it.
    """
    training = [one.get("training") or {} for one in made]
    found = dict(next(iter(training), {}))
    for key in Settings.model_fields:
        shared = [
            own[key]
            for own, one in zip(training, made, strict=True)
            if key in own and (one.get("settings") or {}).get(key) is None
        ]
        if shared:
            found[key] = shared[0]
        else:
            found.pop(key, None)
    return found


def _rows(
    group: str, values: Any, fields: Mapping[str, FieldInfo], *, none: str = "–"
) -> Iterator[dict[str, Any]]:
    for name, value in values.items() if isinstance(values, dict) else ():
        field = fields.get(name)
        if field is not None and isinstance(field.default, BaseModel):
            yield from _rows(f"{group}.{name}", value, type(field.default).model_fields)
            continue
        if field is None or field.is_required():
            default, differs = "–", False
        else:
            default, differs = _shown(field.default, none), value != field.default
        shown = _shown(value, none)
        yield {"name": f"{group}.{name}", "value": shown, "default": default, "differs": differs}


def _shown(value: Any, none: str) -> str:
    if value is None:
        return none
    return value if isinstance(value, str) else json.dumps(value)


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        command = ["git", "-C", str(folder), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
