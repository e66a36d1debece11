"""A finished run of tiny students, and its parameters."""

import os
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.published_runs import write_runs, write_tree

# Before a test imports onnxruntime, which else reports its use to Microsoft.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


@pytest.fixture(scope="module")
def runs(bert: Path, corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_runs(tmp_path_factory.mktemp("runs"), bert, corpus)


@pytest.fixture
def parameters(tmp_path: Path) -> Any:
    return partial(write_tree, tmp_path / "params.yaml")
