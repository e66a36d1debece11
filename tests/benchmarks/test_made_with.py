"""A changed result is no changed code; a changed file of code is."""

import subprocess
from pathlib import Path

import pytest

from benchmarks.made_with import made_with


def git(*arguments: str) -> str:
    who = ["-c", "user.name=x", "-c", "user.email=x@example.com"]
    return subprocess.run(
        ["git", *who, *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_the_commit_is_dirty_where_code_is_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("pipeline/code.py", "results/store.json"):
        Path(name).parent.mkdir()
        Path(name).write_text("before")
    git("init", "--quiet", "--template=")
    git("add", ".")
    git("commit", "--quiet", "-m", "x")
    commit = git("rev-parse", "HEAD")[:12]
    Path("results/store.json").write_text("after")
    assert made_with()["commit"] == commit
    Path("pipeline/code.py").write_text("after")
    assert made_with()["commit"] == f"{commit}-dirty"
