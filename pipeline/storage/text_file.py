"""Single text files that are either whole or as they were."""

import errno
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.storage.commit import replacing, unwritable


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8 with Unix line ends, and the folder it goes into.

    Where `path` is a symbolic link, the file takes the place of the link: DVC may link outputs to its cache.

    Raises:
        UserError: the disk is full or the file cannot be written; it stays as it was.
    """
    with replacing(path, refuse=_refuse_folder) as aside:
        aside.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON object, and the folder it goes into; the file is whole or as it was."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def _refuse_folder(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        raise unwritable(path, IsADirectoryError(errno.EISDIR, "a folder of this name exists"))
