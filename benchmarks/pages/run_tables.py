"""Tables with a row for every recorded run: scores, the paper's claims, times of an epoch as ratios."""

from collections.abc import Iterable, Mapping
from typing import Any

from benchmarks.pages.claims import CLAIMS, verdict
from benchmarks.pages.recorded_runs import RecordedRun
from pipeline.distillation.roles import PAPER, STRUCTURAL, UNDISTILLED
from pipeline.reporting.summary import LEVEL
from pipeline.reporting.tables import NONE, mean_and_std, optional, table


def f1_table(runs: Iterable[RecordedRun], folder: str) -> str:
    """Mean test F1 of every method; "" without such runs.

    Args:
        runs: the rows; those without a summary are left out.
        folder: address of the pages of the single corpora, seen from the page with the table.
    """
    scored = [(run, run.summary) for run in runs if run.summary is not None]
    if not scored:
        return ""
    methods = list(dict.fromkeys(method for _, summary in scored for method in summary["methods"]))
    rows = []
    for run, summary in scored:
        seeds = max(len(figures["f1"]["seeds"]) for figures in summary["methods"].values())
        cells = [_f1(method, summary["methods"]) for method in methods]
        rows.append(
            [
                _link(run, folder),
                f"{run.student_layers}{run.beyond_the_paper}",
                str(seeds),
                f"{summary['teacher']['f1']:.2f}",
                *cells,
            ]
        )
    header = ["run", "student's layers", "seeds", "teacher", *(f"`{method}`" for method in methods)]
    note = (
        "Span F1 on the test split, mean ± standard deviation over seeds. ▲ and ▼: significantly above and "
        "below `vanilla` (paired bootstrap over test sentences and, with several seeds, spread over them)."
    )
    return "\n\n".join([table(header, rows), note])


def claims_table(runs: Iterable[RecordedRun], folder: str) -> str:
    """Whether the paper's claims hold, as difference and p-value; "" without runs of several seeds."""
    rows = []
    for run in runs:
        verdicts = [verdict(claim, run.summary) for claim in CLAIMS] if run.summary is not None else []
        if any(verdicts):
            rows.append([_link(run, folder), *(found or NONE for found in verdicts)])
    if not rows:
        return ""
    header = ["run", *(claim.text for claim in CLAIMS)]
    note = (
        "Difference of mean F1, and p of a two-sided paired bootstrap over test sentences. *Held* and *did "
        f"not hold* need p < {LEVEL} and a difference above twice its standard error over seeds; any other "
        "difference is not significant. Runs of one seed are left out."
    )
    return "\n\n".join([table(header, rows), note])


def times_table(runs: Iterable[RecordedRun], folder: str) -> str:
    """Time of a training epoch as ratios within each run; "" without times."""
    timed = [(run, run.timing) for run in runs if run.timing is not None]
    if not timed:
        return ""
    header = [
        "run", "layers", "width", "`efficient` / `structural`, both as published (paper: 0.41)",
        "`efficient` / lower bound", "slowest other / lower bound",
        "`efficient` here / `structural` as published", "lower bound / `structural` as published",
    ]  # fmt: skip
    rows = [[_link(run, folder), *_ratios(timing)] for run, timing in timed]
    note = (
        "Time of a training epoch, as ratios within one run on one device. Lower bound: one epoch of the "
        "student's encoder with a trivial loss. *As published*: the teacher runs in every step, and "
        "recursions are in log space."
    )
    return "\n\n".join([table(header, rows), note])


def _ratios(timing: Mapping[str, Any]) -> list[str]:
    published, pipeline, bound = timing["published"], timing["pipeline"], timing["lower_bound"]["total"]
    others = [phases["total"] for method, phases in pipeline.items() if method != PAPER]
    ours = pipeline.get(PAPER, {}).get("total")
    structural = published.get(STRUCTURAL, {}).get("total")
    shape = timing["shape"]
    return [
        f"{shape['teacher_layers']} → {shape['student_layers']}",
        str(shape["hidden_size"]),
        _ratio(published.get(PAPER, {}).get("total"), structural),
        _ratio(ours, bound),
        _ratio(max(others, default=None), bound),
        _ratio(ours, structural),
        _ratio(bound, structural),
    ]


def _ratio(above: float | None, below: float | None) -> str:
    return optional(None if above is None or below is None else above / below, "{:.2f}")


def _f1(method: str, methods: Mapping[str, Any]) -> str:
    if method not in methods:
        return NONE
    f1 = methods[method]["f1"]
    mark = ""
    if methods[method]["differs_from_vanilla"]:
        mark = " ▲" if f1["mean"] > methods[UNDISTILLED]["f1"]["mean"] else " ▼"
    return f"{mean_and_std(f1)}{mark}"


def _link(run: RecordedRun, folder: str) -> str:
    return f"[{run.name}]({folder}results-{run.task}.md#{run.name})"
