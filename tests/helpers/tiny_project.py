"""A folder in which stages run as dvc.yaml runs them, on a tiny corpus and encoder."""

import shlex
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import typer
from ruamel.yaml import YAML
from typer.testing import CliRunner

ROOT = Path(__file__).parents[2]
SHARED = ("fingerprint", "download@corpus", "download@encoder", "prepare", "teacher", "dump", "unlabelled")
PER_RUN = ("distill", "evaluate")


def lay_out(
    place: Path,
    encoder: Path,
    corpus: dict[str, Any],
    methods: Sequence[str],
    seeds: Sequence[int],
    **training: float,
) -> None:
    """Write params.yaml for runs of two epochs on the task `tiny`, `method` the last, and link to the code.

    `training` goes into teacher and student.
    """
    yaml = YAML(typ="safe", pure=True)
    tree = yaml.load(ROOT / "params.yaml")
    tree |= {"task": "tiny", "methods": list(methods), "method": methods[-1], "seeds": list(seeds)}
    tree["prepare"] = {"window": 40, "overlap": 6}
    tree["corpora"] = {"tiny": corpus}
    training = {"epochs": 2, **training}
    tree["teacher"] |= {"encoder": str(encoder), "precision": "float32"} | training
    tree["student"] |= {"layers": 1, "precision": "float32"} | training
    tree["time_epochs"] |= {"epochs": 1, "batches": 1}
    yaml.dump(tree, place / "params.yaml")
    for folder in ("pipeline", "stages"):
        (place / folder).symlink_to(ROOT / folder)


def commands(methods: Sequence[str], seeds: Sequence[int], last: Sequence[str] = ()) -> Iterator[str]:
    """The commands of dvc.yaml in the order of their dependencies, with foreach and matrix written out."""
    stages = YAML(typ="safe", pure=True).load(ROOT / "dvc.yaml")["stages"]
    for target in SHARED:
        name, _, key = target.partition("@")
        yield (stages[name].get("do") or stages[name])["cmd"].replace("${key}", key)
    for name in PER_RUN:
        for method in methods:
            for seed in seeds:
                command = stages[name]["cmd"].replace("${item.method}", method)
                yield command.replace("${item.seed}", str(seed))
    yield from (stages[name]["cmd"] for name in last)


def invoke(command: str, status: int = 0) -> str:
    """Run `python -m stages.…` in this process, check its exit status, and give what it printed."""
    python, option, module, *arguments = shlex.split(command)
    assert (python, option) == ("python", "-m")
    app = typer.Typer()
    app.command()(import_module(module).main)
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == status, (command, result.output, result.exception)
    return result.output
