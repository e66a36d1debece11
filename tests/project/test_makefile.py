"""The Makefile runs what .venv holds, and nothing of the same name elsewhere."""

import subprocess
from pathlib import Path

import pytest

from tests.helpers.pages import ROOT

TARGETS = ("repro", "test", "test-thorough", "test-slow", "lint")


@pytest.mark.parametrize("target", TARGETS)
def test_a_program_of_the_environment_is_called_by_its_path(target: str, tmp_path: Path) -> None:
    """GNU make 3.81, which macOS has, looks for a simple command in the PATH of its caller alone."""
    venv = tmp_path / "venv"
    command = ["make", "--dry-run", "--no-print-directory", "PYTHON=python3", f"VENV={venv}", target]
    lines = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    programs = {line.split()[0] for line in lines} - {"python3", "touch"}
    assert f"{venv}/bin/pip" in programs
    assert {str(Path(program).parent) for program in programs} == {f"{venv}/bin"}
