"""The parts of the HTML page that are more than a table of given figures: headline, pictures, types."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from pipeline.distillation.roles import UNDISTILLED
from pipeline.reporting import plot_tables
from pipeline.reporting.finished_results import Results
from pipeline.reporting.pictures import draw
from pipeline.reporting.summary import ABSENT, every_model
from pipeline.reporting.tables import mean_and_std, optional

_LISTED = 60  # rows of a picture's table at most
_TAGS = 64  # in the picture of transitions at most: one of 201 tags has 21 MB


def headline(results: Results) -> dict[str, Any]:
    """A sentence, and tiles of name, value and note: the best student against the teacher."""
    summary, (method, _) = results.summary, results.best
    best, teacher = summary["methods"][method], summary["teacher"]
    f1, smaller = best["f1"]["mean"], teacher["megabytes"] / best["megabytes"]
    faster = best["sentences_per_second"] / teacher["sentences_per_second"]
    size = f"smaller: {best['megabytes']:.1f} MB of {teacher['megabytes']:.1f} MB"
    speed = f"as fast: {best['sentences_per_second']:.0f} sentences/s on {summary['device']}"
    tiles = [
        _tile("best student", method, f"F1 {mean_and_std(best['f1'])}"),
        _tile("teacher", f"{teacher['f1']:.2f}", f"F1; the student: {f1 - teacher['f1']:+.2f}"),
        _gap_tile(method, best, summary),
        _tile("size", f"{smaller:.2f}×", size),
        _tile("speed", f"{faster:.2f}×", speed),
    ]
    if (epoch := results.timing.get("pipeline", {}).get(method)) is not None:
        note = f"an epoch of the labelled sentences, without text, on {results.timing['device']}"
        tiles.append(_tile("training", _duration(epoch["total"]), note))
    return {"sentence": _sentence(results, smaller, faster), "tiles": tiles}


def _tile(name: str, value: str, note: str) -> dict[str, str]:
    return {"name": name, "value": value, "note": note}


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
        gap = f"it closes {share:z.0%} of the gap between the student without distillation and the teacher"
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
    return _tile("gap closed", optional(share, "{:z.0%}"), note)


def _duration(seconds: float) -> str:
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.3g} s"


def pictures(results: Results) -> list[dict[str, Any]]:
    """Every picture with its SVG, its caption, a text for those who do not see it, and its numbers."""
    return [
        *_method_pictures(results.summary),
        *_training_pictures(results),
        *_word_pictures(results),
        *_transition_pictures(results),
    ]


def _method_pictures(summary: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield _picture(
        "f1_by_method",
        plot_tables.f1_frame(summary),
        "Test F1 of each method",
        "A point for each seed, a diamond for the mean, bars for one standard deviation; "
        "the dashed line is the teacher.",
    )
    yield _picture(
        "f1_by_latency",
        plot_tables.f1_by_latency_frame(summary),
        "Test F1 against time per sentence",
        "To choose a model: up is better, left is faster, small is light. "
        f"The time is that of tagging the test set in batches on {summary['device']}.",
    )


def _training_pictures(results: Results) -> Iterator[dict[str, Any]]:
    """Epoch times, if any were measured, and learning curves."""
    if results.timing:
        yield _picture(
            "epoch_time",
            plot_tables.epoch_time_frame(results.timing),
            "Seconds of one epoch by phase",
            "The dashed line is the lower bound: the student's encoder with a trivial loss.",
        )
    curves = plot_tables.learning_curve_frame(*results.curves)
    yield _picture("curves_by_model", curves, "Development F1 by epoch", "A line for each seed.")
    yield _picture(
        "curves_per_model",
        curves,
        "Training loss by epoch",
        "Losses of different methods are not on one scale.",
        listed=False,
    )


def _word_pictures(results: Results) -> Iterator[dict[str, Any]]:
    """What the best student and the teacher confuse, and how far the confidence of all can be relied on."""
    method, _ = results.best
    shown = {name: results.runs[name] for name in ("teacher", method)}
    yield _picture(
        "confusion_of_words",
        plot_tables.type_confusion_frame(shown, scheme=results.teacher.metrics["scheme"]),
        "Words by type of actual and predicted tag",
        f"Words of the teacher and of {method}, all seeds together; a row adds up to 100%.",
    )
    models = every_model(results.summary).items()
    calibration = ", ".join(f"{name} {figures['calibration_error']:.2f}" for name, figures in models)
    yield _picture(
        "reliability",
        plot_tables.reliability_frame(results.runs),
        "Share of right words by confidence",
        "Confidence is the marginal probability of the predicted tag. "
        f"Expected calibration error in percent: {calibration}.",
    )


def _transition_pictures(results: Results) -> Iterator[dict[str, Any]]:
    """Transition scores of teacher and best student, if they have any and the tags are not too many."""
    method, _ = results.best
    frame = plot_tables.transitions_frame(*results.transitions, method)
    if frame["score"].any() and frame["current"].nunique() <= _TAGS:
        caption = f"What the teacher's CRF and that of {method} say of each pair of tags, and the difference."
        yield _picture("transitions", frame, "Transition scores", caption, wide=True, listed=False)


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
    models = every_model(results.summary)
    kinds = {kind for figures in models.values() for kind in figures["types"]}
    rows = []
    for kind in sorted(kinds):
        rates = {name: figures["types"].get(kind, ABSENT) for name, figures in models.items()}
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
