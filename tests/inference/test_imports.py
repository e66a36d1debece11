"""Tagging, exporting and publishing start without the libraries of training, scoring and tables."""

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.fingerprint import import_graph

ROOT = Path(__file__).parents[2]
UNNEEDED = {"seqeval", "sklearn", "pandas", "dvc", "datasets", "matplotlib", "onnxruntime"}
PROGRAM = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
print(*{name.partition(".")[0] for name in sys.modules})
own = [name for name in sys.modules if name.startswith("pipeline.")]
print(*(name for name in own if hasattr(sys.modules[name], "Accelerator")))
"""


def imported(stage: str) -> tuple[set[str], list[str]]:
    """The libraries that a stage loads with all that it imports, and its modules that import accelerate."""
    modules = sorted(name for name in import_graph(ROOT)[f"stages.{stage}"] if name.startswith("pipeline"))
    command = [sys.executable, "-c", PROGRAM, *modules]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=600)
    libraries, accelerated = done.stdout.split("\n")[:2]
    return set(libraries.split()), accelerated.split()


@pytest.mark.parametrize("stage", ["predict", "export", "publish"])
def test_no_library_is_loaded_that_is_not_needed(stage: str) -> None:
    libraries, _ = imported(stage)
    assert "torch" in libraries
    assert not libraries & UNNEEDED


def test_tagging_needs_no_accelerate() -> None:
    """transformers loads it where it is installed; this project's modules for tagging do not ask for it."""
    assert imported("predict")[1] == []
