"""The program of an exported tagger, run as its user runs it."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.corpora.schemes import to_iob2
from pipeline.exporting.onnx_folder import PROGRAM


def run_program(folder: Path, *arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """`tag.py` in an exported folder, as a command."""
    command = [sys.executable, str(folder / PROGRAM), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False, **options)


def breaks(tags: Sequence[str]) -> int:
    """In how many places the tags break IOB2, as the reader of corpora finds it."""
    return len(to_iob2(tags, "iob2")[1])
