"""The parts of the HTML page that are more than a table of given figures: headline, pictures, types."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pipeline.distillation.roles import UNDISTILLED
from pipeline.reporting import plot_tables
from pipeline.reporting.finished_results import Results
from pipeline.reporting.pictures import draw

_LISTED = 60  # rows of a picture's table at most
_TAGS = 64  # in the picture of transitions at most: one of 201 tags has 21 MB


def headline(results: Results) -> dict[str, Any]:
    """A sentence, and tiles of name, value and note: the best student against the teacher."""
    summary, (method, _) = results.summary, results.best
    best, teacher = summary["methods"][method], summary["teacher"]
    f1, smaller = best["f1"]["mean"], teacher["megabytes"] / best["megabytes"]
    faster = best["sentences_per_second"] / teacher["sentences_per_second"]
    here = results.timing.get("pipeline", {}).get(method)
    tiles = [
        {
            "name": "best student",
            "value": method,
            "note": f"F1 {f1:.2f}" + (f" ± {best['f1']['std']:.2f}" if best["f1"]["std"] is not None else ""),
        },
        {
            "name": "teacher",
            "value": f"{teacher['f1']:.2f}",
            "note": f"F1; the student: {f1 - teacher['f1']:+.2f}",
        },
        _gap_tile(method, best, summary),
        {
            "name": "size",
            "value": f"{smaller:.2f}×",
            "note": f"smaller: {best['megabytes']:.1f} MB of {teacher['megabytes']:.1f} MB",
        },
        {
            "name": "speed",
            "value": f"{faster:.2f}×",
            "note": f"as fast: {best['sentences_per_second']:.0f} sentences/s on {summary['device']}",
        },
    ]
    if here is not None:
        tiles.append(
            {
                "name": "training",
                "value": _duration(here["total"]),
                "note": f"an epoch of the labelled sentences, without text, on {results.timing['device']}",
            }
        )
    return {"sentence": _sentence(results, smaller, faster), "tiles": tiles}


def _sentence(results: Results, smaller: float, faster: float) -> str:
    method, _ = results.best
    best = results.summary["methods"][method]
    share = best["gap_closed"]
    if len(results.summary["methods"]) == 1:
        gap = "no other method was run"
    elif UNDISTILLED not in results.summary["methods"]:
        gap = "the student without distillation, vanilla, was not run"
    elif method == UNDISTILLED:
        gap = "no method of distillation is above the student without distillation"
    elif share is None:
        gap = "there is no gap between vanilla and the teacher to compare it with"
    else:
        gap = f"it closes {share:.0%} of the gap between the student without distillation and the teacher"
        if best["differs_from_vanilla"] is False:
            gap += ", a difference that is not significant"
    return (
        f"The best student is {method} with a test F1 of {best['f1']['mean']:.2f} "
        f"(teacher: {results.summary['teacher']['f1']:.2f}); {gap}. "
        f"It is {smaller:.2f} times smaller than the teacher and {faster:.2f} times as fast."
    )


def _gap_tile(method: str, best: Mapping[str, Any], summary: Mapping[str, Any]) -> dict[str, str]:
    share = best["gap_closed"]
    note = "of the F1 between vanilla and the teacher"
    if UNDISTILLED not in summary["methods"]:
        note = "vanilla was not run"
    elif method != UNDISTILLED and best["differs_from_vanilla"] is False:
        note += "; not significant"
    return {"name": "gap closed", "value": "–" if share is None else f"{share:.0%}", "note": note}


def _duration(seconds: float) -> str:
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.3g} s"


def pictures(results: Results) -> list[dict[str, Any]]:
    """Every picture with its SVG, its caption, a text for those who do not see it, and its numbers."""
    summary, (method, _) = results.summary, results.best
    f1 = plot_tables.f1_frame(summary)
    curves = plot_tables.learning_curve_frame(*results.curves)
    latency = plot_tables.f1_by_latency_frame(summary)
    shown = {name: results.runs[name] for name in ("teacher", method)}
    scheme = results.teacher.metrics["scheme"]
    confusion = plot_tables.type_confusion_frame(shown, scheme=scheme)
    reliability = plot_tables.reliability_frame(results.runs)
    errors = {"teacher": summary["teacher"], **summary["methods"]}
    calibration = ", ".join(f"{name} {found['calibration_error']:.2f}" for name, found in errors.items())
    drawn = [
        _picture(
            "f1_by_method",
            f1,
            "Test F1 of each method",
            "A point for each seed, a diamond for the mean, bars for one standard deviation; "
            "the dashed line is the teacher.",
        ),
        _picture(
            "f1_by_latency",
            latency,
            "Test F1 against time per sentence",
            "To choose a model: up is better, left is faster, small is light. "
            f"The time is that of tagging the test set in batches on {summary['device']}.",
        ),
        *(
            [
                _picture(
                    "epoch_time",
                    plot_tables.epoch_time_frame(results.timing),
                    "Seconds of one epoch by phase",
                    "The dashed line is the lower bound: the student's encoder with a trivial loss.",
                )
            ]
            if results.timing
            else []
        ),
        _picture("curves_by_model", curves, "Development F1 by epoch", "A line for each seed."),
        _picture(
            "curves_per_model",
            curves,
            "Training loss by epoch",
            "Losses of different methods are not on one scale.",
            listed=False,
        ),
        _picture(
            "confusion_of_words",
            confusion,
            "Words by type of actual and predicted tag",
            f"Words of the teacher and of {method}, all seeds together; a row adds up to 100%.",
        ),
        _picture(
            "reliability",
            reliability,
            "Share of right words by confidence",
            "Confidence is the marginal probability of the predicted tag. "
            f"Expected calibration error in percent: {calibration}.",
        ),
    ]
    frame = plot_tables.transitions_frame(*results.transitions, method)
    if frame["score"].any() and frame["current"].nunique() <= _TAGS:
        caption = f"What the teacher's CRF and that of {method} say of each pair of tags, and the difference."
        drawn.append(_picture("transitions", frame, "Transition scores", caption, wide=True, listed=False))
    return drawn


def _picture(
    name: str, frame: pd.DataFrame, alt: str, caption: str, *, wide: bool = False, listed: bool = True
) -> dict[str, Any]:
    numbers = frame.round(3).astype(str) if listed and len(frame) <= _LISTED else frame.iloc[:0]
    return {
        "svg": draw(name, frame),
        "alt": alt,
        "caption": caption,
        "wide": wide,
        "columns": [str(column) for column in frame.columns],
        "rows": numbers.to_numpy().tolist(),
    }


def types(results: Results) -> dict[str, Any]:
    """A row for each type with the rates of teacher and students; and what the best student lost most."""
    method, _ = results.best
    models = {"teacher": results.summary["teacher"], **results.summary["methods"]}
    absent = {"precision": 0.0, "recall": 0.0, "f1": 0.0, "gold": 0}
    kinds = {kind for figures in models.values() for kind in figures["types"]}
    rows = []
    for kind in sorted(kinds):
        rates = {name: figures["types"].get(kind, absent) for name, figures in models.items()}
        rows.append(
            {
                "name": kind,
                "gold": max(rate["gold"] for rate in rates.values()),
                "rates": list(rates.values()),
                "difference": rates[method]["f1"] - rates["teacher"]["f1"],
                "spans": (rates["teacher"]["recall"] - rates[method]["recall"])
                / 100
                * rates["teacher"]["gold"],
            }
        )
    return {"models": list(models), "rows": rows, "lost": _lost(rows, method)}


def _lost(rows: list[dict[str, Any]], method: str) -> str:
    worst = max(rows, key=lambda row: row["spans"], default=None)
    if worst is None or worst["spans"] < 0.05:
        return ""
    spans = f"{worst['spans']:.1f}".removesuffix(".0")  # a mean over seeds may be no whole number
    return (
        f"{method} lost most in {worst['name']}: it finds {spans} spans fewer than the teacher, "
        f"of {worst['gold']} (F1 {worst['difference']:+.1f})."
    )
