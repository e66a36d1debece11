"""What was edited while a stage ran never stands in dvc.lock for what was made without it."""

import shutil
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
import typer
from ruamel.yaml import YAML
from typer.testing import CliRunner

from pipeline.errors import UserError
from pipeline.fingerprint import fingerprint_of
from pipeline.storage import commit
from pipeline.storage.sealed_folder import new_folder
from stages import guard
from tests.helpers.forked_stages import Stages
from tests.helpers.workspace import COMMANDS, METHOD, Workspace

# For each stage a parameter that dvc.yaml lists for it, another value, and the name that the line tells.
EDITS: dict[str, tuple[str, Any, str]] = {
    "download": ("corpora.mine.strict", True, "strict"),
    "prepare": ("prepare.overlap", 5, "overlap"),
    "prepare_student": ("prepare.overlap", 5, "overlap"),
    "text": ("unlabelled.sentences", 19, "sentences"),
    "encode_text": ("unlabelled.augmented", 1, "a parameter"),
    "check_student": ("student.layers", 2, "a parameter"),
    "teacher": ("teacher.dropout", 0.2, "dropout"),
    "further_teacher": ("teacher.dropout", 0.2, "dropout"),
    "fold_teacher": ("teacher.dropout", 0.2, "dropout"),
    "dump": ("dump.dtype", "float16", "dtype"),
    "dump_text": ("dump.dtype", "float16", "dtype"),
    "distill": (f"distill.{METHOD}.k", 2, "k"),
    "evaluate": ("evaluate.batch_size", 3, "batch_size"),
    "time_epochs": ("time_epochs.batches", 2, "batches"),
    "headline": ("seeds", [1, 2], "a parameter"),
    "report": ("seeds", [1, 2], "a parameter"),
}


def test_every_stage_that_dvc_runs_is_guarded() -> None:
    assert {stage for stage, (read, _) in COMMANDS.items() if "--code" in read} == set(EDITS)
    stages = YAML(typ="safe", pure=True).load((guard.ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    commands = [(stage.get("do") or stage)["cmd"] for stage in stages.values()]
    modules = {command.split("stages.")[1].split()[0] for command in commands}
    assert modules == {*EDITS, "fingerprint"}


def edit(params: Path, key: str, value: Any) -> None:
    """Set a parameter in the file, and add a comment."""
    yaml = YAML(typ="safe", pure=True)
    tree = group = yaml.load(params.read_text(encoding="utf-8"))
    *parents, last = key.split(".")
    for name in parents:
        group = group[name]
    group[last] = value
    with params.open("w", encoding="utf-8") as file:
        yaml.dump(tree, file)
        file.write("# edited\n")


@pytest.fixture
def own(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    own = Workspace(shutil.copytree(workspace.root, tmp_path / "inputs"))
    own.set(teacher={"precision": "float32"}, student={"precision": "float32"})  # one precision a process
    yield own
    torch.use_deterministic_algorithms(False)


@pytest.fixture
def run(own: Workspace, monkeypatch: pytest.MonkeyPatch) -> Callable[..., BaseException | None]:
    """Run a stage in this process; `during` is called once its output is written but not in place."""

    def call(stage: str, during: Callable[[], None]) -> BaseException | None:
        flush, pending = commit._flush, [during]

        def edited(path: Path) -> None:
            flush(path)
            if pending:
                pending.pop()()

        monkeypatch.setattr(commit, "_flush", edited)
        app = typer.Typer()
        app.command()(import_module(f"stages.{stage}").main)
        done = CliRunner().invoke(app, own.arguments(stage))
        monkeypatch.setattr(commit, "_flush", flush)
        assert not pending, done.exception
        return done.exception

    return call


def written(place: Path) -> set[str]:
    return {path.name for path in place.iterdir()} - {"inputs", ".ckpt"}


@pytest.mark.parametrize("stage", EDITS)
def test_an_edited_parameter_of_the_stage_keeps_the_output_from_being_written(
    stage: str, own: Workspace, run: Callable[..., BaseException | None], tmp_path: Path
) -> None:
    """An edit of another stage's parameter, and of a comment, does not."""
    params = own.root / "params.yaml"
    before = params.read_bytes()
    key, value, name = EDITS[stage]
    error = run(stage, lambda: edit(params, key, value))
    assert isinstance(error, UserError), error
    assert str(error).startswith(f"{params}: {name} changed while the stage {stage}")
    assert not written(tmp_path)
    params.write_bytes(before)
    others = {"text": "unlabelled.augmented"} | dict.fromkeys(
        ("check_student", "dump", "dump_text"), "teacher.epochs"
    )
    other = others.get(stage, "dump.batch_size")
    assert run(stage, lambda: edit(params, other, 7)) is None
    assert written(tmp_path) == {"out"}


@pytest.mark.parametrize("stage", ["download", "evaluate", "teacher"])
def test_edited_code_keeps_the_output_from_being_written(
    stage: str,
    own: Workspace,
    run: Callable[..., BaseException | None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code = own.root / COMMANDS[stage][0]["--code"]
    digest = code.read_text()
    error = run(stage, lambda: monkeypatch.setattr("pipeline.fingerprint.fingerprint_of", lambda *_: "other"))
    assert isinstance(error, UserError)
    assert str(error).startswith(f"{code}: the code of the stage {stage}")
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    error = run(stage, lambda: code.write_text("0" * 64))  # `fingerprint` ran meanwhile
    assert isinstance(error, UserError)
    assert not written(tmp_path)
    code.write_text(digest)


@pytest.mark.parametrize("content", [None, "0" * 64, "\xff"])
def test_code_that_is_not_what_was_hashed_does_not_start(
    content: str | None, own: Workspace, tmp_path: Path
) -> None:
    """As after an edit that was taken back when `fingerprint` had run."""
    code = tmp_path / "code"
    if content:
        code.write_text(content, encoding="latin-1")
    params = own.root / "params.yaml"
    with (
        pytest.raises(UserError, match=f"{code}: .*dvc repro"),
        guard.guarded("evaluate", params, code, lambda given: given.evaluate, tmp_path / "out"),
    ):
        pytest.fail("it started")


def test_an_orphan_and_its_successor_do_not_write_the_same_output(
    own: Workspace, stages: Stages, tmp_path: Path
) -> None:
    """The second is told at its start, whatever its parameters."""
    code = tmp_path / "code"
    code.write_text(fingerprint_of("dump", guard.ROOT))
    with guard.guarded(
        "dump", own.root / "params.yaml", code, lambda given: given.dump, tmp_path / "out/1/1"
    ):
        own.set(dump={"dtype": "float16"})
        second = stages.run("dump", *own.arguments("dump", str(tmp_path / "out")), place=tmp_path)
        assert second.status == 2
        assert second.err == (
            f"error: {tmp_path / 'out/1/1'}: another process is writing it; wait for it or stop it\n"
        )
        own.set()
        with new_folder(tmp_path / "out/1/1") as folder:
            (folder / "mine").write_text("mine")
    assert (tmp_path / "out/1/1/mine").exists()
