import dataclasses
import json
import statistics

import pytest

from pipeline.corpora.tagging import spans
from pipeline.errors import UserError
from pipeline.evaluation.bootstrap import p_value, resample
from pipeline.evaluation.metrics import sentence_counts
from pipeline.reporting.summary import headline, summarise
from pipeline.reporting.tables import training_warnings
from tests.helpers.sample_results import GOLD, evaluation


def summary_of(students, teacher=None, samples=200):
    return summarise(teacher or evaluation(), students, task="toy", scheme="iob2", samples=samples)


def counts(runs):
    return [sentence_counts(run.gold, run.predicted, scheme="iob2") for run in runs.values()]


def test_means_and_spreads_over_seeds():
    runs = {1: evaluation(0, speed=10), 2: evaluation(0, 1, speed=40), 3: evaluation(1, 2, 3, speed=20)}
    figures = summary_of({"kbest": runs})["methods"]["kbest"]
    for name in ("precision", "recall", "f1", "token_f1", "constrained_f1"):
        values = [run.metrics[name] for run in runs.values()]
        assert figures[name]["seeds"] == {"1": values[0], "2": values[1], "3": values[2]}
        assert figures[name]["mean"] == pytest.approx(sum(values) / 3)
        assert figures[name]["std"] == pytest.approx(statistics.stdev(values))
    assert figures["sentences_per_second"] == 20
    assert (figures["parameters"], figures["megabytes"]) == (17_300_000, 69.2)


def test_one_seed_has_no_spread():
    assert summary_of({"vanilla": {7: evaluation(0)}})["methods"]["vanilla"]["f1"]["std"] is None


def test_gap_closed_is_the_share_of_the_teachers_lead():
    # Recall 2/4, 3/4 and 4/4 at precision 1: F1 66.7, 85.7 and 100.
    summary = summary_of({"vanilla": {1: evaluation(0, 1)}, "kbest": {1: evaluation(1)}})
    share = {method: figures["gap_closed"] for method, figures in summary["methods"].items()}
    assert share == {"vanilla": 0, "kbest": pytest.approx((600 / 7 - 200 / 3) / (100 - 200 / 3))}


@pytest.mark.parametrize("teacher", [evaluation(0, 1), evaluation(0, 1, 2)], ids=["no gap", "teacher below"])
def test_gap_closed_is_null_without_a_gap(teacher):
    summary = summary_of({"vanilla": {1: evaluation(0, 1)}, "kbest": {1: evaluation(1)}}, teacher)
    assert summary["methods"]["kbest"]["gap_closed"] is None


def test_gap_closed_is_null_without_vanilla():
    summary = summary_of({"kbest": {1: evaluation(1)}, "efficient": {1: evaluation(2)}})
    efficient = summary["methods"]["efficient"]
    assert (efficient["gap_closed"], efficient["p_value_vs_vanilla"], efficient["differs_from_vanilla"]) == (
        None,
        None,
        None,
    )
    assert efficient["p_value_vs_best_baseline"] == 1  # one span each of the same number: equal F1
    assert summary["best_baseline"] == "kbest"


def test_p_values_are_the_paired_bootstraps():
    students = {
        "vanilla": {1: evaluation(0, 1, repeat=12), 2: evaluation(2, repeat=12)},
        "posterior": {1: evaluation(1, repeat=12), 2: evaluation(2, repeat=12)},
        "efficient": {1: evaluation(0, repeat=12), 2: evaluation(1, 2, repeat=12)},
        "mine": {1: evaluation(repeat=12), 2: evaluation(repeat=12)},
    }
    summary = summary_of(students, evaluation(repeat=12), samples=300)
    assert summary["best_baseline"] == "posterior"
    for method, figures in summary["methods"].items():
        for label, other in {"vanilla": "vanilla", "best_baseline": "posterior"}.items():
            expected = None
            if other != method:
                pair = {name: counts(students[name]) for name in (method, other)}
                expected = p_value(*resample(pair, samples=300).values())
            assert figures[f"p_value_vs_{label}"] == expected


def test_a_difference_must_exceed_both_kinds_of_noise():
    steady = {
        "vanilla": {1: evaluation(0, 1, repeat=40), 2: evaluation(0, 1, repeat=40)},
        "mine": {1: evaluation(1, repeat=40), 2: evaluation(1, repeat=40)},
    }
    restless = {**steady, "mine": {1: evaluation(0, 1, 2, repeat=40), 2: evaluation(repeat=40)}}
    single = {method: {1: runs[1]} for method, runs in steady.items()}
    for students, differs in ((steady, True), (restless, False), (single, True)):
        mine = summary_of(students, evaluation(repeat=40))["methods"]["mine"]
        assert mine["p_value_vs_vanilla"] < 0.05 or students is restless
        assert mine["differs_from_vanilla"] is differs
    # Five sentences decide nothing, however steady the seeds are.
    few = {"vanilla": {1: evaluation(0), 2: evaluation(0)}, "mine": {1: evaluation(), 2: evaluation()}}
    assert summary_of(few)["methods"]["mine"]["differs_from_vanilla"] is False


def test_seeds_alone_can_hide_a_difference_that_the_bootstrap_calls_sure():
    # Mean F1 of mine is well above vanilla on every resample, but its two seeds lie far apart.
    students = {
        "vanilla": {1: evaluation(0, 1, repeat=60), 2: evaluation(0, 1, repeat=60)},
        "mine": {1: evaluation(0, 1, repeat=60), 2: evaluation(repeat=60)},
    }
    mine = summary_of(students, evaluation(repeat=60))["methods"]["mine"]
    assert mine["p_value_vs_vanilla"] < 0.05
    assert mine["differs_from_vanilla"] is False


def test_the_summary_is_plain_json_with_the_teachers_figures():
    summary = summary_of({"vanilla": {1: evaluation(0)}})
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    assert summary["spans"] == sum(len(spans(tags, scheme="iob2")) for tags in evaluation().gold)
    assert (summary["task"], summary["sentences"], summary["device"]) == ("toy", 5, "a <small> machine")
    assert set(summary["teacher"]) == {
        "precision", "recall", "f1", "token_f1", "constrained_f1",
        "parameters", "megabytes", "sentences_per_second", "types", "calibration_error", "trained_here",
    }  # fmt: skip


def test_outcomes_of_different_test_sets_are_refused():
    teacher = evaluation()
    other = dataclasses.replace(evaluation(gold=[*GOLD[:4], ["O", "B-PER"]]))
    reordered = dataclasses.replace(evaluation(), ids=[1, 0, 2, 3, 4])
    for student in (other, reordered):
        with pytest.raises(UserError, match="not evaluated on the same test sentences"):
            summary_of({"vanilla": {1: student}}, teacher)


def test_a_method_without_seeds_is_refused():
    with pytest.raises(UserError, match="seeds: kbest has none"):
        summary_of({"kbest": {}})


def test_headline_is_flat():
    summary = summary_of(
        {"vanilla": {1: evaluation(0, 1), 2: evaluation(0)}, "kbest": {1: evaluation(1), 2: evaluation(2)}}
    )
    shown = headline(summary, "kbest")
    assert all(value is None or isinstance(value, str | int | float) for value in shown.values())
    kbest = summary["methods"]["kbest"]
    assert (shown["task"], shown["method"], shown["seeds"]) == ("toy", "kbest", 2)
    assert (shown["f1"], shown["f1_std"]) == (kbest["f1"]["mean"], kbest["f1"]["std"])
    assert (shown["gap_closed"], shown["teacher_f1"]) == (kbest["gap_closed"], 100)
    with pytest.raises(UserError, match=r"method: 'efficient' has no results; choose one of vanilla, kbest"):
        headline(summary, "efficient")


def test_types_are_means_over_seeds_and_count_the_gold_spans():
    types = summary_of({"vanilla": {1: evaluation(1), 2: evaluation()}})["methods"]["vanilla"]["types"]
    assert types["LOC"] == {"precision": 50.0, "recall": 50.0, "f1": 50.0, "gold": 1}  # found by one seed
    assert types["PER"] == {"precision": 100.0, "recall": 100.0, "f1": 100.0, "gold": 2}
    assert list(types) == ["LOC", "ORG", "PER"]


def test_a_type_that_no_gold_span_has_is_listed_for_those_who_predict_it():
    other = dataclasses.replace(evaluation(), metrics={**evaluation().metrics, "types": {}})
    types = summary_of({"vanilla": {1: other, 2: evaluation()}})["methods"]["vanilla"]["types"]
    assert types["LOC"]["f1"] == 50.0


def test_all_devices_are_named():
    teacher = evaluation()
    run = evaluation(1)
    elsewhere = dataclasses.replace(run, metrics={**run.metrics, "device": "a laptop"})
    summary = summarise(teacher, {"vanilla": {1: elsewhere}}, task="toy", scheme="iob2", samples=10)
    here = teacher.metrics["device"]
    assert (summary["devices"], summary["device"]) == ([here, "a laptop"], f"{here} and a laptop")
    assert any("speeds cannot be compared" in warning for warning in training_warnings(summary))
    alone = summarise(teacher, {"vanilla": {1: evaluation(1)}}, task="toy", scheme="iob2", samples=10)
    assert not any("compared" in warning for warning in training_warnings(alone))
