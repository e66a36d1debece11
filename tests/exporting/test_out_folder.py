"""What a user would miss is not replaced by an export or a publication."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.exporting.out_folder import check_out
from pipeline.storage.sealed_folder import new_folder
from tests.helpers.sample_sources import read_folder

Folder = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    def write(name: str, *files: str) -> Path:
        with new_folder(tmp_path / name) as aside:
            for file in files:
                (aside / file).write_text(f"content of {file}")
        return tmp_path / name

    return write


@pytest.fixture
def model(folder: Folder) -> Path:
    return folder("students/1", "config.json", "model.safetensors")


@pytest.mark.parametrize("files", [(), ("tag.py", "model.onnx")])
def test_an_earlier_output_of_the_same_command_may_be_replaced(
    folder: Folder, model: Path, files: tuple[str, ...]
) -> None:
    check_out(model, folder("out", *files), "tag.py")
    check_out(model, model.parent / "new", "tag.py")


def test_another_model_is_not_replaced(folder: Folder, model: Path) -> None:
    other = folder("students/2", "config.json", "model.safetensors")
    before = read_folder(other)
    with pytest.raises(UserError, match=rf"^{other}: holds another output \(config.json\); name another"):
        check_out(model, other, "tag.py")
    assert read_folder(other) == before


def test_an_edited_file_is_not_replaced(folder: Folder, model: Path) -> None:
    out = folder("out", "tag.py", "model.onnx")
    (out / "model.onnx").unlink()
    check_out(model, out, "tag.py")
    with (out / "tag.py").open("a") as program:
        program.write("# mine\n")
    with pytest.raises(UserError, match=f"^{out}/tag.py: was edited since it was written; move it away"):
        check_out(model, out, "tag.py")


@pytest.mark.parametrize("out", ["students/1", "students", "students/1/out"])
def test_the_models_own_folder_is_neither_replaced_nor_written_into(
    model: Path, tmp_path: Path, out: str
) -> None:
    with pytest.raises(UserError, match="name another folder for --out"):
        check_out(model, tmp_path / out, "tag.py")
