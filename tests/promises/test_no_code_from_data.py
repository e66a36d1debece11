"""Nothing that is read can run code: no pickle in the sources, and none in what the stages write."""

import ast
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from safetensors import safe_open

from pipeline.encoding import pretrained
from tests.helpers.forked_stages import Stages
from tests.helpers.workspace import COMMANDS, Workspace

ROOT = Path(__file__).parents[2]
MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
CALLS = {"torch.save", "torch.load", "exec", "eval", "pd.read_pickle", "yaml.load", "yaml.unsafe_load"}
SWITCHES = {"trust_remote_code", "allow_pickle"}


def found(path: Path) -> list[str]:
    """What in a source file could run code that came as data."""
    problems = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        problems += [name for name in names if name.partition(".")[0] in MODULES]
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            problems += [called] * (called in CALLS or called.endswith((".to_pickle", "extractall")))
            for keyword in node.keywords:
                off = isinstance(keyword.value, ast.Constant) and keyword.value.value is False
                problems += [str(keyword.arg)] * (keyword.arg in SWITCHES and not off)
    return problems


def test_the_search_finds_what_it_is_for(tmp_path: Path) -> None:
    bad = tmp_path / "bad.py"
    for line in (
        "import pickle",
        "from joblib import load",
        "torch.load('x', weights_only=True)",
        "np.load('x', allow_pickle=True)",
        "AutoModel.from_pretrained('x', trust_remote_code=trust)",
    ):
        bad.write_text(line)
        assert found(bad), line
    bad.write_text("np.load('x', allow_pickle=False)\nmodel.eval()")
    assert not found(bad)


def test_no_source_reads_or_writes_pickle_or_trusts_code_of_others() -> None:
    paths = [path for top in ("pipeline", "stages") for path in (ROOT / top).rglob("*.py")]
    assert len(paths) > 50
    assert {str(path): found(path) for path in paths if found(path)} == {}


LOADS = {"from_pretrained", "from_config", "_from_config", "for_model"}
HELPER = "pipeline/encoding/pretrained.py"


def loading_calls(path: Path) -> list[str]:
    """The calls in a source file that have `transformers` load or build something, by any name."""
    return [
        ast.unparse(node.func)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in LOADS
    ]


def test_every_loading_call_goes_through_the_one_helper() -> None:
    calls = {
        str(path.relative_to(ROOT)): found
        for top in ("pipeline", "stages")
        for path in (ROOT / top).rglob("*.py")
        if (found := loading_calls(path))
    }
    assert calls.keys() == {HELPER}
    assert len(calls[HELPER]) == 5


def test_every_loading_call_of_the_helper_is_closed_to_code_and_pickle() -> None:
    for node in ast.walk(ast.parse((ROOT / HELPER).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            given = {keyword.arg or ast.unparse(keyword.value) for keyword in node.keywords}
            if node.func.attr == "from_pretrained":
                assert "_CLOSED" in given
            if ast.unparse(node.func) == "auto.from_pretrained":
                assert "use_safetensors" in given
    assert pretrained._CLOSED == {"trust_remote_code": False, "local_files_only": True}


@pytest.mark.thorough
def test_everything_that_the_stages_write_is_plain(
    stages: Stages, workspace: Workspace, tmp_path: Path
) -> None:
    """Safetensors, Parquet, JSON or text, checkpoints of stages that were killed included."""
    for stage in COMMANDS:
        place = tmp_path / stage
        (place / "out").mkdir(parents=True)
        moments = stages.run(stage, *workspace.arguments(stage), place=place).moments
        if stage in ("teacher", "dump", "dump_text", "distill"):
            last = max(number for number, name in enumerate(moments) if name in ("batch", "step"))
            stages.run(stage, *workspace.arguments(stage, "never"), place=place, at=last)
    files = [path for path in tmp_path.rglob("*") if path.is_file() and ".new/" not in str(path)]
    kinds = {".safetensors", ".parquet", ".json", ".csv", ".html", ".md", ".txt", ".lock", ""}
    assert {path.suffix for path in files} == kinds
    assert sum(".ckpt" in path.parts and path.suffix == ".safetensors" for path in files) >= 2
    for path in files:
        if path.suffix == ".safetensors":
            with safe_open(path, "pt") as tensors:
                assert tensors.keys()
        elif path.suffix == ".parquet":
            assert pq.read_table(path).num_rows
        elif path.suffix == ".json":
            json.loads(path.read_text(encoding="utf-8"))
        elif path.suffix == ".lock":
            assert path.read_bytes() == b""
        else:
            assert path.read_text(encoding="utf-8").replace("\n", "").isprintable()
