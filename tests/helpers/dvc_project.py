"""A small DVC project around the folders of `tests.helpers.workspace`, and DVC as a process of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.helpers.forked_stages import ROOT
from tests.helpers.workspace import COMMANDS, METHOD, PLACES, Workspace

BINARIES = Path(sys.executable).parent
WHO = ["-c", "user.name=x", "-c", "user.email=x@example.com"]


class Project:
    """A folder with params.yaml, inputs and dvc.yaml."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.env = os.environ | {
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "DVC_NO_ANALYTICS": "1",
            "OMP_NUM_THREADS": "1",
            "PATH": f"{BINARIES}{os.pathsep}{os.environ['PATH']}",
        }

    @classmethod
    def make(
        cls, root: Path, workspace: Workspace, stages: dict[str, Any], *, git: bool = False
    ) -> "Project":
        """Copy the workspace's inputs to `root` and make it a DVC project with these stages."""
        shutil.copytree(workspace.root, root)
        shutil.rmtree(root / "students")
        project = cls(root)
        with (root / "dvc.yaml").open("w", encoding="utf-8") as file:
            YAML(typ="safe", pure=True).dump({"stages": stages}, file)
        if git:
            project.git("init", "--quiet", "--template=", "--initial-branch=main")
        project.dvc("init", "--quiet", *([] if git else ["--no-scm"]))
        if git:
            (root / ".gitignore").write_text("/students\n/.ckpt\n")
            project.git("add", ".")
            project.git(*WHO, "commit", "--quiet", "-m", "project")
        return project

    def dvc(self, *arguments: str) -> str:
        """Run DVC and return what it printed; it must succeed."""
        with self.start(*arguments) as process:
            out, _ = process.communicate()
        assert process.returncode == 0, out[-3000:]
        return out

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """DVC as a running process, first of a process group."""
        return subprocess.Popen(
            [sys.executable, "-m", "dvc", *arguments],
            cwd=self.root,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def git(self, *arguments: str) -> None:
        """Run git; it must succeed."""
        subprocess.run(["git", *arguments], cwd=self.root, check=True)


def stage_of(name: str, *, module: str = "stages.", out: str = "out") -> dict[str, Any]:
    """The stage `name` for a dvc.yaml, reading the folders of the project and writing `out`."""
    read, written = COMMANDS[name]
    options = [f"{option} {folder}" for option, folder in read.items()]
    options += [f"{option} {out}{rest}" for option, rest in written.items()]
    if name in ("further_teacher", "fold_teacher", "dump"):
        options.append(f"--item {PLACES[name].replace('/', '-')}")
    stage: dict[str, Any] = {"cmd": f"python -m {module}{name} {' '.join(options)}"}
    place = f"{out}/{PLACES[name]}" if name in PLACES else out
    deps = [f"{folder}/{METHOD}" if folder == "code/distill" else folder for folder in read.values()]
    stage |= {"deps": deps, "outs": [f"{out}/{METHOD}/${{item.seed}}" if name == "distill" else place]}
    stage["params"] = ["student", f"distill.{METHOD}"] if name == "distill" else [name]
    return stage | ({"matrix": {"method": [METHOD], "seed": "${seeds}"}} if name == "distill" else {})
