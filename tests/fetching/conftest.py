"""What the tests of fetching share: a place to fetch to."""

from pathlib import Path

import pytest


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A place to fetch to, alone in its folder."""
    (tmp_path / "got").mkdir()
    return tmp_path / "got" / "train.txt"
