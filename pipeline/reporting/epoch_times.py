"""Reads what the stage `time_epochs` left, which carries no seal: a metric that people look at."""

from pathlib import Path
from typing import Any

from pipeline.reporting.outcomes import read_json, require_numbers, require_text
from pipeline.reporting.tables import BLOCKS, PHASES

_TARGET = "time_epochs"
_SHAPE = ("teacher_layers", "student_layers", "hidden_size")


def read_epoch_times(path: Path) -> dict[str, Any]:
    """Read `timing.json`: device, batches, the models' shape, phases by block and method, and of the floor.

    Raises:
        UserError: the file is missing, is no JSON, or something of it is missing or of another kind.
    """
    times = read_json(path, target=_TARGET, numbers=("batches", "epoch_batches"))
    require_text(times, "device", path, _TARGET)
    require_numbers(times.get("shape"), _SHAPE, path, _TARGET, where="shape")
    runs: dict[str, tuple[Any, tuple[str, ...]]] = {"floor": (times.get("floor"), PHASES[1:])}  # no teacher
    for block in BLOCKS:
        methods = times.get(block)
        require_numbers(methods, (), path, _TARGET, where=block)
        runs |= {f"{block}.{method}": (phases, PHASES) for method, phases in times[block].items()}
    for where, (phases, names) in runs.items():
        require_numbers(phases, names, path, _TARGET, where=where)
    require_numbers(times["floor"], ("total",), path, _TARGET, where="floor", above=0.0)
    return times
