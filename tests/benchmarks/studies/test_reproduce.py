"""benchmarks/studies/reproduce.sh, with stand-ins for `python` and `dvc` that print their arguments."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "benchmarks/studies/reproduce.sh"
ENCODER = {"ENCODER": "google-bert/bert-base-cased", "LAYERS": "3", "DEVICE": "gpu", "SEEDS": "4 5"}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A git checkout with the script and params.yaml."""
    root = tmp_path / "checkout"
    (root / "benchmarks/studies").mkdir(parents=True)
    shutil.copy(SCRIPT, root / "benchmarks/studies")
    (root / "params.yaml").write_text("committed\n")
    for name, also in (("python", ""), ("dvc", "echo changed > params.yaml")):
        path = root / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'#!/bin/sh\necho {name} "$@"\n{also}\n')
        path.chmod(0o755)
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.com"]
    for arguments in (["init", "-q", "--template="], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run([*git, *arguments], cwd=root, check=True)
    return root


def reproduce(checkout: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    path = f"{checkout / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [checkout / "benchmarks/studies/reproduce.sh", *arguments],
        cwd=checkout.parent, env=os.environ | {"PATH": path} | environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_uncommitted_parameters_are_refused_and_kept(checkout: Path) -> None:
    (checkout / "params.yaml").write_text("mine\n")
    run = reproduce(checkout, "grid", "conll2003")
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith("params.yaml: has uncommitted changes")
    assert (checkout / "params.yaml").read_text() == "mine\n"


def test_params_are_as_committed_at_the_end(checkout: Path) -> None:
    run = reproduce(checkout, "table2")
    assert run.returncode == 0, run.stderr
    assert (checkout / "params.yaml").read_text() == "committed\n"


def test_an_encoder_is_set_and_named(checkout: Path) -> None:
    run = reproduce(checkout, "grid", "conll2003", **ENCODER)
    study = "--layers 3 --device gpu --encoder google-bert/bert-base-cased"
    assert run.stdout == f"python -m benchmarks.studies.grid conll2003 {study}\n"
    students = reproduce(checkout, "students", "conll2003", **ENCODER).stdout
    assert students.startswith(
        "dvc exp run -S task=conll2003 -S student.init=pretrained -S unlabelled.sentences=0 "
        "-S student.layers=3 -S teacher.encoder=google-bert/"
    )
    assert " -S seeds=[4,5] " in students
    assert students.endswith(" evaluate_teacher evaluate\n")
    kept = reproduce(checkout, "table1", "conll2003", **ENCODER).stdout.splitlines()[-1]
    assert kept == "python -m benchmarks.results --keep 3-layers-bert-base-cased-gpu"
    named = reproduce(checkout, "table1", "conll2003", **ENCODER, RECORD_AS="bert-3-seeds").stdout
    assert named.endswith("--keep bert-3-seeds\n")
    plain = reproduce(checkout, "table1", "conll2003").stdout
    assert "encoder" not in plain
    assert plain.endswith("--keep 2-layers-cpu\n")
