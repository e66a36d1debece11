"""The reading order of docs/architecture.md: no module imports from a package behind its own."""

from itertools import chain
from pathlib import Path

import pytest

from tests.helpers.import_graph import import_graph

ROOT = Path(__file__).parents[2]
FIRST = ("errors", "settings", "processes", "device", "progress", "fingerprint")
ORDER = (
    "chain", "distillation", "storage", "fetching", "corpora", "encoding", "model", "scores", "evaluation",
    "training", "timing", "reporting", "inference", "exporting", "params_complaint", "params",
)  # fmt: skip
KNOWN = {
    "distillation": {"chain"},  # beside the ground
    "chain": set(),
}


def package_of(module: str) -> str:
    """`pipeline.chain.engine` is in `chain`, `pipeline.errors` is `errors`; `pipeline` itself is in none."""
    return module.split(".")[1] if "." in module else ""


@pytest.fixture(scope="module")
def graph() -> dict[str, set[str]]:
    """Each module of `pipeline` and `stages` with those that it imports."""
    return import_graph(ROOT)


@pytest.fixture(scope="module")
def packages(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    """Each module of `pipeline` with the packages that it imports beside its own."""
    return {
        name: {package_of(other) for other in others if other.startswith("pipeline.")}
        - {package_of(name), ""}
        for name, others in graph.items()
        if name.startswith("pipeline.")
    }


def test_every_package_has_its_place(packages: dict[str, set[str]]) -> None:
    assert {package_of(name) for name in packages} == {*FIRST, *ORDER}


def test_no_import_runs_upward(packages: dict[str, set[str]]) -> None:
    order = [*FIRST, *ORDER]
    upward = {
        name: behind
        for name, others in packages.items()
        if (behind := set(order[order.index(package_of(name)) + 1 :]) & others)
    }
    assert upward == {}


@pytest.mark.parametrize(("package", "allowed"), KNOWN.items())
def test_what_the_first_packages_know(packages: dict[str, set[str]], package: str, allowed: set[str]) -> None:
    known = [others for name, others in packages.items() if package_of(name) == package]
    assert known
    assert set(chain.from_iterable(known)) <= allowed | {*FIRST}


def test_the_library_takes_settings_and_no_params(graph: dict[str, set[str]]) -> None:
    importers = {name for name, others in graph.items() if "pipeline.params" in others - {name}}
    assert importers
    assert not [name for name in importers if name.startswith("pipeline.")]


def test_the_library_knows_no_stage(graph: dict[str, set[str]]) -> None:
    library = {name: others for name, others in graph.items() if name.startswith("pipeline.")}
    assert library
    assert not [name for name, others in library.items() if any(one.startswith("stages") for one in others)]
