"""A folder in which stages run as dvc.yaml runs them, on a tiny corpus and encoder."""

import itertools
import shlex
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import typer
from ruamel.yaml import YAML
from typer.testing import CliRunner

ROOT = Path(__file__).parents[2]
SHARED = (
    "fingerprint",
    "download@corpus",
    "download@encoder",
    "download@student_encoder",
    "download@imported_scores",
    "prepare",
    "prepare_student",
    "text",
    "encode_text",
    "encode_student_text",
    "check_student",
    "teacher",
    "further_teacher@1",
    "fold_teacher@1",
    "dump@1-1",
    "dump_text@1",
)
PER_RUN = ("distill", "evaluate")


def command_of(stage: dict[str, Any]) -> str:
    """The command of an entry of dvc.yaml; one of a foreach stands below `do`."""
    command: str = (stage.get("do") or stage)["cmd"]
    return command


def few_steps(**training: float) -> dict[str, Any]:
    """The project's parameters for runs of two epochs on tiny sentences; `training` goes into every run."""
    tree: dict[str, Any] = YAML(typ="safe", pure=True).load(ROOT / "params.yaml")
    tree["prepare"] = {"window": 40, "overlap": 6}
    tree["teacher"] |= {"epochs": 2, **training}
    tree["student"] |= {"epochs": 2, "layers": 1, **training}
    tree["time_epochs"] |= {"epochs": 1, "batches": 1}
    return tree


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
    tree = few_steps(**training)
    tree |= {"task": "tiny", "methods": list(methods), "method": methods[-1], "seeds": list(seeds)}
    tree["corpora"] = {"tiny": corpus}
    tree["teacher"] |= {"encoder": str(encoder), "precision": "float32"}
    tree["student"] |= {"precision": "float32"}
    YAML(typ="safe", pure=True).dump(tree, place / "params.yaml")
    for folder in ("pipeline", "stages"):
        (place / folder).symlink_to(ROOT / folder)


def commands(methods: Sequence[str], seeds: Sequence[int], last: Sequence[str] = ()) -> Iterator[str]:
    """The commands of dvc.yaml in the order of their dependencies, with foreach and matrix written out.

    DVC_STAGE stands before each, as DVC sets it.
    """
    stages = YAML(typ="safe", pure=True).load(ROOT / "dvc.yaml")["stages"]
    for target in SHARED:
        name, _, key = target.partition("@")
        command = command_of(stages[name]).replace("${key}", key)
        yield f"DVC_STAGE={target} {command}"
    for name in PER_RUN:
        for method in methods:
            for seed in seeds:
                yield f"DVC_STAGE={name}@{method}-{seed} {stages[name]['cmd']}"
    yield from (f"DVC_STAGE={name} {stages[name]['cmd']}" for name in last)


def invoke(command: str, status: int = 0) -> str:
    """Run `[DVC_STAGE=…] python -m stages.…` here, check its exit status, and give what it printed."""
    words = shlex.split(command)
    environment = dict(word.split("=", 1) for word in itertools.takewhile(lambda word: "=" in word, words))
    python, option, module, *arguments = words[len(environment) :]
    assert (python, option) == ("python", "-m")
    app = typer.Typer()
    app.command()(import_module(module).main)
    result = CliRunner().invoke(app, arguments, env=environment)
    assert result.exit_code == status, (command, result.output, result.exception)
    return result.output
