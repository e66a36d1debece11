"""What the README shows of `results/`: a row for every kept run, the paper's claims, ratios of time."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.pages.benchmark_tables import latency_section
from benchmarks.pages.claims import CLAIMS, verdict
from benchmarks.pages.recorded_runs import Kept, kept_runs, read_result
from pipeline.distillation.roles import EXACT, PAPER, UNDISTILLED
from pipeline.reporting.summary import LEVEL
from pipeline.reporting.tables import NONE, optional, spread, table


def overview(results: Path, details: str) -> str:
    """Tables in Markdown; "" without results.

    Args:
        results: the folder of kept runs.
        details: address of the page that has every figure, one heading for each run.

    Raises:
        UserError: a results file is not readable.
    """
    runs = kept_runs(results)
    parts = [
        _scores([(run, run.summary) for run in runs if run.summary is not None], details),
        _claims(runs, details),
        _times([(run, run.timing) for run in runs if run.timing is not None], details),
        *(latency_section(read_result(path)) for path in results.glob("latency.json")),
    ]
    return "\n\n".join(part for part in parts if part)


def _scores(runs: Sequence[tuple[Kept, Mapping[str, Any]]], details: str) -> str:
    if not runs:
        return ""
    methods = list(dict.fromkeys(method for _, summary in runs for method in summary["methods"]))
    rows = []
    for run, summary in runs:
        seeds = max(len(figures["f1"]["seeds"]) for figures in summary["methods"].values())
        cells = [_f1(method, summary["methods"]) for method in methods]
        rows.append(
            [
                _link(run, details),
                str(run.student_layers),
                str(seeds),
                f"{summary['teacher']['f1']:.2f}",
                *cells,
            ]
        )
    header = ["run", "student's layers", "seeds", "teacher", *(f"`{method}`" for method in methods)]
    note = (
        "Span F1 on the test split, mean ± standard deviation over seeds. ▲ and ▼: above and below `vanilla` "
        "beyond the noise; with one seed that covers the choice of test sentences only."
    )
    return "\n\n".join(["### Scores", table(header, rows), note])


def _claims(runs: Iterable[Kept], details: str) -> str:
    rows = []
    for run in runs:
        verdicts = [verdict(claim, run.summary) for claim in CLAIMS] if run.summary is not None else []
        if any(verdicts):
            rows.append([_link(run, details), *(found or NONE for found in verdicts)])
    if not rows:
        return ""
    header = ["run", *(claim.text for claim in CLAIMS)]
    note = (
        "Difference of mean F1, and p of a two-sided paired bootstrap over test sentences. A claim held, or "
        f"its opposite did, only where p < {LEVEL} and the difference exceeds twice its standard error over "
        "seeds."
    )
    return "\n\n".join(["### The paper's claims", table(header, rows), note])


def _times(runs: Sequence[tuple[Kept, Mapping[str, Any]]], details: str) -> str:
    if not runs:
        return ""
    header = [
        "run", "layers", "width", f"`{PAPER}` / `{EXACT}`, both as published (paper: 0.41)",
        f"`{PAPER}` / floor", "slowest other / floor", f"`{PAPER}` here / `{EXACT}` as published",
        f"floor / `{EXACT}` as published",
    ]  # fmt: skip
    rows = [[_link(run, details), *_ratios(timing)] for run, timing in runs]
    note = (
        "Time of a training epoch, as ratios within one run on one device. The floor is the student's "
        "encoder with a trivial loss, which no method can be faster than; *as published* runs the teacher "
        "in every step, recursions in log space."
    )
    return "\n\n".join(["### Time of an epoch", table(header, rows), note])


def _ratios(timing: Mapping[str, Any]) -> list[str]:
    published, pipeline, floor = timing["published"], timing["pipeline"], timing["floor"]["total"]
    others = [phases["total"] for method, phases in pipeline.items() if method != PAPER]
    ours = pipeline.get(PAPER, {}).get("total")
    structural = published.get(EXACT, {}).get("total")
    shape = timing["shape"]
    return [
        f"{shape['teacher_layers']} → {shape['student_layers']}",
        str(shape["hidden_size"]),
        _ratio(published.get(PAPER, {}).get("total"), structural),
        _ratio(ours, floor),
        _ratio(max(others, default=None), floor),
        _ratio(ours, structural),
        _ratio(floor, structural),
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
    return f"{spread(f1)}{mark}"


def _link(run: Kept, details: str) -> str:
    return f"[{run.name}]({details}#{run.name})"
