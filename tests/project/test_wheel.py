"""The wheel, installed beside its declared requirements alone, tags text and names the extra it lacks."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from email.parser import Parser
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from pipeline.inference.tagger import load

ROOT = Path(__file__).parents[2]
ABSENT = (
    "pandas",
    "vl_convert",
    "dvclive",
    "dvc",
    "seqeval",
    "sklearn",
    "ruamel",
    "onnx",
    "onnxruntime",
    "pytest",
)
CLEAN = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input"]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what is built, as a build writes into the folder."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in ("pipeline", "stages"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "constraints.txt"):
        shutil.copy(ROOT / name, copy)
    return copy


@pytest.fixture(scope="module")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    build = [
        "wheel",
        "--no-deps",
        "--no-index",
        "--no-build-isolation",
        "--wheel-dir",
        str(out),
        str(checkout),
    ]
    subprocess.run([*PIP, *build], env=CLEAN, check=True)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`bin` of a virtual environment with the wheel and links to its requirements, without any extra's."""
    home = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], env=CLEAN, check=True)
    python = home / "bin/python"
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(home), "platbase": str(home)}))
    for name, path in links(wheel).items():
        (site / name).symlink_to(path)
    subprocess.run(
        [*PIP, "--python", str(python), "install", "--no-deps", "--no-index", str(wheel)],
        env=CLEAN,
        check=True,
    )
    return home / "bin"


def links(wheel: Path) -> dict[str, Path]:
    """What stands in site-packages of all that the wheel requires, directly or not."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(archive.read(name).decode())
    found: dict[str, Distribution] = {}
    pending = list(required(metadata.get_all("Requires-Dist") or [], {""}))
    while pending:
        name, extras = pending.pop()
        if name not in found:
            found[name] = distribution(name)
            pending += required(found[name].requires or [], extras | {""})
    entries = {}
    for one in found.values():
        for top in {file.parts[0] for file in one.files or ()} - {"..", "__pycache__"}:
            entries[top] = Path(str(one.locate_file(top)))
    return entries


def required(requirements: list[str], extras: set[str]) -> Iterator[tuple[str, set[str]]]:
    for requirement in map(Requirement, requirements):
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras):
            yield re.sub("[-_.]+", "-", requirement.name).lower(), requirement.extras


def run(*command: object, cwd: Path, text: str = "") -> tuple[int, str, str]:
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=CLEAN,
        input=text,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_the_wheel_has_all_that_is_no_python(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {"pipeline/py.typed", "pipeline/exporting/model_card.md.jinja", "stages/cli.py"} <= names
    files = [path for path in (ROOT / "pipeline/reporting/page_files").rglob("*") if path.is_file()]
    assert {str(path.relative_to(ROOT)) for path in files} <= names
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/"))]


def test_no_extra_is_there(programs: Path, tmp_path: Path) -> None:
    code = f"from importlib.util import find_spec; print([n for n in {ABSENT} if find_spec(n)])"
    assert run(programs / "python", "-c", code, cwd=tmp_path) == (0, "[]\n", "")


def test_text_is_tagged(programs: Path, teacher: Path, tmp_path: Path) -> None:
    text = "ba NERI, Tok sa."
    code, out, err = run(programs / "substructured", "predict", "--model", teacher, cwd=tmp_path, text=text)
    (tagged,) = load(teacher)([text])
    columns = "".join(f"{word} {tag}\n" for word, tag in zip(tagged.words, tagged.tags, strict=True))
    assert (code, out, err) == (0, columns + "\n", "")
    lines = f"from pipeline.inference.tagger import load; print(load({str(teacher)!r})([{text!r}])[0].tags)"
    assert run(programs / "python", "-c", lines, cwd=tmp_path) == (0, f"{tagged.tags}\n", "")


def test_other_commands_name_the_extra(programs: Path, teacher: Path, tmp_path: Path) -> None:
    (tmp_path / "corpus").write_text("Anna B-PER\n")
    model = ("--model", teacher, "--out", tmp_path / "out")
    for extra, *command in (
        ("pipeline", "check", "corpus"),
        ("pipeline", "publish", *model, "--eval", teacher),
        ("export", "export", "--onnx", *model),
    ):
        code, out, err = run(programs / "substructured", *command, cwd=tmp_path)
        assert (code, out) == (2, "")
        assert err.endswith(f" is not installed; run `pip install 'substructured-distillation[{extra}]'`\n")
        assert err.count("\n") == 1


def test_the_install_line_of_a_model_card_runs_as_it_stands(checkout: Path) -> None:
    """With requirements that are here already."""
    card = (ROOT / "pipeline/exporting/model_card.md.jinja").read_text(encoding="utf-8")
    (line,) = re.findall(r"(?m)^pip install (.* \.)$", card)
    arguments = [*line.split(), "--dry-run", "--no-index", "--no-build-isolation"]
    subprocess.run([*PIP, "install", *arguments], cwd=checkout, env=CLEAN, check=True)
