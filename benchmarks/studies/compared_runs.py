"""Students of several kinds side by side, each method at its best cell of the search."""

from collections.abc import Mapping, Sequence

from benchmarks.studies.experiment import RESULTS, compare, encoder_settings, finish, label, show
from benchmarks.studies.grid import best_settings
from pipeline.storage.text_file import write_json

Kind = tuple[Sequence[str], Mapping[str, str]]
"""The methods of a kind, and KEY: VALUE of params.yaml."""


def compare_runs(
    study: str,
    kinds: Mapping[str, Kind],
    *,
    task: str,
    device: str,
    layers: int,
    seeds: Sequence[int],
    encoder: str | None,
) -> None:
    """Run the students of each kind and write results/TASK-STUDY-DEVICE.json after each.

    Raises:
        UserError, SystemExit: see experiment.run.
    """
    device = label(device, encoder)
    chosen = best_settings(task, device, layers)
    shared = [f"task={task}", f"student.layers={layers}", *encoder_settings(encoder), *chosen]
    runs = {}
    for kind, (methods, changed) in kinds.items():
        runs[kind] = finish([*shared, *(f"{key}={value}" for key, value in changed.items())], methods, seeds)
        result = compare(task, runs)
        write_json(RESULTS / f"{task}-{study}-{device}.json", result)
        show(result)
