"""A stage killed under `dvc repro`, with DVC itself, goes on under the next `dvc repro` to the same bits."""

import random
import shutil
import signal
import time
from os import killpg
from pathlib import Path

import pytest

from pipeline.folder import check
from tests.dvc_project import Project, stage_of
from tests.workspace import Workspace

KILLS = 4
# Long enough that kills find them at work, with many checkpoints.
LONGER = {
    "teacher": {"epochs": 12},
    "student": {"epochs": 12},
    "dump": {"batch_size": 1, "shard_sentences": 1},
}


def killed(project: Project, stage: str, delay: float, *, at_work: bool) -> bool:
    """Kill `dvc repro` with all it started, `delay` after its start or first checkpoint; False if late."""
    process = project.start("repro", stage)
    saved = project.root / ".ckpt"
    while at_work and process.poll() is None and not any(path.is_dir() for path in saved.glob("[!.]*")):
        time.sleep(0.005)
    time.sleep(delay)
    ended = process.poll() is not None
    if not ended:
        killpg(process.pid, signal.SIGKILL)
    process.communicate()  # ends when the last process that holds its output has ended
    return not ended


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["teacher", "dump", "distill"])
def test_a_killed_repro_goes_on_to_the_same_bits(stage: str, workspace: Workspace, tmp_path: Path) -> None:
    own = Workspace(tmp_path / "inputs")
    shutil.copytree(workspace.root, own.root)
    own.set(**LONGER)
    stages = {stage: stage_of(stage, module="tests.saving_often ")}
    empty = Project.make(tmp_path / "empty", own, stages)

    def project(name: str) -> Project:
        return Project(Path(shutil.copytree(empty.root, tmp_path / name)))

    whole = project("whole")
    began = time.monotonic()
    whole.dvc("repro", stage)
    seconds = time.monotonic() - began
    wanted = check(whole.root / "out")

    chance = random.Random(2)
    hits, resumed = 0, 0
    for number in range(KILLS):
        trial = project(str(number))
        at_work = number > 0
        hit = killed(trial, stage, chance.uniform(0, seconds / 8 if at_work else seconds), at_work=at_work)
        hits += hit
        resumed += hit and any(path.is_dir() for path in (trial.root / ".ckpt").glob("[!.]*"))
        trial.dvc("repro", stage)
        assert check(trial.root / "out") == wanted, number
        assert list((trial.root / ".ckpt").iterdir()) == []
        assert not [path for path in trial.root.glob(".*") if path.name.endswith((".new", ".old"))]
        shutil.rmtree(trial.root)
    assert hits >= KILLS // 2
    assert resumed >= 1
    assert "up to date" in whole.dvc("status")
