"""The reading order of docs/architecture.md: no module imports from a package behind its own."""

from itertools import chain
from pathlib import Path

import pytest

from pipeline.fingerprint import import_graph

ROOT = Path(__file__).parents[2]
GROUND = ("errors", "settings", "processes", "device", "progress", "fingerprint")
ORDER = (
    "chain", "distillation", "storage", "fetching", "corpora", "encoding", "model", "scores", "evaluation",
    "training", "timing", "reporting", "inference", "exporting", "params",
)  # fmt: skip
GRAPH = import_graph(ROOT)
KNOWN = {
    "distillation": {"chain"},  # beside the ground
    "chain": set(),
}


def room(module: str) -> str:
    """`pipeline.chain.engine` is in `chain`, `pipeline.errors` is `errors`; `pipeline` itself is in none."""
    return module.split(".")[1] if "." in module else ""


def imported(name: str) -> set[str]:
    """The rooms of `pipeline` that a module knows beside its own."""
    rooms = {room(other) for other in GRAPH[name] if other.startswith("pipeline.")}
    return rooms - {room(name), ""}


LIBRARY = sorted(name for name in GRAPH if name.startswith("pipeline."))


def test_every_room_has_its_place() -> None:
    assert {room(name) for name in LIBRARY} == {*GROUND, *ORDER}


@pytest.mark.parametrize("name", LIBRARY)
def test_no_import_runs_upward(name: str) -> None:
    order = [*GROUND, *ORDER]
    place = order.index(room(name))
    upward = [other for other in imported(name) if order.index(other) > place]
    assert not upward, f"{name} imports {', '.join(upward)}, which stand behind {room(name)}"


@pytest.mark.parametrize(("package", "allowed"), KNOWN.items())
def test_what_the_first_packages_know(package: str, allowed: set[str]) -> None:
    modules = [name for name in LIBRARY if room(name) == package]
    assert modules
    assert set(chain.from_iterable(map(imported, modules))) <= allowed | {*GROUND}


def test_the_library_takes_settings_and_no_params() -> None:
    importers = {name for name in GRAPH if "pipeline.params" in GRAPH[name] - {name}}
    assert importers
    assert not [name for name in importers if name.startswith("pipeline.")]


def test_the_library_knows_no_stage() -> None:
    assert not [name for name in LIBRARY if any(other.startswith("stages") for other in GRAPH[name])]
