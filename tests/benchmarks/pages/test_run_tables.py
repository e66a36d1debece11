import json
import re
from pathlib import Path
from typing import Any

import pytest

from benchmarks.pages.claims import CLAIMS, FAILED, HELD, OPEN, Claim, verdict
from benchmarks.pages.recorded_runs import RecordedRun, recorded_runs
from benchmarks.pages.run_tables import claims_table, f1_table, times_table
from tests.helpers.recorded_runs import recorded_in


def figures(mean: float, differs: bool | None = None, seeds: int = 3) -> dict[str, Any]:
    f1 = {"mean": mean, "std": 0.25 if seeds > 1 else None, "seeds": {str(n): mean for n in range(seeds)}}
    compared = {
        f"{key}_{other}": value
        for other in ("vanilla", "best_baseline")
        for key, value in {"differs_from": differs, "p_value_vs": 0.0123}.items()
    }
    return {"f1": f1, **compared}


@pytest.fixture
def runs(tmp_path: Path) -> list[RecordedRun]:
    """Two runs, `toy-cpu` with three seeds and all verdicts."""
    results = recorded_in(tmp_path)
    path = results / "toy-cpu" / "summary.json"
    methods = {
        "vanilla": figures(90.0),
        "kbest": figures(91.0, True),
        "structural": figures(90.5, False),
        "efficient": figures(88.0, True),
    }
    changed = {"teacher": {"f1": 95.0}, "best_baseline": "kbest", "methods": methods}
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))
    return recorded_runs(results)


def row(text: str, name: str) -> list[str]:
    """The cells of a run's row, without its name."""
    (line,) = re.findall(rf"^\| \[{name}\].*$", text, re.MULTILINE)
    return [cell.strip() for cell in line.strip("| ").split(" | ")][1:]


def test_scores_are_marked_against_vanilla(runs: list[RecordedRun]) -> None:
    text = f1_table(runs, "docs/")
    assert row(text, "toy-cpu") == [
        "2", "3", "95.00", "90.00 ± 0.25", "91.00 ± 0.25 ▲", "90.50 ± 0.25", "88.00 ± 0.25 ▼",
    ]  # fmt: skip
    assert "[toy-cpu](docs/results-toy.md#toy-cpu)" in text
    assert "other-gpu" not in text
    assert "and, with several seeds, spread over them" in text


def test_claims_are_judged_by_sign_and_significance(runs: list[RecordedRun]) -> None:
    assert row(claims_table(runs, ""), "toy-cpu") == [
        f"{HELD}: +1.00 (p = 0.0123)",
        f"{OPEN}: +0.50 (p = 0.0123)",
        f"{FAILED}: -2.00 (p = 0.0123)",
        f"{FAILED}: -3.00 (p = 0.0123)",
    ]


def test_one_seed_judges_no_claim() -> None:
    methods = {"vanilla": figures(90.0, seeds=1), "kbest": figures(91.0, True, seeds=1)}
    summary = {"best_baseline": "kbest", "methods": methods}
    assert [verdict(claim, summary) for claim in CLAIMS] == [None] * len(CLAIMS)
    assert verdict(Claim("kbest", "best_baseline"), summary) is None


def test_times_are_ratios_within_a_run(runs: list[RecordedRun]) -> None:
    # sample_results.TIMING: 45 of 100 s as published, lower bound 25; here 25, structural 28, vanilla 26
    for name in ("toy-cpu", "other-gpu"):
        found = row(times_table(runs, ""), name)
        assert found == ["6 → 2", "384", "0.45", "1.00", "1.12", "0.25", "0.25"]


def test_without_runs_there_is_no_table() -> None:
    assert f1_table([], "") == claims_table([], "") == times_table([], "") == ""
