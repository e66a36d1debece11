"""A copy of this project under git, in which the commands of a page are run."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.helpers.pages import ROOT


@dataclass(frozen=True)
class Checkout:
    """The copy, in which DVC runs."""

    root: Path

    @classmethod
    def make(cls, root: Path) -> "Checkout":
        """Copy what git knows, as it is now, and commit it; skip the test where this is no checkout."""
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        if listed.returncode:
            pytest.skip("this is no git checkout")
        for name in filter(None, listed.stdout.split("\0")):
            if (ROOT / name).is_file():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_bytes((ROOT / name).read_bytes())
                (root / name).chmod((ROOT / name).stat().st_mode)
        checkout = cls(root)
        checkout.run("git init --quiet --template= && git add --all --force && git commit --quiet -m project")
        return checkout

    def commit(self, message: str) -> None:
        """Commit all changes of tracked files."""
        self.run(f"git commit --quiet --all -m {message}")

    def run(self, command: str, *, at: Path | None = None, **variables: str) -> str:
        """What a command of the page prints, in the copy or in the folder `at`; it must succeed."""
        who = {
            f"GIT_{role}_{what}": "x@example.com"
            for role in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        }
        programs = Path(sys.executable).parent
        env = os.environ | who | {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(self.root),
            "DVC_NO_ANALYTICS": "1",
            "OMP_NUM_THREADS": "1",
        }  # fmt: skip
        env.pop("CORPUS_MIRROR", None)
        env |= variables
        done = subprocess.run(
            ["bash", "-c", command], cwd=at or self.root, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout
