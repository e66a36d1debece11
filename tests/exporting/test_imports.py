"""Export and publish load no library that they do not need."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
UNUSED = {"seqeval", "sklearn", "pandas", "dvc"}
MODULES = sorted(path.stem for path in (ROOT / "pipeline/exporting").glob("*.py") if path.stem != "__init__")


def test_no_unused_library_is_imported() -> None:
    imports = "".join(f"import pipeline.exporting.{name}\n" for name in MODULES)
    program = f"import sys\n{imports}print(sorted({UNUSED} & sys.modules.keys()))"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
