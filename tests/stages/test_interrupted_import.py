"""A Ctrl-C before a command's own handler is set, while Python still imports."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INTERRUPTED = "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(20)\n"
"""A library whose import is interrupted."""
SCRIPT = "import sys\nfrom stages.cli import main\nsys.exit(main())\n"


@pytest.mark.parametrize("command", [["-m", "stages.predict"], ["substructured"]])
def test_an_interrupted_import_ends_without_a_traceback(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text(INTERRUPTED)
    (tmp_path / "substructured").write_text(SCRIPT)
    words = command if command[0] == "-m" else [str(tmp_path / command[0])]
    done = subprocess.run(
        [sys.executable, *words],
        cwd=tmp_path,
        env={"PYTHONPATH": f"{tmp_path}:{ROOT}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (-signal.SIGINT, "")


def test_a_program_that_imports_stages_keeps_its_own_interrupt() -> None:
    code = (
        "import signal; before = signal.getsignal(signal.SIGINT); "
        "import stages; print(signal.getsignal(signal.SIGINT) is before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "True\n"
