"""The command `substructured` has every stage, starts without torch, and says which extra a library is in."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stages import cli, command, predict
from tests.helpers.own_corpus_stages import COMMANDS

ROOT = Path(__file__).parents[2]
HEAVY = {"torch", "transformers", "numpy", "pandas", "pyarrow", "pydantic"}


@pytest.fixture
def substructured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Call it with arguments: exit status, standard output, standard error."""

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["substructured", *arguments])
        monkeypatch.setattr("signal.signal", lambda *_: None)  # the test runner's own
        with pytest.raises(SystemExit) as caught:
            cli.main()
        out, err = capsys.readouterr()
        return int(caught.value.code or 0), out, err

    return call


def test_every_stage_is_a_subcommand() -> None:
    names = {stage.__name__.removeprefix("stages.") for stage in (*cli.MODELS, *cli.PIPELINE)}
    assert names == set(COMMANDS)


def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys\nfrom stages.cli import main\ntry:\n    main()\nfinally:\n"
        f"    print(sorted({HEAVY} & sys.modules.keys()), file=sys.stderr)"
    )
    command = [sys.executable, "-c", program, "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "[]\n")
    for name in ("predict", "export", "publish", "check", "time-epochs"):
        assert f" {name} " in done.stdout


def test_a_subcommand_is_the_stage(
    substructured: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    code, out, _ = substructured("predict", "--help")
    assert code == 0
    assert predict.main.__doc__ is not None
    assert predict.main.__doc__.partition(",")[0] in out
    code, out, err = substructured("predict", "--model", str(tmp_path / "none"), __file__)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {tmp_path / 'none'}: no such folder")
    assert err.count("\n") == 1


def test_check_is_prepare_with_its_option(
    substructured: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    code, out, _ = substructured("check", "data/newsdesk/test.conll")
    assert code == 0
    assert out.startswith("sentences: 600\n")
    code, _, err = substructured("check", "data/newsdesk/test.conll", "--encoder", "nowhere")
    assert code != 0
    assert err.startswith("error: nowhere")


def test_a_library_of_the_extra_is_named_with_the_command(
    substructured: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: Any, **__: Any) -> None:
        raise ModuleNotFoundError("No module named 'ruamel'", name="ruamel")

    monkeypatch.setattr("pipeline.params.load_params", missing)
    code, out, err = substructured("check", __file__)
    assert (code, out) == (2, "")
    expected = "error: ruamel is not installed; run `pip install 'substructured-distillation[pipeline]'`\n"
    assert err == expected


def test_the_libraries_of_the_extra_are_in_it() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    names = [re.split(r"[^\w-]", requirement)[0] for requirement in extras["pipeline"]]
    named = {name.removesuffix("-python").replace("-", "_") for name in names}
    assert named - set(command._PIPELINE) == {"dvc"}  # which runs the stages, and which none of them imports
