"""Arguments that several stages take: the environment gives them, and the command line overrides it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from stages import arguments


def parsed(main: Callable[..., None], words: list[str], **environment: str) -> str:
    app = typer.Typer()
    app.command()(main)
    result = CliRunner().invoke(app, words, env=environment)
    return result.stdout if result.exit_code == 0 else f"status {result.exit_code}"


@pytest.mark.parametrize(
    "kind",
    [arguments.StudentItem, arguments.TeacherAndFoldItem, arguments.FoldItem, arguments.TeacherItem],
)
def test_an_item_is_what_dvc_says_that_it_runs(kind: Any) -> None:
    def main(item: kind) -> None:
        print(item)

    assert parsed(main, [], DVC_STAGE="distill@kbest-1") == "distill@kbest-1\n"
    assert parsed(main, ["--item", "2"], DVC_STAGE="distill@kbest-1") == "2\n"
    assert parsed(main, []) == "status 2"


def test_checkpoints_lie_in_dvcs_project_and_files_may_come_from_a_mirror() -> None:
    def main(root: arguments.Root = Path(), mirror: arguments.Mirror = None) -> None:
        print(root, mirror)

    assert parsed(main, []) == ". None\n"
    assert parsed(main, [], DVC_ROOT="/project", CORPUS_MIRROR="/files") == "/project /files\n"
    assert parsed(main, [], CORPUS_MIRROR="") == ". None\n"
    assert parsed(main, ["--root", "here", "--mirror", "there"], DVC_ROOT="/project") == "here there\n"


def test_evaluations_are_given_as_eval() -> None:
    def main(evaluations: arguments.Eval) -> None:
        print(evaluations)

    assert parsed(main, ["--eval", "data/eval"]) == "data/eval\n"
