"""Every stage as a command: help without torch, short and documented, paths in dvc.yaml alone."""

import ast
import subprocess
import sys

import pytest

from tests.helpers.own_corpus_stages import COMMANDS, ROOT


def test_help_of_every_stage_answers_without_torch() -> None:
    program = """
import contextlib, io, runpy, sys
for name in "torch transformers tokenizers accelerate numpy pandas pyarrow pydantic ruamel".split():
    sys.modules[name] = None  # an import of it fails from now on
for stage in sys.argv[1:]:
    sys.argv = [stage, "--help"]
    with contextlib.redirect_stdout(io.StringIO()) as text:
        try:
            runpy.run_module(f"stages.{stage}", run_name="__main__")
        except SystemExit as end:
            assert end.code in (None, 0), (stage, end.code)
    assert "Usage: " in text.getvalue() and "--help" in text.getvalue(), stage
    print(stage)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, *COMMANDS], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == COMMANDS, done.stderr[-2000:]
    assert set(COMMANDS) >= {"download", "prepare", "teacher", "dump", "distill", "evaluate", "report"}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_stage_is_short_and_documented(name: str) -> None:
    source = (ROOT / "stages" / f"{name}.py").read_text(encoding="utf-8")
    assert source.count("\n") <= 60
    tree = ast.parse(source)
    (main,) = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "main")
    assert ast.get_docstring(tree)
    assert ast.get_docstring(main)
    imported = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name)
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert not {module for module in imported if module and module.startswith("pipeline")}


def test_paths_stand_in_dvc_yaml_alone() -> None:
    """No default of a stage is a path of the pipeline, but where `prepare --check` looks for a tokenizer."""
    known = {"check_corpus": {"data/encoder"}}
    for file in (ROOT / "stages").glob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
        paths = {
            text for text in texts if isinstance(text, str) and text.startswith(("data/", "metrics", "plots"))
        }
        assert paths == known.get(file.stem, set())
