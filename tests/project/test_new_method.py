"""docs/add-a-method.md: its file is a method, and with its entry in params.yaml it makes a student."""

import importlib.util
import json
import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from ruamel.yaml import YAML
from torch.nn.functional import kl_div

from pipeline.fingerprint import fingerprints
from pipeline.storage.sealed_folder import check
from tests.helpers.chain_cases import random_chain
from tests.helpers.pages import ROOT, blocks, read
from tests.helpers.workspace import Workspace

PAGE = "docs/add-a-method.md"
(CODE,) = blocks(PAGE, "python")
(ENTRY,) = (YAML(typ="safe", pure=True).load(block) for block in blocks(PAGE, "yaml"))
# Distils by each list of arguments, and prints the exit status.
PROGRAM = """
import json, sys
from stages.command import run
from stages.distill import main
for arguments in json.loads(sys.argv[1]):
    sys.argv[1:] = arguments
    try:
        run(main)
    except SystemExit as end:
        print(end.code, flush=True)
"""
((PATH, NAME),) = re.findall(r"As `(pipeline/distillation/methods/(\w+)\.py)`", read(PAGE))


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with the page's file in its place."""
    root = tmp_path_factory.mktemp("copy")
    for top in ("pipeline", "stages"):
        shutil.copytree(ROOT / top, root / top, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", root)
    (root / PATH).write_text(CODE, encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def method(copy: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(NAME, copy / PATH)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_file_is_short_and_in_style(copy: Path) -> None:
    assert CODE.count("\n") < 60
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--no-cache", PATH],
            cwd=copy, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("direction", ["forward", "reverse"])
def test_the_loss_is_torchs_divergence_of_each_sentence_alone(method: ModuleType, direction: str) -> None:
    settings = method.Settings(temperature=2.0, direction=direction)
    teacher, student = random_chain([6, 1, 4], 4, seed=1), random_chain([6, 1, 4], 4, seed=2)
    target = method.targets(teacher, settings).where(teacher.mask[..., None], 0.0)  # as a batch has it
    losses = method.loss(student, target, settings)
    for row, length in enumerate(teacher.lengths.tolist()):
        ours, theirs = ((chain.emissions[row, :length] / 2).log_softmax(-1) for chain in (student, teacher))
        first, second = (theirs, ours) if direction == "forward" else (ours, theirs)
        assert losses[row].item() == pytest.approx(
            4 * kl_div(second, first, reduction="sum", log_target=True).item(), rel=1e-4
        )
    (gradient,) = torch.autograd.grad(losses.sum(), [student.emissions])
    assert gradient.isfinite().all()
    itself = method.loss(teacher, method.targets(teacher, settings), settings)
    assert itself.abs().max() < 1e-5


def test_the_settings_are_those_of_the_page(method: ModuleType) -> None:
    entry: dict[str, Any] = ENTRY["distill"][NAME]
    assert method.Settings().model_dump() == entry


def test_no_other_stage_has_new_code(copy: Path) -> None:
    before, after = fingerprints(ROOT), fingerprints(copy)
    assert after.keys() - before.keys() == {f"distill/{NAME}"}
    assert {name for name in before if before[name] != after[name]} == {"time_epochs"}  # times all methods


@pytest.mark.thorough
def test_a_student_is_distilled_by_it(copy: Path, workspace: Workspace, tmp_path: Path) -> None:
    yaml = YAML(typ="safe", pure=True)
    tree = yaml.load((workspace.root / "params.yaml").read_text())
    tree["methods"].append(NAME)
    tree["distill"] |= ENTRY["distill"]
    yaml.dump(tree, tmp_path / "params.yaml")
    tree["distill"][NAME]["direction"] = "sideways"
    yaml.dump(tree, tmp_path / "wrong.yaml")
    code = tmp_path / "code"
    code.mkdir()
    (code / NAME).write_text(fingerprints(copy)[f"distill/{NAME}"])

    def arguments(params: str) -> list[str]:
        changes = {"--item": f"{NAME}-1", "--params": str(tmp_path / params), "--code": str(code)}
        words = workspace.arguments("distill", str(tmp_path / "student"))
        for option, value in changes.items():
            words[words.index(option) + 1] = value
        return words

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps([arguments("wrong.yaml"), arguments("params.yaml")])],
        cwd=copy,
        env=os.environ | {"DVC_ROOT": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    statuses = [line for line in done.stdout.splitlines() if line.isdecimal()]
    assert statuses == ["2", "0"], done.stderr[-2000:]
    assert f"distill.{NAME}.direction: must be 'forward' or 'reverse'" in done.stderr
    assert "model.safetensors" in check(tmp_path / "student" / NAME / "1")
    epochs = json.loads((tmp_path / "student" / NAME / "1/history.json").read_text())["epochs"]
    assert len(epochs) == tree["student"]["epochs"]
    assert all(math.isfinite(epoch["loss"]) and epoch["loss"] > 0 for epoch in epochs)
