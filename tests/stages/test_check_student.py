"""A student that its encoder cannot give is refused by a stage that runs before any teacher is trained."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import typer
from ruamel.yaml import YAML
from typer.testing import CliRunner

from pipeline.errors import UserError
from pipeline.storage.sealed_folder import check, new_folder
from stages.check_student import main
from tests.helpers.tiny_encoders import write_encoder
from tests.helpers.workspace import ROOT, Workspace


@pytest.fixture
def own(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    return Workspace(shutil.copytree(workspace.root, tmp_path / "inputs"))


def checked(own: Workspace, out: str, **student: Any) -> Path:
    """What the stage wrote for a student."""
    own.set(student=student)
    return stage(own, out)


def stage(own: Workspace, out: str) -> Path:
    """What the stage wrote with the parameters as they are."""
    app = typer.Typer()
    app.command()(main)
    assert CliRunner().invoke(app, own.arguments("check_student", out), catch_exceptions=False).exit_code == 0
    return Path(out)


@pytest.mark.parametrize(
    ("student", "says"),
    [
        ({"layers": 9}, r"^student\.layers: 9, but the encoder in .*/encoder has 3; lower it$"),
        (
            {"network": "bilstm", "init": "pretrained", "bilstm": {"width": 999, "hidden": 4, "layers": 1}},
            r"^student\.bilstm\.width: 999 exceeds the embedding dimension of .*/encoder",
        ),
    ],
)
def test_what_the_encoder_does_not_have_is_one_line(own: Workspace, student: dict, says: str) -> None:
    with pytest.raises(UserError, match=says):
        checked(own, "out", **student)
    assert not Path("out").exists()


@pytest.mark.parametrize("kind", ["deberta", "xmod"])
def test_a_precision_that_the_encoder_cannot_be_computed_in_is_one_line(own: Workspace, kind: str) -> None:
    shutil.rmtree(own.root / "encoder")
    with new_folder(own.root / "encoder") as folder:
        shutil.copytree(write_encoder(own.root / kind, kind), folder, dirs_exist_ok=True)
    plain, fast = {"precision": "float32"}, {"precision": "bfloat16"}
    own.set(teacher=fast, student=plain)
    with pytest.raises(
        UserError, match=rf"^teacher\.precision: .* \({kind}\) cannot be computed in bfloat16"
    ):
        stage(own, "out")
    own.set(teacher=plain, student=fast)
    with pytest.raises(UserError, match=r"^student\.precision: .*; set student\.precision: float32$"):
        stage(own, "out")
    own.set(teacher=plain, student=plain)
    assert check(stage(own, "out")) == {}


def test_the_folder_is_the_same_for_every_student_so_that_no_teacher_is_trained_again(own: Workspace) -> None:
    one, two = (checked(own, f"out{layers}", layers=layers) for layers in (1, 2))
    assert check(one) == check(two) == {}
    assert (one / "seal.json").read_bytes() == (two / "seal.json").read_bytes()


def test_every_teacher_that_is_trained_waits_for_it() -> None:
    stages = YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    assert {name for name, stage in stages.items() if "data/student_check" in stage.get("deps", ())} == {
        "teacher",
        "further_teacher",
        "fold_teacher",
    }
