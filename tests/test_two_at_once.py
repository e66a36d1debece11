"""Two students that are distilled at the same time in one workspace do not disturb each other."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipeline.folder import check
from tests.forked_stages import ROOT, Stages
from tests.workspace import METHOD, Workspace

SEEDS = (1, 2)
INPUTS = ("encoded", "encoder", "teacher", "scores", "code")


@pytest.mark.slow
def test_two_repros_of_different_students(stages: Stages, workspace: Workspace, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(workspace.root, project)
    reads = " ".join(f"--{name} {name}" for name in INPUTS)
    stage = {
        "matrix": {"seed": list(SEEDS)},
        "cmd": f"python -m stages.distill --method {METHOD} --seed ${{item.seed}} "
        f"{reads} --out students/${{item.seed}}",
        "deps": list(INPUTS),
        "params": ["student", f"distill.{METHOD}"],
        "outs": ["students/${item.seed}"],
    }
    shutil.rmtree(project / "students")
    with (project / "dvc.yaml").open("w", encoding="utf-8") as file:
        YAML(typ="safe", pure=True).dump({"stages": {"distill": stage}}, file)
    binaries = str(Path(sys.executable).parent)
    env = os.environ | {
        "PYTHONPATH": str(ROOT),
        "DVC_NO_ANALYTICS": "1",
        "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
    }
    dvc = [sys.executable, "-m", "dvc"]
    subprocess.run([*dvc, "init", "--no-scm", "--quiet"], cwd=project, env=env, check=True)
    repros = [
        subprocess.Popen(
            [*dvc, "repro", "--single-item", f"distill@{seed}"],
            cwd=project,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for seed in SEEDS
    ]
    for repro in repros:
        out, _ = repro.communicate()
        assert repro.returncode == 0, out[-2000:]
    for seed in SEEDS:
        alone = tmp_path / str(seed)
        alone.mkdir()
        arguments = workspace.arguments("distill")
        arguments[arguments.index("--seed") + 1] = str(seed)
        assert stages.run("distill", *arguments, place=alone).status == 0
        both, one = check(project / "students" / str(seed)), check(alone / "out")
        both.pop("config.json"), one.pop("config.json")  # names the encoder's folder as the command does
        assert both == one
    status = subprocess.run(
        [*dvc, "status"], cwd=project, env=env, capture_output=True, text=True, check=True
    )
    assert "up to date" in status.stdout
    assert list((project / ".ckpt").iterdir()) == []
