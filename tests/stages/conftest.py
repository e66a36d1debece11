"""What the tests of stages share: a way to run them as commands, and folders to run them in."""

import shutil
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch

from pipeline.fingerprint import fingerprint_of
from pipeline.storage import sealed_folder
from stages import command
from tests.helpers.own_corpus_stages import GOOD, ROOT, Run, write_params
from tests.helpers.workspace import Workspace


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a stage's main as `python -m` does; (exit status, standard output, standard error)."""

    def call(main: Callable[..., Any], *arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["stage", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            command.run(main)
        out, err = capsys.readouterr()
        return int(caught.value.code or 0), out, err

    return call


@pytest.fixture
def place(tmp_path: Path, bert: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder with an own corpus, a fetched encoder and params.yaml that names both."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CORPUS_MIRROR", raising=False)
    Path("own").mkdir()
    for split in ("train", "dev", "test"):
        Path(f"own/{split}.txt").write_bytes(GOOD)
    with sealed_folder.new_folder(Path("encoder")) as aside:
        for file in bert.iterdir():
            shutil.copy(file, aside)
    Path("code").mkdir()
    for stage in ("download", "prepare"):
        Path("code", stage).write_text(fingerprint_of(stage, ROOT))
    write_params()
    return tmp_path


@pytest.fixture
def own(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """A copy of what every stage reads; the working folder and DVC's is another, in which nothing stands."""
    inputs = shutil.copytree(workspace.root, tmp_path / "inputs")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("DVC_ROOT", str(tmp_path / "work"))
    monkeypatch.delenv("CORPUS_MIRROR", raising=False)
    copy = Workspace(inputs)
    exactly = {"precision": "float32"}
    copy.set(teacher=exactly, student=exactly)
    yield copy
    torch.use_deterministic_algorithms(False)


Stage = Callable[..., tuple[int, str, str]]


@pytest.fixture
def stage(own: Workspace, run: Run) -> Stage:
    """Run a stage by its name on `own`, into `out`; options given as words replace those of dvc.yaml."""

    def call(name: str, **options: object) -> tuple[int, str, str]:
        words = own.arguments(name)
        for option, value in options.items():
            key = f"--{option.replace('_', '-')}"
            if key not in words:
                words += [key, ""]
            words[words.index(key) + 1] = str(value)
        return run(import_module(f"stages.{name}").main, *words)

    return call
