import json
import re
from pathlib import Path
from typing import Any

import pytest

from benchmarks.pages.claims import CLAIMS, FAILED, HELD, OPEN, Claim, verdict
from benchmarks.pages.page_section import with_marked
from benchmarks.pages.readme_tables import overview
from benchmarks.pages.recorded_runs import pictures
from benchmarks.pages.results_page import details
from pipeline.errors import UserError
from tests.helpers.kept_runs import kept_runs_in

ROOT = Path(__file__).parents[3]


def figures(mean: float, differs: bool | None = None, seeds: int = 3) -> dict[str, Any]:
    f1 = {"mean": mean, "std": 0.25 if seeds > 1 else None, "seeds": {str(n): mean for n in range(seeds)}}
    compared = {
        f"{key}_{rival}": value
        for rival in ("vanilla", "best_baseline")
        for key, value in {"differs_from": differs, "p_value_vs": 0.0123}.items()
    }
    return {"f1": f1, **compared}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """The kept runs, `toy-cpu` with three seeds and all verdicts."""
    results = kept_runs_in(tmp_path)
    path = results / "toy-cpu" / "summary.json"
    methods = {
        "vanilla": figures(90.0),
        "kbest": figures(91.0, True),
        "structural": figures(90.5, False),
        "efficient": figures(88.0, True),
    }
    changed = {"teacher": {"f1": 95.0}, "best_baseline": "kbest", "methods": methods}
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))
    return results


def row(text: str, heading: str, name: str) -> list[str]:
    """The cells of a run's row in the table under a heading, without its name."""
    (line,) = re.findall(rf"^\| \[{name}\].*$", text.split(f"### {heading}")[1].split("###")[0], re.MULTILINE)
    return [cell.strip() for cell in line.strip("| ").split(" | ")][1:]


def test_scores_are_marked_against_vanilla(results: Path) -> None:
    text = overview(results, "docs/results.md")
    assert row(text, "Scores", "toy-cpu") == [
        "2", "3", "95.00", "90.00 ± 0.25", "91.00 ± 0.25 ▲", "90.50 ± 0.25", "88.00 ± 0.25 ▼",
    ]  # fmt: skip


def test_claims_are_judged_by_sign_and_noise(results: Path) -> None:
    text = overview(results, "docs/results.md")
    assert row(text, "The paper's claims", "toy-cpu") == [
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


def test_times_are_ratios_within_a_run(results: Path) -> None:
    # of sample_results.TIMING: 45 of 100 s as published, floor 25, 25 here, structural 28 and vanilla 26 here
    for name in ("toy-cpu", "other-gpu"):
        found = row(overview(results, "x"), "Time of an epoch", name)
        assert found == ["6 → 2", "384", "0.45", "1.00", "1.12", "0.25", "0.25"]


def test_exports_are_shown(results: Path) -> None:
    figures = {"model": "student", "threads": 3, "megabytes": 1.23, "latency_ms": 4.56}
    figures |= {"sentences_per_second": 78.9, "times_teacher": 5.678, "f1": 91.234}
    result = {"commit": "abc", "device": "a machine", "sentences": 55, "rows": [figures]}
    (results / "latency.json").write_text(json.dumps(result))
    assert "| student | 3 | 1.2 | 4.6 | 79 | 5.68 | 91.23 |" in overview(results, "x")
    (results / "latency.json").write_text("{")
    with pytest.raises(UserError, match=r"latency\.json: no JSON"):
        overview(results, "x")


def test_without_results_nothing_is_shown(tmp_path: Path) -> None:
    assert overview(tmp_path / "results", "x") == details(tmp_path / "results", "x") == ""


def test_the_pages_and_pictures_are_what_the_results_say() -> None:
    bodies = {
        Path("README.md"): overview(ROOT / "results", "docs/results.md"),
        Path("docs/results.md"): details(ROOT / "results", "../results"),
    }
    for page, body in bodies.items():
        text = (ROOT / page).read_text(encoding="utf-8")
        assert with_marked(text, body, page) == text
    headings = set(re.findall(r"^### (.*)$", bodies[Path("docs/results.md")], re.MULTILINE))
    assert set(re.findall(r"\(docs/results\.md#(.*?)\)", bodies[Path("README.md")])) <= headings
    for path, drawn in pictures(ROOT / "results").items():
        assert path.read_text(encoding="utf-8") == drawn
