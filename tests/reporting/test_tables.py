"""The text of tables and notes, of small hand-made figures."""

import copy

import pytest

from pipeline.evaluation.metrics import AGREEMENT
from pipeline.reporting.tables import (
    mean_and_std,
    optional,
    quality_notes,
    quality_table,
    table,
    timing_notes,
    timing_tables,
    training_warnings,
)

SIZE = {"parameters": 17_250_000, "megabytes": 69.04, "sentences_per_second": 640.4}
TEACHER = {"precision": 91.0, "recall": 90.0, "f1": 90.5, "token_f1": 93.126, "constrained_f1": 90.6}


def figure(*seeds, std=None):
    values = dict(zip("123", seeds, strict=False))
    return {"mean": sum(seeds) / len(seeds), "std": std, "seeds": values}


def method(*seeds, std=None, gap=None, vanilla=(None, None), best=(None, None)):
    """The figures of a method with these F1; `vanilla` and `best` are p-value and whether it differs."""
    f1 = figure(*seeds, std=std)
    return {
        **dict.fromkeys(("precision", "recall", "f1", "token_f1", "constrained_f1"), f1),
        "gap_closed": gap,
        "p_value_vs_vanilla": vanilla[0],
        "differs_from_vanilla": vanilla[1],
        "p_value_vs_best_baseline": best[0],
        "differs_from_best_baseline": best[1],
        **SIZE,
    }


METHODS = {
    "vanilla": method(79.0, 81.0, std=1.414, gap=0.0, best=(0.0421, False)),
    "kbest": method(84.0, 86.0, std=1.0, gap=0.476, vanilla=(0.0421, False)),
    "efficient": method(88.0, 90.0, std=0.5, gap=-0.004, vanilla=(0.0001, True), best=(0.2, False)),
}


def summary(methods=METHODS, **changes):
    return {
        "task": "toy",
        "device": "a <small> machine",
        "devices": ["a <small> machine"],
        "sentences": 1234,
        "spans": 5,
        "best_baseline": "kbest",
        "teacher": {**TEACHER, **SIZE, "parameters": 22_570_000},
        "methods": methods,
        **changes,
    }


def test_the_table_of_metrics_has_a_row_for_the_teacher_and_each_method():
    assert quality_table(summary()).splitlines() == [
        "|  | precision | recall | F1 | token F1 | gap closed | p vs vanilla | p vs best baseline | "
        "parameters | MB | sentences/s |",
        "| :-- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |",
        "| teacher | 91.00 | 90.00 | 90.50 | 93.13 | – | – | – | 22.6 M | 69.0 | 640 |",
        "| `vanilla` |" + " 80.00 ± 1.41 |" * 4 + " 0% | – | 0.0421 | 17.2 M | 69.0 | 640 |",
        "| `kbest` |" + " 85.00 ± 1.00 |" * 4 + " 48% | 0.0421 | – | 17.2 M | 69.0 | 640 |",
        "| `efficient` |" + " 89.00 ± 0.50 |" * 4 + " 0% | 0.0001 | 0.2000 | 17.2 M | 69.0 | 640 |",
    ]


def test_the_notes_say_what_was_measured_and_what_differs():
    measured, constrained, verdicts = quality_notes(summary()).split("\n\n")
    assert measured == (
        "Test set of 1,234 sentences; 2 seeds per method; measured on a <small> machine. Mean ± standard "
        "deviation over seeds; p-values of a two-sided paired bootstrap over test sentences. A difference is "
        "significant if p < 0.05 and, with several seeds, it exceeds twice its standard error over seeds."
    )
    assert constrained == (
        "F1 of constrained decoding (`predict --constrained`: only tags that the scheme allows): "
        "teacher 90.60, `vanilla` 80.00 ± 1.41, `kbest` 85.00 ± 1.00, `efficient` 89.00 ± 0.50."
    )
    assert verdicts.splitlines() == [
        "- `vanilla`: -5.00 F1 against kbest, the best baseline (p = 0.0421), not significant.",
        "- `kbest`: +5.00 F1 against vanilla (p = 0.0421), not significant.",
        "- `efficient`: +9.00 F1 against vanilla (p = 0.0001), significant; "
        "+4.00 F1 against kbest, the best baseline (p = 0.2000), not significant.",
    ]


def test_one_seed_has_no_spread_and_few_sentences_have_another_test():
    one = {"kbest": method(85.0)}
    notes = quality_notes(summary(one, sentences=5, best_baseline="kbest"))
    assert "1 seed per method" in notes
    assert "permutation test over test sentences" in notes
    assert "With one seed the spread over seeds is unknown" in notes
    assert "against" not in notes  # a method alone is compared with none
    unlike = quality_notes(summary(one | {"efficient": METHODS["efficient"]}, best_baseline=None))
    assert "1 or 2 seeds per method" in unlike


def test_a_difference_that_was_not_tested_says_so():
    notes = quality_notes(summary({"vanilla": method(80.0), "mine": method(79.5)}, best_baseline="vanilla"))
    assert notes.endswith("- `mine`: -0.50 F1 against vanilla, not tested.")


def test_notes_that_only_some_runs_have():
    given = summary(development=AGREEMENT)
    given["teacher"] = {**given["teacher"], "trained_here": False}
    notes = quality_notes(given)
    assert "The teacher was not trained here (`teacher.model`), so it has no learning curve." in notes
    assert "is the agreement with the teacher on the last sentences of the unlabelled text" in notes
    old = summary()
    old["teacher"] = {name: value for name, value in TEACHER.items() if name != "constrained_f1"}
    for text in ("constrained decoding", "was not trained here", "agreement"):
        assert text not in quality_notes(old)


def with_teacher(f1, methods, **more):
    return summary(methods, teacher={**TEACHER, **SIZE, "f1": f1} | more)


@pytest.mark.parametrize(
    ("given", "warnings"),
    [
        (summary(), []),
        (with_teacher(0, METHODS), [("the teacher's F1 is 0: its training diverged", "teacher.epochs`")]),
        (
            with_teacher(0, METHODS, trained_here=False),
            [("the teacher's F1 is 0, and no student", "another `teacher.model`")],
        ),
        (
            with_teacher(79.994, METHODS),
            [
                (
                    "the teacher's F1 of 79.99 is below the undistilled student's 80.00: it",
                    "teacher.batch_size`",
                )
            ],
        ),
        (
            with_teacher(70.0, METHODS, trained_here=False),
            [("the teacher's F1 of 70.00 is below", "or train one here")],
        ),
        (with_teacher(80.0, METHODS), []),
        (with_teacher(1.0, {"kbest": METHODS["kbest"]}), []),  # nothing to compare it with
        (
            summary({"kbest": method(0.0, 85.0, 0.0), "mine": method(0.0)}),
            [("kbest's F1 is 0 with seed 1, 3: its", "student.epochs`"), ("mine's F1 is 0 with seed 1", "")],
        ),
        (
            summary(devices=["one", "other"]),
            [
                (
                    "models were measured on several devices (one, other), so",
                    "what else was measured elsewhere",
                )
            ],
        ),
        (
            with_teacher(0, {"kbest": method(0.0)}) | {"spans": 0},
            [
                (
                    "every tag of the test split is O, so that every F1 is 0; see",
                    "give a test split with spans",
                )
            ],
        ),
    ],
)
def test_failed_training_and_several_devices_are_warned_of(given, warnings):
    found = training_warnings(given)
    assert len(found) == len(warnings)
    for line, (start, end) in zip(found, warnings, strict=True):
        assert line.startswith(start)
        assert line.endswith(end)
        assert "\n" not in line


PHASES = {"teacher_forward": 20.0, "student_forward": 30.0, "student_backward": 50.0, "total": 100.0}
SPENT = {"teacher_forward": 0.0, "student_forward": 7.0, "student_backward": 21.0, "total": 28.0}
BOUND = {"student_forward": 5.0, "student_backward": 20.0, "total": 25.0}
TIMING = {
    "device": "a slow machine",
    "batches": 4,
    "epoch_batches": 40,
    "published": {"structural": PHASES},
    "pipeline": {"efficient": SPENT},
    "lower_bound": BOUND,
    "spread": {
        "published": {"structural": {"min": 99.0, "max": 101.5}},
        "pipeline": {"efficient": {"min": 27.0, "max": 29.0}},
        "lower_bound": {"min": 24.5, "max": 25.5},
    },
}


def test_the_tables_of_epoch_times_end_with_the_lower_bound():
    published, pipeline = timing_tables(TIMING).split("\n\n")
    header = "teacher forward, s | student forward, s | student backward, s | total, s"
    bound = "| lower bound (encoder alone) | – | 5.00 | 20.00 | 25.00 | 24.50 – 25.50 | 1.00 |"
    assert published.splitlines() == [
        f"| As published | {header} | least – most | total / lower bound |",
        "| :-- | --: | --: | --: | --: | --: | --: |",
        "| `structural` | 20.00 | 30.00 | 50.00 | 100.00 | 99.00 – 101.50 | 4.00 |",
        bound,
    ]
    assert pipeline.splitlines()[0].startswith("| This pipeline | teacher forward, s |")
    assert pipeline.splitlines()[2:] == [
        "| `efficient` | – | 7.00 | 21.00 | 28.00 | 27.00 – 29.00 | 1.12 |",
        bound,
    ]


def test_the_notes_on_epoch_times_compare_as_the_paper_does():
    notes = timing_notes(TIMING)
    assert notes.startswith(
        "Measured on a slow machine, all in one run of 4 of an epoch's 40 batches: median"
    )
    assert notes.endswith(
        "An epoch of `efficient` in this pipeline takes 0.28 of the time of `structural` as published. Of "
        "the latter, the teacher's forward pass takes 20% (stored scores save it), the student's encoder and "
        "optimiser 25% (the lower bound), and recursions and losses 55%."
    )


def test_notes_on_epoch_times_without_both_methods_without_part_of_an_epoch_and_without_any():
    other = copy.deepcopy(TIMING) | {"batches": 40, "published": {}}
    assert "in one run of all 40 batches of an epoch: " in timing_notes(other)
    assert "as published" not in timing_notes(other)
    assert timing_notes({}) == "No epoch was timed, as the corpus has no labelled sentences."


def test_a_table_has_its_first_column_to_the_left():
    assert table(["a", "b"], [["1", "2"], ["3", "4"]]) == "| a | b |\n| :-- | --: |\n| 1 | 2 |\n| 3 | 4 |"
    assert table(["a"], []) == "| a |\n| :-- |"


def test_figures_that_are_not_there():
    assert mean_and_std({"mean": 1.005, "std": None}) == "1.00"
    assert mean_and_std({"mean": 90.126, "std": 0.0}) == "90.13 ± 0.00"
    assert (optional(None, "{:.2f}"), optional(0.0, "{:.2f}")) == ("–", "0.00")
