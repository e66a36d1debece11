"""A finished run of tiny students, and its parameters."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.published_runs import write_runs, write_tree


@pytest.fixture(scope="module")
def runs(bert: Path, corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_runs(tmp_path_factory.mktemp("runs"), bert, corpus)


@pytest.fixture
def parameters(tmp_path: Path) -> Any:
    return partial(write_tree, tmp_path / "params.yaml")
