"""Two students that are distilled at the same time do not disturb each other, in one workspace or queued."""

import shutil
from pathlib import Path

import pytest

from pipeline.storage.sealed_folder import check
from tests.helpers.dvc_project import Project, stage_of
from tests.helpers.forked_stages import Stages
from tests.helpers.workspace import METHOD, Workspace

SEEDS = (1, 2)
DROPOUTS = {"little": 0.1, "much": 0.3}


def alone(stages: Stages, workspace: Workspace, place: Path, seed: int = 1) -> dict[str, str]:
    """The checksums of the student that nothing runs beside."""
    place.mkdir()
    arguments = workspace.arguments("distill")
    arguments[arguments.index("--item") + 1] = f"{METHOD}-{seed}"
    assert stages.run("distill", *arguments, place=place).status == 0
    return weights(place / "out" / METHOD / str(seed))


def weights(student: Path) -> dict[str, str]:
    """But for the config, which names the encoder as the command does."""
    return {name: digest for name, digest in check(student).items() if name != "config.json"}


@pytest.mark.slow
def test_two_repros_of_different_students(stages: Stages, workspace: Workspace, tmp_path: Path) -> None:
    stage = stage_of("distill", out="students")
    stage["matrix"]["seed"] = list(SEEDS)
    project = Project.make(tmp_path / "project", workspace, {"distill": stage})
    repros = [project.start("repro", "--single-item", f"distill@{METHOD}-{seed}") for seed in SEEDS]
    for repro in repros:
        out, _ = repro.communicate()
        assert repro.returncode == 0, out[-2000:]
    for seed in SEEDS:
        wanted = alone(stages, workspace, tmp_path / str(seed), seed)
        assert weights(project.root / "students" / METHOD / str(seed)) == wanted
    assert "up to date" in project.dvc("status")
    assert list((project.root / ".ckpt").iterdir()) == []


@pytest.mark.slow
def test_two_queued_experiments(stages: Stages, workspace: Workspace, tmp_path: Path) -> None:
    """Each waits until the other has begun; `queue start` returns its output when both workers have ended."""
    meeting = tmp_path / "meeting"
    meeting.mkdir()
    stage = stage_of("distill", out="students")
    both = " && ".join(f"[ -e {meeting}/{name} ]" for name in DROPOUTS)
    wait = f'touch "{meeting}/$DVC_EXP_NAME"; until {both}; do sleep 0.1; done; '
    stage["cmd"] = wait + stage["cmd"]
    project = Project.make(tmp_path / "project", workspace, {"distill": stage}, git=True)
    for name, dropout in DROPOUTS.items():
        options = ["--queue", "--name", name, "-S", f"student.dropout={dropout}"]
        project.dvc("exp", "run", *options, f"distill@{METHOD}-1")
    project.dvc("queue", "start", "--jobs", "2")
    found = {}
    for name, dropout in DROPOUTS.items():
        log = project.dvc("queue", "logs", name)
        project.dvc("exp", "apply", name)
        own = Workspace(tmp_path / f"{name}-inputs")
        shutil.copytree(workspace.root, own.root)
        own.set(student={"dropout": dropout})
        found[name] = weights(project.root / "students" / METHOD / "1")
        assert found[name] == alone(stages, own, tmp_path / name), log
    assert found["little"] != found["much"]
    assert (
        list((project.root / ".ckpt").iterdir()) == []
    )  # which all experiments share, each under its own key
