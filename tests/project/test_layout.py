"""The reading order of docs/architecture.md: no module imports from a package behind its own."""

from itertools import chain
from pathlib import Path

import pytest

from pipeline.fingerprint import import_graph

ROOT = Path(__file__).parents[2]
FIRST = ("errors", "settings", "processes", "device", "progress", "fingerprint")
ORDER = (
    "chain", "distillation", "storage", "fetching", "corpora", "encoding", "model", "scores", "evaluation",
    "training", "timing", "reporting", "inference", "exporting", "params",
)  # fmt: skip
GRAPH = import_graph(ROOT)
KNOWN = {
    "distillation": {"chain"},  # beside the ground
    "chain": set(),
}


def package_of(module: str) -> str:
    """`pipeline.chain.engine` is in `chain`, `pipeline.errors` is `errors`; `pipeline` itself is in none."""
    return module.split(".")[1] if "." in module else ""


def imported(name: str) -> set[str]:
    """The packages of `pipeline` that a module imports beside its own."""
    packages = {package_of(other) for other in GRAPH[name] if other.startswith("pipeline.")}
    return packages - {package_of(name), ""}


LIBRARY = sorted(name for name in GRAPH if name.startswith("pipeline."))


def test_every_package_has_its_place() -> None:
    assert {package_of(name) for name in LIBRARY} == {*FIRST, *ORDER}


@pytest.mark.parametrize("name", LIBRARY)
def test_no_import_runs_upward(name: str) -> None:
    order = [*FIRST, *ORDER]
    place = order.index(package_of(name))
    upward = [other for other in imported(name) if order.index(other) > place]
    assert not upward, f"{name} imports {', '.join(upward)}, which stand behind {package_of(name)}"


@pytest.mark.parametrize(("package", "allowed"), KNOWN.items())
def test_what_the_first_packages_know(package: str, allowed: set[str]) -> None:
    modules = [name for name in LIBRARY if package_of(name) == package]
    assert modules
    assert set(chain.from_iterable(map(imported, modules))) <= allowed | {*FIRST}


def test_the_library_takes_settings_and_no_params() -> None:
    importers = {name for name in GRAPH if "pipeline.params" in GRAPH[name] - {name}}
    assert importers
    assert not [name for name in importers if name.startswith("pipeline.")]


def test_the_library_knows_no_stage() -> None:
    assert not [name for name in LIBRARY if any(other.startswith("stages") for other in GRAPH[name])]
