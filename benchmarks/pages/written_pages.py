"""The pages of which `python -m benchmarks.results` writes a part, and what it writes there."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.pages.benchmark_tables import (
    chain_section,
    confidence_section,
    latency_section,
    live_metrics_section,
    store_section,
    training_step_section,
)
from benchmarks.pages.corpus_page import corpus_page
from benchmarks.pages.peers_table import peers_section
from benchmarks.pages.recipe_tables import recipe_section
from benchmarks.pages.recorded_runs import read_result, recorded_runs
from benchmarks.pages.run_tables import claims_table, f1_table, times_table
from benchmarks.pages.study_tables import (
    ablation_section,
    any_teacher_section,
    augmentation_section,
    confirmed_section,
    equal_steps_section,
    heads_section,
    initial_layers_section,
    mechanisms_section,
    unlabelled_section,
    variants_section,
)

CORPORA = ("conll2000", "conll2003", "newsdesk")
"""The corpora of this project's own pages. Runs on another corpus are recorded, and no page shows them."""

Section = Callable[[Mapping[str, Any]], str]
_STUDIES: dict[str, Section] = {
    "unlabelled": unlabelled_section,
    "equal-steps": equal_steps_section,
    "variants": variants_section,
    "mechanisms": mechanisms_section,
    "confirmed": confirmed_section,
    "augmentation": augmentation_section,
    "any-teacher": any_teacher_section,
    "heads": heads_section,
    "ablation": ablation_section,
    "initial-layers": initial_layers_section,
    "confidence": confidence_section,
}
_BENCHMARKS: dict[str, Section] = {
    "chain": chain_section,
    "store": store_section,
    "training_step": training_step_section,
    "live_metrics": live_metrics_section,
}


def written_pages(results: Path) -> dict[Path, str]:
    """The written part of every page, by the page's path; "" where there are no results for it.

    Args:
        results: the folder of recorded runs, studies (TASK-KIND-….json) and benchmarks (NAME.json).

    Raises:
        UserError: a results file is not readable.
    """
    runs = {task: recorded_runs(results, task) for task in CORPORA}
    every = [run for found in runs.values() for run in found]
    exports = [latency_section(read_result(path)) for path in results.glob("latency.json")]
    peers = [results / f"peers-{task}.json" for task in CORPORA]
    taggers = [peers_section(read_result(path)) for path in peers if path.exists()]
    claims, times = claims_table(every, ""), times_table(every, "")
    return {
        Path("README.md"): _joined([f1_table(every, "docs/"), *exports]),
        Path("docs/results.md"): _joined(
            [
                *(["## The paper's claims", claims] if claims else []),
                *(["## Time of an epoch", times] if times else []),
            ]
        ),
        **{Path(f"docs/results-{task}.md"): corpus_page(runs[task], "../results") for task in CORPORA},
        Path("docs/recipe.md"): _joined(
            recipe_section(map(read_result, results.glob(f"{task}-recipe-*.json"))) for task in CORPORA
        ),
        Path("docs/results-studies.md"): _joined(
            write(read_result(path))
            for kind, write in _STUDIES.items()
            for task in CORPORA
            for path in sorted(results.glob(f"{task}-{kind}-*.json"))
        ),
        Path("docs/benchmarks.md"): _joined(
            [
                *(
                    write(read_result(path))
                    for name, write in _BENCHMARKS.items()
                    for path in results.glob(f"{name}.json")
                ),
                *(["## Beside other taggers", *taggers] if taggers else []),
            ]
        ),
    }


def _joined(parts: Iterable[str]) -> str:
    return "\n\n".join(part for part in parts if part)
