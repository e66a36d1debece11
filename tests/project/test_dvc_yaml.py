"""dvc.yaml: each stage reads and writes what it says, so that DVC re-runs what it must and nothing more."""

import ast
import importlib
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import typer
from ruamel.yaml import YAML

from pipeline.distillation.registry import method_names
from pipeline.fingerprint import fingerprints
from pipeline.storage import commit
from tests.helpers.resolved_stages import dvc, resolved

ROOT = Path(__file__).parents[2]
PARAMS: dict[str, Any] = YAML(typ="safe", pure=True).load((ROOT / "params.yaml").read_text(encoding="utf-8"))
TASK = f"corpora.{PARAMS['task']}"
OTHER_TEACHERS = {"further_teacher@1", "fold_teacher@1"}
CHECKED = "data/student_check"  # always the same, and there so that the check runs first
PAGE_FILES = "pipeline/reporting/page_files"
IN_GIT = {"pipeline", "stages", "data/newsdesk", "data/own", PAGE_FILES}
WATCHED = {"data/newsdesk", "data/own"}  # named in params.yaml instead of the command

# What of params.yaml an attribute of Params stands for; any other is the key of its own name.
STANDS_FOR = {
    "corpus": {"task", TASK},
    "encoder": {"teacher.encoder", "teacher.model", "sources"},
    "text": {TASK, *(f"unlabelled.{key}" for key in PARAMS["unlabelled"])} - {"unlabelled.augmented"},
    "counts": {"teachers", "folds"},
    "augmented": {"unlabelled.augmented"},
    "student_encoder": {"student.encoder", "sources"},
    "imported_scores": {"dump.scores"},
    "settings": {"distill.<method>"},
    "teacher_labels": {"teacher.types", "teacher.scheme"},
    "live": set(),  # shows a run and decides nothing that it makes
    "student_shape": {"student.network", "student.layers", "student.bilstm"},
    "starts": {"methods", "distill", "student.init"},
    "heads": {"student.head", "teacher.head", "teacher.model"},
    "precisions": {
        *(f"{group}.precision" for group in ("teacher", "student", "dump", "evaluate")),
        *("teacher.model", "dump.scores"),
    },
    "folds_of": {"folds"},  # and of `teachers` only whether the item is listed
    "student_of": {"student", "distill.<method>"},
}

ITEMS = ("corpus", "encoder", "student_encoder", "imported_scores")  # of the stage download


@cache
def digests() -> dict[str, str]:
    return fingerprints(ROOT)


def for_every_stage(test: Callable[[str], None]) -> Callable[[], None]:
    """Not parametrize: that would ask DVC while tests are collected."""

    def run() -> None:
        for stage in resolved():
            test(stage)

    return run


def module_of(stage: str) -> str:
    """The file in `stages` that a stage runs."""
    words = shlex.split(resolved()[stage]["cmd"])
    assert words[:2] == ["python", "-m"]
    package, _, name = words[2].partition(".")
    assert package == "stages"
    return name


def paths_in(stage: str) -> set[str]:
    """The paths among a command's arguments."""
    words = shlex.split(resolved()[stage]["cmd"])[3:]
    return {
        word
        for before, word in zip(["", *words], words, strict=False)
        if before.startswith("--") and "/" in word
    }


def related(one: str, other: str) -> bool:
    """Whether the paths are the same, or one is in the other."""
    return PurePosixPath(one).is_relative_to(other) or PurePosixPath(other).is_relative_to(one)


def test_the_stages_of_the_pipeline_are_there() -> None:
    names = {re.split("[@]", stage)[0] for stage in resolved()}
    assert names >= {"fingerprint", "download", "prepare", "teacher", "dump", "distill", "evaluate"}
    assert names >= {"time_epochs", "headline", "report"}
    for method in PARAMS["methods"]:
        for seed in PARAMS["seeds"]:
            assert {f"distill@{method}-{seed}", f"evaluate@{method}-{seed}"} <= set(resolved())


def test_what_is_wrong_with_the_input_is_told_before_a_teacher_is_trained() -> None:
    """DVC runs stages in the order of the file, as far as they do not depend on each other."""
    names = list(YAML(typ="safe", pure=True).load(ROOT / "dvc.yaml")["stages"])
    early = ("prepare", "prepare_student", "text", "encode_text", "encode_student_text", "check_student")
    assert set(names[: names.index("teacher")]) == {"fingerprint", "download", *early}


@for_every_stage
def test_a_stage_runs_a_module_and_depends_on_its_code(stage: str) -> None:
    module = module_of(stage)
    assert (ROOT / "stages" / f"{module}.py").is_file()
    code = [dep for dep in resolved()[stage]["deps"] if dep.startswith("data/code")]
    if stage == "fingerprint":
        assert not code
        assert set(resolved()[stage]["deps"]) == {"pipeline", "stages"}
        return
    method = stage.partition("@")[2].rpartition("-")[0]
    wanted = f"{module}/{method}" if module == "distill" else module
    assert set(code) == {f"data/code/{wanted}"}
    assert wanted in digests()


@for_every_stage
def test_what_a_command_names_is_what_dvc_watches(stage: str) -> None:
    known = [*resolved()[stage]["deps"], *resolved()[stage]["outs"]]
    named = paths_in(stage)
    assert all(any(related(path, other) for other in known) for path in named)
    hidden = {path for path in known if not any(related(path, other) for other in named)}
    hidden -= {dep for dep in known if dep.startswith("data/code/")}
    plots = {path for path in hidden if path.startswith("plots/") and "plots" in resolved()[stage]["cmd"]}
    assert hidden - plots == {
        "fingerprint": {"pipeline", "stages"},
        "download@corpus": WATCHED,
        "download@imported_scores": {"data/own"},
        "text": {"data/newsdesk", "data/own"},
        "report": {PAGE_FILES},
        "teacher": {CHECKED},
        **{stage: {CHECKED} for stage in OTHER_TEACHERS},
    }.get(stage, set())


@for_every_stage
def test_a_command_gives_what_its_module_takes(stage: str) -> None:
    app = typer.Typer(add_completion=False)
    app.command()(importlib.import_module(f"stages.{module_of(stage)}").main)
    words = shlex.split(resolved()[stage]["cmd"])[3:]
    if stage.startswith(
        ("further_teacher", "fold_teacher", "dump", "dump_text", "distill")
    ):  # DVC says which in DVC_STAGE
        words += ["--item", stage]
    context = typer.main.get_command(app).make_context(
        stage, words
    )  # raises if an option is unknown or missing
    assert context.params["params"] == Path("params.yaml")


def test_every_dependency_comes_from_a_stage_or_from_git() -> None:
    outs = {out: stage for stage, facts in resolved().items() for out in facts["outs"]}
    for stage, facts in resolved().items():
        for dep in facts["deps"]:
            makers = {maker for out, maker in outs.items() if related(dep, out)}
            assert (dep in IN_GIT) != bool(makers), (stage, dep)
            assert stage not in makers
    assert len(outs) == sum(len(facts["outs"]) for facts in resolved().values())
    for path in IN_GIT:
        assert (ROOT / path).is_dir()


def read_by(module: str) -> set[str]:
    """The keys of params.yaml that a stage takes from what `load_params` returns, or `guarded` gives it."""
    tree = ast.parse((ROOT / "stages" / f"{module}.py").read_text(encoding="utf-8"))
    loads = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "load_params"
    ]
    whole = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and node.value in loads
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    # The argument of the function that says what of the parameters a guarded stage uses.
    whole |= {
        argument.arg
        for node in ast.walk(tree)
        if isinstance(node, ast.Lambda)
        for argument in node.args.args
        if argument.arg == "given"
    }
    keys: set[str] = set()
    attributes = 0
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (
            node.value in loads or (isinstance(node.value, ast.Name) and node.value.id in whole)
        ):
            attributes += 1
            keys |= STANDS_FOR.get(node.attr, {node.attr})
    uses = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id in whole]
    through_names = sum(isinstance(node.ctx, ast.Load) for node in uses)
    assert attributes == through_names + sum(
        isinstance(node, ast.Attribute) and node.value in loads for node in ast.walk(tree)
    ), f"{module} hands its parameters on as a whole: what of them is read cannot be seen"
    return keys


@for_every_stage
def test_a_stage_lists_the_parameters_it_reads(stage: str) -> None:
    module = module_of(stage)
    listed = set(resolved()[stage]["params"])
    method = stage.partition("@")[2].rpartition("-")[0]
    reads = {key.replace("<method>", method) for key in read_by(module)}
    if module == "download":  # an item reads its own
        assert reads == set().union(*(STANDS_FOR.get(item, {item}) for item in ITEMS)) | {"task"}
        reads = STANDS_FOR[stage.partition("@")[2]]
    if module == "fingerprint":  # has them checked, and takes none
        assert not reads
        reads = {"methods"}
    groups = {key for key in reads if "." not in key}  # which are listed whole
    assert listed == {key for key in reads if key in groups or key.partition(".")[0] not in groups}


@for_every_stage
def test_listed_parameters_exist(stage: str) -> None:
    for key in resolved()[stage]["params"]:
        value: Any = PARAMS
        for part in key.split("."):
            assert part in value, key
            value = value[part]


def test_no_value_of_a_parameter_reaches_the_shell() -> None:
    """`seeds: ["$(touch X)"]` would run there before any stage checks it; DVC_STAGE says which item it is."""
    stages = YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    commands = {name: (stage.get("do") or stage)["cmd"] for name, stage in stages.items()}
    assert {name for name, command in commands.items() if "$" in command} == {"download"}
    assert (
        re.findall(r"\$\{[^}]*\}", commands["download"]) == ["${key}"] * 2
    )  # corpus and encoder, of this file


def test_every_stage_has_a_description() -> None:
    stages = YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    assert not [name for name, stage in stages.items() if not stage.get("do", stage).get("desc")]


def test_only_stages_read_params_yaml() -> None:
    readers = {
        path.name
        for path in (ROOT / "pipeline").rglob("*.py")
        if "load_params(" in path.read_text(encoding="utf-8")
    }
    assert readers == {"params.py"}


def re_run_by(key: str) -> set[str]:
    """The stages that a changed parameter re-runs at once."""
    return {
        stage
        for stage in resolved()
        if any(f"{key}.".startswith(f"{name}.") for name in resolved()[stage]["params"])
    }


def test_a_parameter_re_runs_what_depends_on_it() -> None:
    seeds = PARAMS["seeds"]
    for method in PARAMS["methods"]:
        students = {f"distill@{method}-{seed}" for seed in seeds}
        assert re_run_by(f"distill.{method}.learning_rate") == students | {"check_student"}
    assert re_run_by("method") == {"headline"}
    assert re_run_by("teacher.epochs") == {"teacher"} | OTHER_TEACHERS
    assert re_run_by("teacher.types.PER") == {"prepare", "check_student", "teacher"} | OTHER_TEACHERS
    assert re_run_by("teacher.model") == {"download@encoder", "check_student", "teacher"} | OTHER_TEACHERS
    assert re_run_by("student.head") == {"check_student", "time_epochs"} | {
        f"distill@{method}-{seed}" for method in PARAMS["methods"] for seed in seeds
    }
    assert re_run_by("dump.dtype") == {"check_student", "dump@1-1", "dump_text@1"}
    assert re_run_by("unlabelled.files") == {"text"}
    assert re_run_by("unlabelled.augmented") == {"encode_text", "encode_student_text"}
    assert re_run_by("time_epochs.epochs") == {"time_epochs"}
    assert re_run_by(f"{TASK}.scheme") == {"download@corpus", "prepare", "text"}
    students = {f"distill@{method}-{seed}" for method in PARAMS["methods"] for seed in seeds}
    assert re_run_by("student.layers") == students | {"time_epochs", "check_student"}


def downstream(stage: str) -> set[str]:
    """The stages that follow from a stage's outs, and it."""
    found = {stage}
    while True:
        outs = [out for name in found for out in resolved()[name]["outs"]]
        more = {
            name
            for name, facts in resolved().items()
            if any(related(dep, out) for dep in facts["deps"] for out in outs)
        }
        if more <= found:
            return found
        found |= more


def test_an_edited_corpus_fetches_no_encoder_and_the_other_way_round() -> None:
    watchers = {
        folder: {stage for stage in resolved() if folder in resolved()[stage]["deps"]} for folder in WATCHED
    }
    assert watchers == {
        "data/newsdesk": {"download@corpus", "text"},
        "data/own": {"download@corpus", "download@imported_scores", "text"},
    }
    assert "download@encoder" not in downstream("download@corpus")
    assert "prepare" in downstream("download@corpus") & downstream("download@encoder")
    assert not {"teacher", "dump"} & downstream(f"distill@{method_names()[0]}-{PARAMS['seeds'][0]}")
    assert not {"teacher", "dump", "evaluate_teacher"} & downstream("time_epochs")
    assert {"report", "headline"} <= downstream("evaluate_teacher")


def test_unlabelled_text_re_runs_the_students_and_no_teacher() -> None:
    students = {f"distill@{method}-{seed}" for method in PARAMS["methods"] for seed in PARAMS["seeds"]}
    after = downstream("text")
    assert students <= after
    assert not {"download@corpus", "prepare", "teacher", "dump", "evaluate_teacher", "time_epochs"} & after
    assert "dump_text@1" in downstream("teacher")


def test_other_folds_do_not_score_the_text_again() -> None:
    """It is scored by the teacher of all sentences, in a pass over all of it."""
    assert re_run_by("folds") >= {"fold_teacher@1", "dump@1-1"}
    after = set().union(*(downstream(stage) for stage in re_run_by("folds")))
    assert "dump_text@1" not in after
    assert "dump_text@1" in downstream("further_teacher@1")


def test_neither_another_teacher_nor_a_larger_training_split_fetches_or_encodes_the_text_again() -> None:
    assert not {"text", "encode_text"} & (downstream("teacher") | re_run_by("dump.dtype"))
    corpus = [dep for dep in resolved()["text"]["deps"] if dep.startswith("data/corpus")]
    assert corpus == ["data/corpus/test"]
    assert {"encode_text", "dump_text@1"} <= downstream("text")


def test_stage_list_and_dag_show_every_stage() -> None:
    assert set(dvc()["list"].split()) == set(resolved())
    assert "flowchart TD" in dvc()["dag"]
    assert all(f'"{stage}"' in dvc()["dag"] for stage in resolved())


def test_own_files_are_watched_but_not_in_git() -> None:
    def ignored(path: str) -> bool:
        run = subprocess.run(["git", "check-ignore", "--quiet", path], cwd=ROOT, check=False)
        if run.returncode > 1:
            pytest.skip("this is no git checkout")
        return run.returncode == 0

    assert ignored("data/own/mine/train.conll")
    assert ignored("data/corpus/train")
    assert not ignored("data/own/README.md")
    assert not ignored("data/newsdesk/train.conll")


def test_what_a_killed_stage_leaves_is_no_change_of_a_dependency(tmp_path: Path) -> None:
    """A fold's dump that was killed leaves them in `data/scores`, on which all students depend."""
    shutil.copy(ROOT / ".dvcignore", tmp_path)
    out = tmp_path / "data" / "scores" / "1" / "2"
    with commit.locked(out, "busy"):
        for name in (commit.working_name(out), commit._old_name(out)):
            name.mkdir()
        left = sorted(str(path.relative_to(tmp_path)) for path in out.parent.iterdir())
        assert len(left) == 3
        program = "import sys; from dvc.cli import main; main(['init', '-q', '--no-scm']); main(sys.argv[1:])"
        command = [sys.executable, "-c", program, "check-ignore", *left, "data/scores/1/1/seal.json"]
        ignored = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert ignored.splitlines()[-3:] == left
