"""The modules that tag, export and publish import none of the libraries of training, scoring and tables.

What a library imports while it runs is not seen here: pyarrow looks for pandas with its first array.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.import_graph import import_graph

ROOT = Path(__file__).parents[2]
STAGES = ("predict", "export", "publish")
UNNEEDED = {"seqeval", "sklearn", "pandas", "dvc", "datasets", "matplotlib", "onnxruntime"}
# Imports one list of modules behind the other, and prints after each what is loaded.
PROGRAM = """
import importlib, json, sys
for modules in json.loads(sys.argv[1]):
    for name in modules:
        importlib.import_module(name)
    own = [name for name in sys.modules if name.startswith("pipeline.")]
    accelerated = [name for name in own if hasattr(sys.modules[name], "Accelerator")]
    print(json.dumps([sorted({name.partition(".")[0] for name in sys.modules}), accelerated]))
"""


@pytest.fixture(scope="module")
def loaded() -> list[tuple[set[str], list[str]]]:
    """The libraries that each stage and those before it load, and the modules that import accelerate.

    The last is the package `exporting` as a whole.
    """
    graph = import_graph(ROOT)
    lists = [sorted(name for name in graph[f"stages.{stage}"] if name.startswith("p")) for stage in STAGES]
    lists.append(sorted(name for name in graph if name.startswith("pipeline.exporting.")))
    command = [sys.executable, "-c", PROGRAM, json.dumps(lists)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=600)
    answers = map(json.loads, done.stdout.splitlines())
    return [(set(libraries), accelerated) for libraries, accelerated in answers]


def test_no_library_is_loaded_that_is_not_needed(loaded: list[tuple[set[str], list[str]]]) -> None:
    *stages, (exporting, _) = loaded
    assert len(stages) == len(STAGES)
    for libraries, _ in stages:
        assert "torch" in libraries
        assert not libraries & UNNEEDED
    assert exporting & UNNEEDED <= {"onnxruntime"}  # which writes the weights of 8 bits


def test_tagging_needs_no_accelerate(loaded: list[tuple[set[str], list[str]]]) -> None:
    """transformers loads it where it is installed; this project's modules for tagging do not ask for it."""
    assert loaded[STAGES.index("predict")][1] == []
