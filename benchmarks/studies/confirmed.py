"""The way to learn more from a teacher that a search found best on development, again with several seeds.

The search is `benchmarks.studies.mechanisms` or `benchmarks.studies.augmentation`. The choice, the students'
size and the length of their training come from its results.
Runs go through DVC's cache, so that a stopped one goes on. Run it from the root of a checkout of its own,
since `dvc exp run` changes `params.yaml` there:

    CORPUS_MIRROR=DIR python -m benchmarks.studies.confirmed conll2000 --device cpu
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

import typer

from benchmarks.pages.recorded_runs import read_result
from benchmarks.studies.augmentation import searched_kinds
from benchmarks.studies.compared_runs import Kind, chosen_kinds, compare_runs
from benchmarks.studies.experiment import RESULTS, Device, EncoderName, Put, Seeds, Task, name_ending
from benchmarks.studies.mechanisms import kinds, shared_by_kinds
from benchmarks.studies.parts import text_of
from pipeline.errors import UserError
from stages import command

METHOD = "structural"
STARTS = ("as given", "from the teacher")  # the kinds that the best other one is compared with


def best_kind(search: Mapping[str, Any], names: Iterable[str]) -> str:
    """The kind among `names` whose students by `structural` have the highest F1 on development.

    Args:
        search: what the search wrote.
        names: of kinds; those that the search has not run are left out.

    Raises:
        UserError: it has run none of them.
    """
    f1 = search["development_f1"]
    found = {name: f1[f"{METHOD} {name}"] for name in names if f"{METHOD} {name}" in f1}
    if not found:
        raise UserError(
            f"the search has no student by {METHOD} besides {STARTS[0]!r} and {STARTS[1]!r}; "
            "let the search finish"
        )
    return max(found, key=found.__getitem__)


def confirmed_kinds(search: Mapping[str, Any], searched: Mapping[str, Kind]) -> dict[str, Kind]:
    """The best of the kinds that were `searched`, between the two starts that it is compared with."""
    best = best_kind(search, (name for name in searched if name not in STARTS))
    given, from_teacher = STARTS
    return chosen_kinds(searched, [f"{given}: vanilla", f"{best}: {METHOD}", from_teacher])


def main(
    task: Task,
    device: Device,
    seeds: Seeds = [1, 2, 3, 4, 5],
    search: Annotated[
        Literal["mechanisms", "augmentation"], typer.Option(help="The study that searched.")
    ] = ("mechanisms"),
    encoder: EncoderName = None,
    put: Put = [],
) -> None:
    """Run the students and write results/TASK-confirmed-SEARCH-DEVICE.json after each kind."""
    device = name_ending(device, encoder)
    path = RESULTS / f"{task}-{search}-{device}.json"
    found = read_result(path)
    if STARTS[0] not in found["runs"]:
        raise UserError(
            f"{path}: has no students {STARTS[0]!r}, whose size and epochs are taken; run them too"
        )
    text = text_of(task)
    names = kinds(text) if search == "mechanisms" else searched_kinds(found, text)
    chosen = confirmed_kinds(found, names)
    student = found["runs"][STARTS[0]]["parameters"]["student"]
    shared = shared_by_kinds(task, encoder, put, layers=student["layers"], epochs=student["epochs"])
    compare_runs(f"confirmed-{search}", chosen, shared, task=task, device=device, seeds=seeds)


if __name__ == "__main__":
    command.run(main)
