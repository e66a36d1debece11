"""docs/several-machines.md: one machine makes the scores; another fetches them and trains students alone."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.helpers.pages import ROOT, blocks
from tests.helpers.tiny_corpus import columns, sentences
from tests.helpers.tiny_project import lay_out

PAGE = "docs/several-machines.md"
COPIED = ("dvc.yaml", ".gitignore", ".dvcignore", ".dvc/config", ".dvc/.gitignore")
METHOD = "structural"


def shell(command: str, place: Path) -> str:
    """Run a line of the page in a folder; what it printed."""
    binaries = str(Path(sys.executable).parent)
    who = {
        f"GIT_{role}_{what}": "a@localhost" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    env = os.environ | who | {"PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}", "DVC_NO_ANALYTICS": "1"}
    env |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    env.pop("CORPUS_MIRROR", None), env.pop("DVC_ROOT", None)
    done = subprocess.run(
        command, shell=True, cwd=place, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (command, done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout


def lines(block: str) -> list[str]:
    return [line.removeprefix("$ ") for line in block.splitlines()]


def ran(output: str) -> set[str]:
    """The stages that DVC ran."""
    return {
        line.split("'")[1].split("@")[0] for line in output.splitlines() if line.startswith("Running stage")
    }


@pytest.fixture
def gpu(tmp_path: Path, bert: Path) -> Path:
    """A tiny project in git on the first machine, which has been pushed once."""
    place = tmp_path / "gpu"
    place.mkdir()
    files = {split: f"{split}.txt" for split in ("train", "dev", "test")}
    for seed, file in enumerate(files.values()):
        (place / file).write_text(columns(sentences(20, seed=seed)))
    shutil.copytree(bert, place / "encoder")
    lay_out(place, Path("encoder"), {"files": files}, [METHOD], [1])
    for name in ("pipeline", "stages"):
        (place / name).unlink()
        shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
    (place / ".dvc").mkdir()
    for name in COPIED:
        shutil.copy(ROOT / name, place / name)
    (place / "dvc.lock").write_text("schema: '2.0'\nstages: {}\n")
    for name in ("own", "newsdesk"):
        (place / "data" / name).mkdir(parents=True)
        (place / "data" / name / "README.md").touch()
    shell(f"git init --quiet --bare {tmp_path / 'origin.git'}", tmp_path)
    for command in (
        "git init --quiet --initial-branch main",
        f"git remote add origin {tmp_path / 'origin.git'}",
        "git add .",
        "git commit --quiet --message start",
        "git push --quiet --set-upstream origin main",
    ):
        shell(command, place)
    return place


@pytest.mark.slow
def test_the_second_machine_trains_no_teacher(gpu: Path, tmp_path: Path) -> None:
    once, first, named, second = (lines(block) for block in blocks(PAGE, "console")[:4])
    cache = tmp_path / "cache"
    laptops = [tmp_path / name for name in ("laptop", "other")]
    for laptop in laptops:
        shell(f"git clone --quiet --branch main {tmp_path / 'origin.git'} {laptop}", tmp_path)
    for command in once:
        shell(command.replace("/mnt/shared/cache", str(cache)), gpu)
    made = [shell(command, gpu) for command in first]
    scored = {"fingerprint", "download", "prepare", "teacher", "dump", "text", "encode_text", "dump_text"}
    empty = {"prepare_student", "check_student", "further_teacher", "fold_teacher", "encode_student_text"}
    assert ran(made[0]) == scored | empty
    shutil.rmtree(cache)  # from here on it holds what the push of named stages sends, and no more
    for command in named:
        shell(command, gpu)

    shutil.move(gpu, tmp_path / "away")  # whatever is fetched comes from the shared folder
    printed = [shell(command, laptops[0]) for command in second]
    assert ran(printed[-1]) == {"distill", "evaluate"}
    assert "Pulling data for stage: 'teacher'" in printed[-1]
    student = laptops[0] / "data" / "students" / METHOD / "1" / "model.safetensors"
    assert student.is_file()
    assert (laptops[0] / "data/eval" / METHOD / "1" / "metrics.json").is_file()

    # Given back, it is there for a third machine, where nothing runs at all.
    for command in ("dvc push --run-cache", *first[2:]):
        shell(command, laptops[0])
    third = [shell(command, laptops[1]) for command in second]
    assert ran(third[-1]) == set()
    name = student.relative_to(laptops[0])
    assert (laptops[1] / name).read_bytes() == student.read_bytes()
    status = YAML(typ="safe", pure=True).load((laptops[1] / "dvc.lock").read_text())
    assert f"distill@{METHOD}-1" in status["stages"]
