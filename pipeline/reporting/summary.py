"""Figures over seeds, from the evaluations of single models: means, gap closed, p-values."""

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import mean, median, stdev
from typing import Any

from pipeline.corpora.tagging import Scheme, spans
from pipeline.distillation.roles import BASELINES, UNDISTILLED
from pipeline.errors import UserError
from pipeline.evaluation.bootstrap import Resampled, p_value, resample
from pipeline.evaluation.metrics import GOLD, sentence_counts
from pipeline.reporting.stage_outputs import RATES, SIZE, SPAN_RATES, SavedEvaluation

LEVEL = 0.05
"""A difference with a larger p-value is not significant."""

ABSENT = {"precision": 0.0, "recall": 0.0, "f1": 0.0, "gold": 0}
"""The rates of a type that a model never predicts."""

_MEANS = (*RATES, "constrained_f1")  # what is a mean over seeds


def summarise(
    teacher: SavedEvaluation,
    students: Mapping[str, Mapping[int, SavedEvaluation]],
    *,
    task: str,
    scheme: Scheme,
    samples: int = 10_000,
    resampled: Mapping[str, Resampled] | None = None,
) -> dict[str, Any]:
    """The content of `reports/summary.json`.

    Args:
        teacher: on the test set.
        students: per method and seed, on the same test set.
        task: name of the corpus.
        scheme: of its tags.
        samples: resamples of the bootstrap.
        resampled: what `resampled_students` gave, for who compares more with it; None: it is made here.

    Returns:
        `task`; `device`, of all models, and the list `devices`; what the students' F1 on development compares
        with (`development`); `sentences` and `spans` of the test set; `best_baseline`; `teacher` with its
        figures; and `methods`. Each method has
        precision, recall, f1, token_f1 and constrained_f1 as {mean, std, seeds}, where std is the sample
        standard deviation over seeds, null with one seed; parameters, megabytes and the median
        sentences_per_second; `gap_closed` = (f1 − vanilla f1) / (teacher f1 − vanilla f1), null
        without vanilla or a gap; and against vanilla and the best baseline `p_value_vs_…` (of the
        difference in mean F1 over seeds, see bootstrap.p_value) and `differs_from_…`: p < LEVEL and, with
        several seeds on both sides, a difference above twice its standard error over seeds. Both are null for
        a method against itself, without the other, or where `p_value` is None.
        `types` has precision, recall and f1 of each type, as means over seeds, and `gold`, its spans in the
        test set; `calibration_error` is the expected calibration error in percent, the mean over seeds.

    Raises:
        UserError: the evaluations are not of one test set, or a method has no seed.
    """
    check_same_test_set(teacher, students)
    f1 = {method: [run.metrics["f1"] for run in runs.values()] for method, runs in students.items()}
    resampled = resampled or resampled_students(students, scheme=scheme, samples=samples)
    baselines = [method for method in BASELINES if method in students]
    best_baseline = max(baselines, key=lambda method: mean(f1[method]), default=None)
    devices = _devices([teacher, *(run for runs in students.values() for run in runs.values())])
    return {
        "task": task,
        "device": " and ".join(devices),
        "devices": devices,
        "development": _development(students),
        "sentences": len(teacher.ids),
        "spans": sum(len(spans(tags, scheme=scheme)) for tags in teacher.gold),
        "best_baseline": best_baseline,
        "teacher": _teacher_figures(teacher),
        "methods": {
            method: {
                **_method_figures(runs),
                "gap_closed": _gap_closed(f1, method, teacher.metrics["f1"]),
                **_comparison("vanilla", method, UNDISTILLED, f1, resampled),
                **_comparison("best_baseline", method, best_baseline, f1, resampled),
            }
            for method, runs in students.items()
        },
    }


def resampled_students(
    students: Mapping[str, Mapping[int, SavedEvaluation]], *, scheme: Scheme, samples: int = 10_000
) -> dict[str, Resampled]:
    """The students' F1 on the same `samples` resamples of the test sentences, by method.

    Raises:
        ValueError: see `bootstrap.resample`.
    """
    counts = {
        method: [sentence_counts(run.gold, run.predicted, scheme=scheme) for run in runs.values()]
        for method, runs in students.items()
    }
    return resample(counts, samples=samples)


def every_model(summary: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of the teacher and of each method, by name, in the content of `reports/summary.json`."""
    return {"teacher": summary["teacher"], **summary["methods"]}


def headline(summary: Mapping[str, Any], method: str) -> dict[str, Any]:
    """The content of `metrics/headline.json`: one method as flat numbers, F1 with its deviation.

    Args:
        summary: of at least that method, and of vanilla for the figures that compare with it.
        method: the one to show.

    Raises:
        UserError: the method is not in the summary.
    """
    if method not in summary["methods"]:
        raise UserError(f"method: {method!r} has no results; choose one of {', '.join(summary['methods'])}")
    figures = summary["methods"][method]
    return {
        "task": summary["task"],
        "method": method,
        "seeds": len(figures["f1"]["seeds"]),
        **{name: figures[name]["mean"] for name in RATES},
        "f1_std": figures["f1"]["std"],
        "teacher_f1": summary["teacher"]["f1"],
        "gap_closed": figures["gap_closed"],
        "p_value_vs_vanilla": figures["p_value_vs_vanilla"],
        **{name: figures[name] for name in (*SIZE, "sentences_per_second")},
    }


def _development(students: Mapping[str, Mapping[int, SavedEvaluation]]) -> str:
    """What F1 on development compares with: gold tags, or AGREEMENT."""
    found = {str(run.metrics.get("development", GOLD)) for runs in students.values() for run in runs.values()}
    return ", ".join(sorted(found))


def check_same_test_set(
    teacher: SavedEvaluation, students: Mapping[str, Mapping[int, SavedEvaluation]]
) -> None:
    """Refuse evaluations that are not of one test set, as `summarise` does."""
    for method, runs in students.items():
        if not runs:
            raise UserError(f"seeds: {method} has none; list at least one under `seeds` in params.yaml")
        for run in runs.values():
            if teacher.ids != run.ids or teacher.gold != run.gold:
                raise UserError(
                    f"{run.folder}: not evaluated on the same test sentences as {teacher.folder}; "
                    "run `dvc repro`"
                )


def _devices(runs: Iterable[SavedEvaluation]) -> list[str]:
    return list(dict.fromkeys(run.metrics["device"] for run in runs))


def _teacher_figures(teacher: SavedEvaluation) -> dict[str, Any]:
    return {
        **{name: teacher.metrics[name] for name in (*_MEANS, *SIZE, "sentences_per_second")},
        "types": _types([teacher]),
        "calibration_error": teacher.metrics["calibration"]["error"],
        "trained_here": teacher.metrics.get("kept_epoch") != 0,
    }


def _method_figures(runs: Mapping[int, SavedEvaluation]) -> dict[str, Any]:
    """The figures of a method by itself, over its seeds."""
    metrics = [run.metrics for run in runs.values()]
    return {
        **{name: over_seeds(runs, name) for name in _MEANS},
        **{name: metrics[0][name] for name in SIZE},
        "sentences_per_second": median(found["sentences_per_second"] for found in metrics),
        "types": _types(list(runs.values())),
        "calibration_error": mean(found["calibration"]["error"] for found in metrics),
    }


def over_seeds(runs: Mapping[int, SavedEvaluation], name: str) -> dict[str, Any]:
    """One figure of a method's students: `mean`, sample standard deviation `std` (or None), `seeds`."""
    values = {str(seed): run.metrics[name] for seed, run in runs.items()}
    deviation = stdev(values.values()) if len(values) > 1 else None
    return {"mean": mean(values.values()), "std": deviation, "seeds": values}


def _types(runs: Sequence[SavedEvaluation]) -> dict[str, dict[str, float]]:
    """Of each type the mean precision, recall and f1 over `runs`, and its number of gold spans."""
    kinds = sorted({kind for run in runs for kind in run.metrics["types"]})
    rates = {kind: [run.metrics["types"].get(kind, ABSENT) for run in runs] for kind in kinds}
    return {
        kind: {name: mean(rate[name] for rate in found) for name in SPAN_RATES}
        | {"gold": max(rate["gold"] for rate in found)}
        for kind, found in rates.items()
    }


def _gap_closed(f1: Mapping[str, list[float]], method: str, teacher: float) -> float | None:
    if UNDISTILLED not in f1:
        return None
    lowest = mean(f1[UNDISTILLED])
    return (mean(f1[method]) - lowest) / (teacher - lowest) if teacher > lowest else None


def _comparison(
    key: str,
    method: str,
    other: str | None,
    f1: Mapping[str, list[float]],
    resampled: Mapping[str, Resampled],
) -> dict[str, Any]:
    if other is None or other not in f1 or other == method:
        return {f"p_value_vs_{key}": None, f"differs_from_{key}": None}
    p = p_value(resampled[method], resampled[other])
    if p is None:
        return {f"p_value_vs_{key}": None, f"differs_from_{key}": None}
    differs = p < LEVEL and abs(mean(f1[method]) - mean(f1[other])) > 2 * _standard_error(
        f1[method], f1[other]
    )
    return {f"p_value_vs_{key}": p, f"differs_from_{key}": differs}


def _standard_error(*samples: list[float]) -> float:
    """Of the difference of two means over seeds; 0 when a single seed leaves it unknown."""
    if any(len(sample) < 2 for sample in samples):
        return 0.0
    return math.sqrt(sum(stdev(sample) ** 2 / len(sample) for sample in samples))
