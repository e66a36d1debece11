"""Methods with one setting changed at a time: does a result come from the method or from its settings?

Each row is one student, of the seed and from its method's best cell that `benchmarks.studies.grid` has.
It is judged on development. The change that helped there (`CONFIRMED`) is then run with three seeds, for the
methods that have such a row, and evaluated on test. Runs go through DVC's cache, so a stopped one continues.
Run it from the root of a checkout of its own, since `dvc exp run` changes `params.yaml` there:

    CORPUS_MIRROR=DIR python -m benchmarks.studies.ablation conll2003 --device cpu
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.pages.provenance import provenance
from benchmarks.studies.experiment import (
    PARAMS,
    RESULTS,
    Device,
    EncoderName,
    Layers,
    Put,
    Task,
    as_values,
    committed_params,
    compare,
    finish,
    name_ending,
    run_pipeline,
    shared_settings,
    show,
)
from benchmarks.studies.grid import SEED, best_cells, development_f1, path_of, searched_cells
from pipeline.device import accelerator, device_name
from pipeline.params import load_params
from pipeline.storage.text_file import write_json
from stages import command


@dataclass(frozen=True)
class Setting:
    """One row's settings; None if the method does not have the setting.

    `rate` and `head` are multiples of the tuned learning rates, `epochs` of the tuned epochs.
    """

    schedule: str | None = None
    weight: float = 1.0
    temperature: float | None = None
    rate: float = 1.0
    head: float = 1.0
    epochs: int = 1
    init: str = "pretrained"


EFFICIENT = Setting("last_epoch")
STRUCTURAL = Setting("linear", temperature=1.0)
ROWS: tuple[tuple[str, str, Setting], ...] = (
    ("vanilla", "as tuned", Setting()),
    ("vanilla", "twice the epochs", Setting(epochs=2)),
    ("structural", "as tuned: temperature 1", STRUCTURAL),
    ("structural", "temperature 2", replace(STRUCTURAL, temperature=2.0)),
    ("structural", "temperature 4", replace(STRUCTURAL, temperature=4.0)),
    ("efficient", "as tuned: λ = 1, then 0 in the last epoch", EFFICIENT),
    ("efficient", "λ = 1 throughout: no gold tag", replace(EFFICIENT, schedule="constant")),
    ("efficient", "λ falls linearly from 1 to 0", replace(EFFICIENT, schedule="linear")),
    ("efficient", "twice the epochs", replace(EFFICIENT, epochs=2)),
    ("efficient", "four times the learning rate", replace(EFFICIENT, rate=4.0)),
    ("efficient", "four times the head's learning rate", replace(EFFICIENT, head=4.0)),
    ("efficient", "from the teacher's layers", replace(EFFICIENT, init="teacher")),
)
CONFIRMED, SEEDS = "twice the epochs", (1, 2, 3)


def main(
    task: Task,
    device: Device,
    layers: Layers = 2,
    encoder: EncoderName = None,
    put: Put = [],
) -> None:
    """Train a student a row and write results/TASK-ablation-DEVICE.json after each."""
    cells = best_cells(searched_cells(path_of(task, name_ending(device, encoder), layers)))
    student = committed_params().student
    head = float(as_values(put).get("student.head_learning_rate", student.head_learning_rate))
    facts = {"task": task, "device": device_name(accelerator(student.precision).device)}
    rows: list[dict[str, Any]] = []
    path = RESULTS / f"{task}-ablation-{name_ending(device, encoder)}.json"
    base = [*shared_settings(task, encoder, put), f"student.layers={layers}"]
    for method, change, setting in ROWS:
        changed = settings(method, setting, cells[method], head)
        run_pipeline(
            [*base, f"seeds=[{SEED}]", *changed],
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
        write_json(path, result)
    show_rows(task, rows)

    confirmed = {method: setting for method, change, setting in ROWS if change == CONFIRMED}
    changed = [*base]
    for method, setting in confirmed.items():
        changed += settings(method, setting, cells[method], head)
    found = compare(task, {CONFIRMED: finish(changed, list(confirmed), SEEDS)})
    write_json(path, result | {"confirmed": CONFIRMED} | found)
    show(found)


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
    if setting.schedule is not None:
        yield f"distill.{method}.schedule={setting.schedule}"
        yield f"distill.{method}.weight={setting.weight:g}"
    if setting.temperature is not None:
        yield f"distill.{method}.temperature={setting.temperature:g}"


def show_rows(task: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Print a row per student."""
    table = Table("", "", "F1 on development", title=task)
    for row in rows:
        table.add_row(row["method"], row["change"], f"{row['development_f1']:.2f}")
    Console().print(table)


if __name__ == "__main__":
    command.run(main)
