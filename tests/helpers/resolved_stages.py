"""dvc.yaml as DVC reads it, every stage written out."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

# DVC's own reading of dvc.yaml, with foreach and matrix written out, and what two of its commands show of it.
RESOLVE = """
import contextlib, io, json
from dvc.cli import main
from dvc.repo import Repo

def shown(*command):
    with contextlib.redirect_stdout(io.StringIO()) as text:
        assert main([*command]) == 0, command
    return text.getvalue()

stages = Repo.init(no_scm=True).index.stages
print(json.dumps({
    "list": shown("stage", "list", "--name-only"),
    "dag": shown("dag", "--mermaid"),
    "stages": {
        stage.name: {
            "cmd": stage.cmd,
            "deps": [dep.def_path for dep in stage.deps if not hasattr(dep, "params")],
            "params": [name for dep in stage.deps if hasattr(dep, "params") for name in dep.params],
            "outs": [out.def_path for out in stage.outs],
        } for stage in stages
    },
}))
"""


@cache
def dvc() -> dict[str, Any]:
    """What RESOLVE prints, in a folder of its own, as DVC locks what it reads."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("dvc.yaml", "params.yaml"):
            shutil.copy(ROOT / name, folder)
        run = subprocess.run(
            [sys.executable, "-c", RESOLVE],
            cwd=folder,
            env=os.environ | {"DVC_NO_ANALYTICS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
    assert run.returncode == 0, run.stderr[-2000:]
    answer: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return answer


def resolved() -> dict[str, dict[str, Any]]:
    """Every stage by name."""
    stages: dict[str, dict[str, Any]] = dvc()["stages"]
    return stages
