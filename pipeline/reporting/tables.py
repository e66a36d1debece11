"""Tables and notes in Markdown, from the content of reports/summary.json and reports/timing.json."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pipeline.distillation.roles import PAPER, STRUCTURAL, UNDISTILLED
from pipeline.evaluation.bootstrap import significance_test
from pipeline.evaluation.metrics import AGREEMENT
from pipeline.reporting.stage_outputs import RATES
from pipeline.reporting.summary import LEVEL

PHASES = ("teacher_forward", "student_forward", "student_backward", "total")
BLOCKS = {"published": "As published", "pipeline": "This pipeline"}
NONE = "–"


def quality_table(summary: Mapping[str, Any]) -> str:
    """A row for the teacher and each method: metrics in percent, gap closed, p-values, size, speed."""
    header = [
        "", "precision", "recall", "F1", "token F1", "gap closed", "p vs vanilla", "p vs best baseline",
        "parameters", "MB", "sentences/s",
    ]  # fmt: skip
    teacher = summary["teacher"]
    rows = [["teacher", *(f"{teacher[name]:.2f}" for name in RATES), NONE, NONE, NONE, *_size(teacher)]]
    for method, figures in summary["methods"].items():
        rows.append(
            [
                f"`{method}`",
                *(mean_and_std(figures[name]) for name in RATES),
                optional(figures["gap_closed"], "{:z.0%}"),
                optional(figures["p_value_vs_vanilla"], "{:.4f}"),
                optional(figures["p_value_vs_best_baseline"], "{:.4f}"),
                *_size(figures),
            ]
        )
    return table(header, rows)


def quality_notes(summary: Mapping[str, Any]) -> str:
    """How the figures were measured, and whether differences between methods are significant."""
    notes = [_measured_note(summary)]
    if not summary["teacher"].get("trained_here", True):
        notes.append("The teacher was not trained here (`teacher.model`), so it has no learning curve.")
    if summary.get("development") == AGREEMENT:
        notes.append(
            "The corpus has no labelled sentences but the test set. F1 on development, which chose the "
            "epochs, is the agreement with the teacher on the last sentences of the unlabelled text."
        )
    if "constrained_f1" in summary["teacher"]:  # not in results recorded before it was measured
        notes.append(_constrained_note(summary))
    if verdicts := _verdicts(summary):
        notes.append("\n".join(verdicts))
    return "\n\n".join(notes)


def _measured_note(summary: Mapping[str, Any]) -> str:
    """On what the figures were measured, and what the table's deviations and p-values are of."""
    seeds = {len(figures["f1"]["seeds"]) for figures in summary["methods"].values()}
    counts = " or ".join(str(count) for count in sorted(seeds))
    plural = "" if seeds == {1} else "s"
    note = (
        f"Test set of {summary['sentences']:,} sentences; {counts} seed{plural} per method; "
        f"measured on {summary['device']}. Mean ± standard deviation over seeds; p-values of a two-sided "
        f"{significance_test(summary['sentences'])} over test sentences. A difference is significant if p < "
        f"{LEVEL} and, with several seeds, it exceeds twice its standard error over seeds."
    )
    if 1 in seeds:
        note += " With one seed the spread over seeds is unknown: p covers the choice of sentences alone."
    return note


def _verdicts(summary: Mapping[str, Any]) -> list[str]:
    """An item of a list for each method that is compared with vanilla or with the best baseline."""
    methods, best = summary["methods"], summary["best_baseline"]
    lines = []
    for method in methods:
        parts = []
        if UNDISTILLED in methods and method != UNDISTILLED:
            parts.append(_verdict(methods, method, UNDISTILLED, UNDISTILLED, "vanilla"))
        if best not in (None, method, UNDISTILLED):
            parts.append(_verdict(methods, method, best, f"{best}, the best baseline", "best_baseline"))
        if parts:
            lines.append(f"- `{method}`: {'; '.join(parts)}.")
    return lines


def _constrained_note(summary: Mapping[str, Any]) -> str:
    """F1 where only tag sequences that the scheme allows are given, beside the table's."""
    figures = [("teacher", f"{summary['teacher']['constrained_f1']:.2f}")]
    figures += [
        (f"`{name}`", mean_and_std(found["constrained_f1"])) for name, found in summary["methods"].items()
    ]
    given = ", ".join(f"{name} {f1}" for name, f1 in figures)
    return f"F1 of constrained decoding (`predict --constrained`: only tags that the scheme allows): {given}."


def training_warnings(summary: Mapping[str, Any]) -> list[str]:
    """Warnings of several devices, and of failed training.

    It has failed where the teacher has an F1 of 0 or is below the undistilled student, or a student has 0.
    """
    found = _device_warnings(summary)
    if summary.get("spans") == 0:  # not in results recorded before they were counted
        return [
            *found,
            "every tag of the test split is O, so that every F1 is 0; see the settings `tag` and `scheme` of "
            "the corpus, or give a test split with spans",
        ]
    return [*found, *_teacher_warnings(summary), *_student_warnings(summary)]


def _device_warnings(summary: Mapping[str, Any]) -> list[str]:
    if len(summary.get("devices", ())) <= 1:
        return []
    return [
        f"models were measured on several devices ({', '.join(summary['devices'])}), so that their "
        "speeds cannot be compared; run `dvc repro --single-item --force evaluate_teacher`, and so what "
        "else was measured elsewhere"
    ]


def _teacher_warnings(summary: Mapping[str, Any]) -> list[str]:
    teacher, methods = summary["teacher"]["f1"], summary["methods"]
    trained = summary["teacher"].get("trained_here", True)  # not in older recorded results
    if teacher == 0:
        return [
            "the teacher's F1 is 0: its training diverged, and no student can learn from it; "
            "lower `teacher.learning_rate`, or train for more `teacher.epochs`"
            if trained
            else "the teacher's F1 is 0, and no student can learn from it; check `teacher.types` and "
            "`teacher.scheme`, or choose another `teacher.model`"
        ]
    if UNDISTILLED not in methods or teacher >= methods[UNDISTILLED]["f1"]["mean"]:
        return []
    advice = (
        "it has not converged, and there is no gap to close; train it for more `teacher.epochs`, or with "
        "a smaller `teacher.batch_size`"
        if trained
        else "there is no gap to close; choose another `teacher.model`, or train one here"
    )
    return [
        f"the teacher's F1 of {teacher:.2f} is below the undistilled student's "
        f"{methods[UNDISTILLED]['f1']['mean']:.2f}: {advice}"
    ]


def _student_warnings(summary: Mapping[str, Any]) -> list[str]:
    zero = {
        method: [seed for seed, f1 in figures["f1"]["seeds"].items() if f1 == 0]
        for method, figures in summary["methods"].items()
    }
    return [
        f"{method}'s F1 is 0 with seed {', '.join(seeds)}: its training diverged; "
        "lower `student.learning_rate`, or train for more `student.epochs`"
        for method, seeds in zero.items()
        if seeds
    ]


def timing_tables(timing: Mapping[str, Any]) -> str:
    """As published and here: seconds per epoch by phase, spread of passes, and total / lower bound."""
    bound, ranges = timing["lower_bound"], timing["spread"]
    parts = []
    for block, title in BLOCKS.items():
        rows = [
            [
                f"`{method}`",
                *_seconds(phases),
                _least_and_most(ranges[block][method]),
                f"{phases['total'] / bound['total']:.2f}",
            ]
            for method, phases in timing[block].items()
        ]
        spent = [*_seconds(bound), _least_and_most(ranges["lower_bound"])]
        rows.append(["lower bound (encoder alone)", *spent, f"{1:.2f}"])
        names = (f"{phase.replace('_', ' ')}, s" for phase in PHASES)
        header = [title, *names, "least – most", "total / lower bound"]
        parts.append(table(header, rows))
    return "\n\n".join(parts)


def timing_notes(timing: Mapping[str, Any]) -> str:
    """Device and batches, and the paper's comparison: its method here with structural as published."""
    if not timing:
        return "No epoch was timed, as the corpus has no labelled sentences."
    batches, every = timing["batches"], timing["epoch_batches"]
    which = (
        f"all {every} batches of an epoch" if batches == every else f"{batches} of an epoch's {every} batches"
    )
    notes = (
        f"Measured on {timing['device']}, all in one run of {which}: median, least and most of the passes. "
        "Only the ratios carry over to another device. Lower bound: one epoch of the student's encoder with "
        "a trivial loss. Methods are timed with their default settings, whatever `distill` says."
    )
    if PAPER in timing["pipeline"] and STRUCTURAL in timing["published"]:
        published, bound = timing["published"][STRUCTURAL], timing["lower_bound"]["total"]
        ratio = timing["pipeline"][PAPER]["total"] / published["total"]
        teacher, encoder = published["teacher_forward"] / published["total"], bound / published["total"]
        notes += (
            f" An epoch of `{PAPER}` in this pipeline takes {ratio:.2f} of the time of `{STRUCTURAL}` as "
            f"published. Of the latter, the teacher's forward pass takes {teacher:.0%} (stored scores save "
            f"it), the student's encoder and optimiser {encoder:.0%} (the lower bound), and recursions and "
            f"losses {1 - teacher - encoder:z.0%}."
        )
    return notes


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table, its first column to the left and the others to the right."""
    lines = [header, [":--", *["--:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _verdict(methods: Mapping[str, Any], method: str, other: str, name: str, key: str) -> str:
    difference = methods[method]["f1"]["mean"] - methods[other]["f1"]["mean"]
    p, differs = methods[method][f"p_value_vs_{key}"], methods[method][f"differs_from_{key}"]
    if p is None:
        return f"{difference:+.2f} F1 against {name}, not tested"
    word = "significant" if differs else "not significant"
    return f"{difference:+.2f} F1 against {name} (p = {p:.4f}), {word}"


def mean_and_std(figure: Mapping[str, Any]) -> str:
    """Mean ± standard deviation over seeds; only the mean where there is one seed."""
    deviation = "" if figure["std"] is None else f" ± {figure['std']:.2f}"
    return f"{figure['mean']:.2f}{deviation}"


def _size(figures: Mapping[str, Any]) -> list[str]:
    return [
        f"{figures['parameters'] / 1e6:.1f} M",
        f"{figures['megabytes']:.1f}",
        f"{figures['sentences_per_second']:.0f}",
    ]


def _seconds(phases: Mapping[str, float]) -> list[str]:
    return [optional(phases.get(phase) or None, "{:.2f}") for phase in PHASES]


def _least_and_most(totals: Mapping[str, float]) -> str:
    return f"{totals['min']:.2f} – {totals['max']:.2f}"


def optional(value: float | None, pattern: str) -> str:
    """The value in the pattern, or a dash where there is none."""
    return NONE if value is None else pattern.format(value)
