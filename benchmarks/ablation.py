"""Is it the method or its setting? `efficient` with one setting changed at a time, beside `vanilla`.

Each row is one student, of the seed that `benchmarks.grid` has, and starts from its method's best cell there.
It is judged on development, and nothing is scored on test. Runs go through DVC's cache, so that a stopped one
goes on. Run it from the root of a checkout of its own, since `dvc exp run` changes `params.yaml` there:

    CORPUS_MIRROR=DIR python -m benchmarks.ablation conll2003 --device cpu
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.experiment import PARAMS, RESULTS, run
from benchmarks.grid import SEED, best_cells, development_f1, path_of
from pipeline.device import accelerator, device_name
from pipeline.params import load_params
from pipeline.reporting.kept import read_result
from pipeline.reporting.outcomes import write_json
from pipeline.reporting.provenance import provenance
from stages import command


@dataclass(frozen=True)
class Setting:
    """What is turned. `head` and `rate` are multiples of the tuned learning rates, `epochs` of the epochs."""

    schedule: str = "last_epoch"
    weight: float = 1.0
    rate: float = 1.0
    head: float = 1.0
    epochs: int = 1
    init: str = "pretrained"


ROWS: tuple[tuple[str, str, Setting], ...] = (
    ("vanilla", "as tuned", Setting()),
    ("vanilla", "twice the epochs", Setting(epochs=2)),
    ("efficient", "as tuned: λ = 1, then 0 in the last epoch", Setting()),
    ("efficient", "λ = 1 throughout: no gold tag", Setting("constant", 1.0)),
    ("efficient", "λ = 0.9 throughout", Setting("constant", 0.9)),
    ("efficient", "λ = 0.5 throughout", Setting("constant", 0.5)),
    ("efficient", "λ = 0.1 throughout", Setting("constant", 0.1)),
    ("efficient", "λ falls linearly from 1 to 0", Setting("linear")),
    ("efficient", "twice the epochs", Setting(epochs=2)),
    ("efficient", "four times the learning rate", Setting(rate=4.0)),
    ("efficient", "four times the head's learning rate", Setting(head=4.0)),
    ("efficient", "from the teacher's layers", Setting(init="teacher")),
)


def main(
    task: Annotated[str, typer.Argument(help="A name under `corpora`, as conll2000 or conll2003.")],
    device: Annotated[str, typer.Option(help="Ends the name of the file in results/.")],
    layers: Annotated[int, typer.Option(help="Of the students.")] = 2,
) -> None:
    """Train a student a row and write results/TASK-ablation-DEVICE.json after each."""
    cells = best_cells(read_result(path_of(task, device, layers))["cells"])
    student = load_params(PARAMS).student
    facts = {"task": task, "device": device_name(accelerator(student.precision).device)}
    rows: list[dict[str, Any]] = []
    for method, change, setting in ROWS:
        turned = settings(method, setting, cells[method], student.head_learning_rate)
        run(
            [f"task={task}", f"seeds=[{SEED}]", f"student.layers={layers}", *turned],
            [f"distill@{method}-{SEED}"],
        )
        rows.append(
            {
                "method": method,
                "change": change,
                "setting": asdict(setting),
                "development_f1": development_f1(Path("data/students", method, str(SEED))),
            }
        )
        result = facts | {"rows": rows, "run": provenance(load_params(PARAMS))}
        write_json(RESULTS / f"{task}-ablation-{device}.json", result)
    show(task, rows)


def settings(method: str, setting: Setting, cell: tuple[float, int], head: float) -> Iterable[str]:
    """KEY=VALUE of params.yaml for one row.

    Args:
        method: the student's.
        setting: the row's.
        cell: the method's learning rate and epochs, as tuned.
        head: the head's learning rate, as tuned.
    """
    rate, epochs = cell
    yield f"student.init={setting.init}"
    yield f"student.head_learning_rate={head * setting.head:g}"
    yield f"distill.{method}.learning_rate={rate * setting.rate:g}"
    yield f"distill.{method}.epochs={epochs * setting.epochs}"
    if method != "vanilla":
        yield f"distill.{method}.schedule={setting.schedule}"
        yield f"distill.{method}.weight={setting.weight:g}"


def show(task: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Print a row per student."""
    table = Table("", "", "F1 on development", title=task)
    for row in rows:
        table.add_row(row["method"], row["change"], f"{row['development_f1']:.2f}")
    Console().print(table)


if __name__ == "__main__":
    command.run(main)
