"""A stage under DISTIL_LAUNCH: the same result, one line when it goes wrong, and a run that resumes."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

import psutil
import pytest

from pipeline.model.model_folder import load_model
from pipeline.storage.sealed_folder import identity
from stages import teacher
from tests.helpers.forked_stages import Stages
from tests.helpers.workspace import ROOT, Workspace, place_of

LAUNCH = "torchrun --standalone --nproc_per_node 2"
EPOCHS = 30


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace whose teacher is trained for some seconds."""
    workspace = Workspace.make(tmp_path_factory.mktemp("long") / "inputs")
    workspace.set(teacher={"epochs": EPOCHS})
    return workspace


def start(workspace: Workspace, stage: str, place: Path, launch: str = LAUNCH) -> "subprocess.Popen[str]":
    env = os.environ | {"PYTHONPATH": str(ROOT), "DISTIL_LAUNCH": launch, "ACCELERATE_USE_CPU": "true"}
    env |= {"DVC_ROOT": str(place), "OMP_NUM_THREADS": "1", "TRANSFORMERS_VERBOSITY": "error"}
    command = [sys.executable, "-u", "-m", f"stages.{stage}", *workspace.arguments(stage)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=place, env=env, stdout=pipe, stderr=pipe, text=True)


def until(said: IO[str] | None, word: str) -> list[str]:
    """The lines up to the one with `word`."""
    assert said is not None
    lines = []
    for line in said:
        lines.append(line)
        if word in line:
            return lines
    raise AssertionError(lines)


@pytest.mark.thorough
def test_a_run_stopped_and_killed_goes_on_with_any_number(
    long: Workspace, stages: Stages, tmp_path: Path
) -> None:
    stopped = start(long, "teacher", tmp_path)
    until(stopped.stdout, "epoch 1,")
    stopped.send_signal(signal.SIGTERM)
    _, err = stopped.communicate(timeout=100)
    assert (stopped.returncode, err) == (143, "stopped; run the same command to resume\n")

    killed = start(long, "teacher", tmp_path)
    assert len([line for line in until(killed.stdout, "epoch ") if "resumes after step" in line]) == 1
    workers = [
        child
        for child in psutil.Process(killed.pid).children(recursive=True)
        if child.environ().get("LOCAL_RANK") == "1"
    ]
    assert len(workers) == 1
    workers[0].kill()
    since = time.monotonic()
    _, err = killed.communicate(timeout=100)
    assert time.monotonic() - since < 30  # a promise to users, and far more than it takes
    assert killed.returncode == 2
    assert err.startswith("error: process 1 of 2 (from 0) was killed, so the others have ended too; ")
    assert len(err.splitlines()) == 1

    alone = stages.run("teacher", *long.arguments("teacher"), place=tmp_path, checkpoint_seconds=60)
    assert alone.status == 0, alone.err
    assert "resumes after step" in alone.out
    assert (tmp_path / "out" / "model.safetensors").exists()
    assert not list((tmp_path / ".ckpt").iterdir())


@pytest.mark.parametrize(
    "stage",
    [
        pytest.param("dump", marks=pytest.mark.thorough),
        pytest.param("dump_text", marks=pytest.mark.slow),
    ],
)
def test_the_output_is_that_of_one_process(
    workspace: Workspace, stages: Stages, tmp_path: Path, stage: str
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    alone = stages.run(stage, *workspace.arguments(stage), place=one)
    assert (alone.status, alone.err) == (0, "")
    two.mkdir()
    process = start(workspace, stage, two)
    _, err = process.communicate(timeout=200)
    assert (process.returncode, err) == (0, "")
    assert not list((two / ".ckpt").iterdir())
    assert identity(place_of(stage, two / "out")) == identity(place_of(stage, one / "out"))


def test_an_existing_teacher_is_written_by_the_first_process_alone(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, out = tmp_path / "inputs", tmp_path / "out"
    shutil.copytree(workspace.root, root)
    Workspace(root).set(teacher={"model": str(root / "teacher")})
    inputs = {"encoded": root / "encoded", "encoder": root / "teacher", "code": root / "code" / "teacher"}
    for rank in (1, 0):
        for name, value in {"LOCAL_RANK": rank, "RANK": rank, "WORLD_SIZE": 2}.items():
            monkeypatch.setenv(name, str(value))
        assert not out.exists()
        teacher.main(**inputs, params=root / "params.yaml", out=out)
    assert load_model(out).tag_set == load_model(root / "teacher").tag_set


@pytest.mark.slow
def test_a_users_mistake_is_one_line(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    process = start(workspace, "teacher", tmp_path)
    _, err = process.communicate(timeout=200)
    assert process.returncode == 2
    assert err.startswith("error: out: holds mine, which this project did not write")
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("launch", "line"),
    [
        ("nosuch --nproc_per_node 2", "error: DISTIL_LAUNCH: nosuch cannot be started"),
        (
            "torchrun '--nproc",
            "error: DISTIL_LAUNCH: cannot be read (No closing quotation); correct its quotes",
        ),
        pytest.param(
            "torchrun --nosuch 2", "error: DISTIL_LAUNCH: the launcher failed (", marks=pytest.mark.thorough
        ),
    ],
)
def test_a_launcher_that_does_not_start_is_one_line(
    workspace: Workspace, tmp_path: Path, launch: str, line: str
) -> None:
    process = start(workspace, "teacher", tmp_path, launch)
    _, err = process.communicate(timeout=100)
    assert process.returncode == 2
    assert err.startswith(line)
    assert len(err.splitlines()) == 1
