"""Reads `reports/timing.json` of the stage `time_epochs`. It has no seal, so every part is checked."""

from pathlib import Path
from typing import Any

from pipeline.reporting.stage_outputs import read_output, require_numbers, require_text
from pipeline.reporting.tables import BLOCKS, PHASES

_TARGET = "time_epochs"
_SPREAD = ("min", "max")
_SHAPE = ("teacher_layers", "student_layers", "hidden_size")


def read_epoch_times(path: Path) -> dict[str, Any]:
    """Read `timing.json`: corpus, device, batches, shape of the models, phases and their spread by method.

    Where no batch was timed, as there are no labelled sentences, it is empty.

    Raises:
        UserError: the file is missing, is no JSON, or something of it is missing or of another kind.
    """
    times = read_output(path, target=_TARGET, numbers=("batches", "epoch_batches"))
    if times["batches"] == 0:
        return {}
    for name in ("task", "device"):
        require_text(times, name, path, _TARGET)
    require_numbers(times.get("shape"), _SHAPE, path, _TARGET, where="shape")
    require_numbers(times.get("spread"), (), path, _TARGET, where="spread")
    spread = times["spread"]
    runs: dict[str, tuple[Any, tuple[str, ...]]] = {
        "lower_bound": (times.get("lower_bound"), PHASES[1:]),  # no teacher
        "spread.lower_bound": (spread.get("lower_bound"), _SPREAD),
    }
    for block in BLOCKS:
        require_numbers(times.get(block), (), path, _TARGET, where=block)
        require_numbers(spread.get(block), (), path, _TARGET, where=f"spread.{block}")
        for method, phases in times[block].items():
            runs[f"{block}.{method}"] = phases, PHASES
            runs[f"spread.{block}.{method}"] = spread[block].get(method), _SPREAD
    for where, (phases, names) in runs.items():
        require_numbers(phases, names, path, _TARGET, where=where)
    require_numbers(times["lower_bound"], ("total",), path, _TARGET, where="lower_bound", above=0.0)
    return times
