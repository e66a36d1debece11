"""`publish` copies a student with a card; one that was not evaluated is one line."""

from pathlib import Path

import pytest

from pipeline.storage.sealed_folder import check
from tests.helpers.own_corpus_stages import one_line
from tests.helpers.workspace import METHOD, Workspace
from tests.stages.conftest import Stage


@pytest.fixture(autouse=True)
def _as_made(own: Workspace) -> None:
    """The parameters that the student of the workspace was made with."""
    own.set()


def test_the_student_is_copied_with_a_card(stage: Stage, own: Workspace) -> None:
    assert stage("publish") == (0, "out/README.md: written\n", "")
    weights = "model.safetensors"
    student = check(own.root / "students" / METHOD / "1")
    assert check(Path("out"))[weights] == student[weights]
    assert METHOD in Path("out/README.md").read_text()


def test_a_name_that_is_none_of_the_hub_is_one_line(stage: Stage) -> None:
    assert "--push" in one_line(stage("publish", push="no name"))
    assert not Path("out").exists()


def test_a_student_that_was_not_evaluated_is_one_line(stage: Stage, own: Workspace) -> None:
    (own.root / f"eval/{METHOD}/1/metrics.json").unlink()
    assert f"eval/{METHOD}/1" in one_line(stage("publish"))
    assert not Path("out").exists()
