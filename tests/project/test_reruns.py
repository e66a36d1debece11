"""Which stages run again after an edit of this project's own code, and that no import escapes the digests."""

import ast
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline import fingerprint
from pipeline.distillation.registry import method_names
from pipeline.fingerprint import fingerprints
from tests.helpers.import_graph import import_graph
from tests.test_fingerprint import changed

ROOT = Path(__file__).parents[2]
UNTOUCHED = {"fingerprint", "download", "prepare", "teacher", "dump", "evaluate"}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's own code."""
    root = tmp_path_factory.mktemp("copy")
    for top in ("pipeline", "stages"):
        shutil.copytree(ROOT / top, root / top, ignore=shutil.ignore_patterns("__pycache__"))
    return root


@pytest.fixture(scope="module")
def original(copy: Path) -> dict[str, str]:
    return fingerprints(copy)


@pytest.fixture
def after_edit(copy: Path, original: dict[str, str]) -> Callable[[str], set[str]]:
    """Which digests a changed line in a file of the project changes."""

    def edit(name: str) -> set[str]:
        path = copy / name
        before = path.read_bytes()
        path.write_bytes(before + b"\nEDITED = 1\n")
        try:
            return changed(original, fingerprints(copy))
        finally:
            path.write_bytes(before)

    return edit


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_the_other_pythons_here_agree_about_the_project(version: str) -> None:
    python = shutil.which(f"python{version}")
    if sys.version_info[:2] == tuple(map(int, version.split("."))) or not python:
        pytest.skip(f"python{version} is this one or not here")
    program = (
        "import json, pathlib; from pipeline.fingerprint import fingerprints; "
        "print(json.dumps(fingerprints(pathlib.Path())))"
    )
    run = subprocess.run([python, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    if run.returncode and not run.stdout:
        pytest.skip(f"python{version} does not start")
    assert json.loads(run.stdout) == fingerprints(ROOT)


@pytest.mark.parametrize(
    "file", sorted(str(path.relative_to(ROOT)) for path in (ROOT / "pipeline/distillation").glob("*.py"))
)
def test_a_distillation_file_re_runs_no_teacher_and_no_dump(
    after_edit: Callable[[str], set[str]], original: dict[str, str], file: str
) -> None:
    stages = after_edit(file)
    assert original.keys() >= UNTOUCHED
    assert not stages & UNTOUCHED
    trained = {f"distill/{name}" for name in method_names()}
    assert trained & stages == (set() if file.endswith("/roles.py") else trained)  # that one is for reports


@pytest.mark.parametrize("method", method_names())
def test_a_method_re_runs_itself_alone(after_edit: Callable[[str], set[str]], method: str) -> None:
    importers = {"efficient": {"distill/efficient_emission"}}.get(method, set())
    stages = after_edit(f"pipeline/distillation/methods/{method}.py")
    assert stages - {"time_epochs"} == {f"distill/{method}"} | importers


def test_changes_in_shared_files_reach_what_runs_them(after_edit: Callable[[str], set[str]]) -> None:
    students = {f"distill/{name}" for name in method_names()}
    assert students | {"teacher"} <= after_edit("pipeline/training/loop.py")
    assert not after_edit("pipeline/training/loop.py") & {"download", "prepare"}
    assert {"prepare"} <= after_edit("pipeline/corpora/tagging.py")
    assert UNTOUCHED | students <= after_edit("pipeline/errors.py")


TRAINED = {"teacher", "further_teacher", "fold_teacher"} | {f"distill/{name}" for name in method_names()}
RESULTS = {"download", "prepare", "dump", "dump_text", "evaluate"} | TRAINED


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("pipeline/params.py", "EDITED = 1"),
        ("pipeline/timing/settings.py", "EDITED = 1"),
        ("stages/arguments.py", "Scores = Annotated[Path, typer.Option(help='Another text.')]"),
        *(
            (f"pipeline/reporting/{name}.py", "EDITED = 1")
            for name in ("markdown_page", "summary", "tables", "stage_outputs")
        ),
    ],
)
def test_timing_reports_and_help_texts_re_run_no_training_dump_or_evaluation(
    copy: Path, original: dict[str, str], file: str, line: str
) -> None:
    path = copy / file
    before = path.read_text(encoding="utf-8")
    old = 'Scores = Annotated[Path, typer.Option(help="The teacher\'s scores, from `dump`.")]'
    edited = before.replace(old, line) if old in before else f"{before}\n{line}\n"
    path.write_text(edited, encoding="utf-8")
    try:
        stages = changed(original, fingerprints(copy))
    finally:
        path.write_text(before, encoding="utf-8")
    assert edited != before
    assert not stages & RESULTS
    assert "reporting" not in file or "time_epochs" not in stages


@pytest.mark.parametrize(
    "file",
    [
        *("conll", "records", "splits", "stored_sentences", "text_stream"),
        *("unlabelled_sources", "unlabelled_text", "unlabelled_corpus", "text_shards"),
        *("split_warnings", "seen_sentences"),
    ],
)
def test_what_reads_files_re_runs_no_training_dump_or_evaluation(
    after_edit: Callable[[str], set[str]], file: str
) -> None:
    stages = after_edit(f"pipeline/corpora/{file}.py")
    assert stages
    assert {stage.partition("/")[0] for stage in stages} <= {
        "download", "prepare", "prepare_student", "text", "encode_text", "predict", "export",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("file", "stages"),
    [
        ("pipeline/evaluation/settings.py", {"evaluate"}),
        ("pipeline/encoding/settings.py", {"prepare", "prepare_student"}),
        ("pipeline/corpora/settings.py", {"download", "prepare", "text"}),
        ("pipeline/scores/settings.py", {"dump", "dump_text"}),
        ("pipeline/timing/settings.py", {"time_epochs"}),
        ("pipeline/training/settings.py", TRAINED),
    ],
)
def test_another_default_re_runs_the_stages_that_read_it(
    after_edit: Callable[[str], set[str]], file: str, stages: set[str]
) -> None:
    assert stages <= after_edit(file)


def test_the_training_loop_re_runs_training_alone(after_edit: Callable[[str], set[str]]) -> None:
    assert after_edit("pipeline/training/loop.py") == TRAINED | {"time_epochs"}


def test_every_stage_has_a_digest(original: dict[str, str]) -> None:
    commands = {path.stem for path in (ROOT / "stages").glob("*.py") if "run(main)" in path.read_text()}
    students = {f"distill/{name}" for name in method_names()}
    assert original.keys() == commands - {"distill"} | students


# Imported by functions that need a GPU or the extra `export`.
LATER = {"pipeline.chain.fused", "pipeline.exporting.onnx_network", "pipeline.exporting.int8"}


@pytest.mark.slow
def test_what_a_stage_imports_is_what_its_digest_covers() -> None:
    """Python itself says which files each stage brings; checking the parameters brings the methods too."""
    program = """
import ast, json, pathlib, sys
brought = {}
for path in map(pathlib.Path, sys.argv[1:]):
    for name in [name for name in sys.modules if name.partition(".")[0] in ("pipeline", "stages")]:
        del sys.modules[name]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            exec(ast.unparse(node))
    names = {name for name in sys.modules if name.partition(".")[0] in ("pipeline", "stages")}
    brought[path.stem] = sorted(names)
print(json.dumps(brought))
"""
    stages = sorted(path for path in (ROOT / "stages").glob("*.py") if "run(main)" in path.read_text())
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, *map(str, stages)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    imports = import_graph(ROOT) | {fingerprint.GUARD: set()}

    def closure(*names: str) -> set[str]:
        found: set[str] = set()
        while new := set(names).union(*(imports[name] for name in found)) - found:
            found |= new
        return found

    methods = closure(*(f"{fingerprint.METHODS}.{name}" for name in method_names()))
    for stage, brought in json.loads(run.stdout).items():
        covered = closure(f"stages.{stage}") - {f"stages.{stage}"}
        assert covered - set(brought) <= LATER
        assert set(brought) - covered <= methods | {fingerprint.REGISTRY}


def test_only_the_registry_imports_by_a_computed_name() -> None:
    """Any other such import would be invisible to the fingerprint."""
    found = set()
    for top in ("pipeline", "stages"):
        for path in (ROOT / top).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.Call):
                    continue
                name = fingerprint._name(node.func)
                computed = any(not isinstance(argument, ast.Constant) for argument in node.args)
                if name in {"__import__", "exec", "run_module"} or (name == "import_module" and computed):
                    found.add(path.name)
    assert found == {"registry.py"}
