"""Single text files that are either whole or as they were."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import UserError


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8 with Unix line ends, and the folder it goes into.

    Raises:
        UserError: the disk is full or the file cannot be written; it stays as it was.
    """
    aside = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            aside.write_text(text, encoding="utf-8", newline="\n")
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
    except OSError as error:
        why = error.strerror or error
        raise UserError(f"{path}: cannot be written ({why}); free space or rights, and run again") from error


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON object, and the folder it goes into; the file is whole or as it was."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")
