"""The headline's figures are the run's, and none is made up of figures of different things."""

from dataclasses import replace

import pytest

from pipeline.reporting.page_parts import headline
from tests.helpers.html_results import results
from tests.helpers.sample_results import TIMING


def tiles(run):
    return {tile["name"]: tile for tile in headline(run)["tiles"]}


def test_the_cost_of_training_is_what_was_measured_an_epoch_of_the_labelled_sentences():
    run = results()
    method, _ = run.best
    shown = tiles(run)["training"]
    assert shown["value"] == f"{TIMING['pipeline'][method]['total']:.3g} s"
    assert shown["note"] == f"an epoch of the labelled sentences, without text, on {TIMING['device']}"


def test_nothing_is_said_of_training_where_nothing_was_timed():
    assert "training" not in tiles(replace(results(), timing={}))


@pytest.mark.parametrize(
    ("seconds", "shown"), [(3.834, "3.83 s"), (45.67, "45.7 s"), (90.0, "1.5 min"), (5400.0, "1.5 h")]
)
def test_a_time_is_in_the_unit_that_suits_it(seconds, shown):
    run = results()
    method, _ = run.best
    timing = TIMING | {"pipeline": TIMING["pipeline"] | {method: {"total": seconds}}}
    assert tiles(replace(run, timing=timing))["training"]["value"] == shown


def test_size_and_speed_are_those_of_the_best_student_beside_the_teacher():
    run = results()
    best, teacher = run.summary["methods"][run.best[0]], run.summary["teacher"]
    shown = tiles(run)
    assert shown["size"]["value"] == f"{teacher['megabytes'] / best['megabytes']:.2f}×"
    assert shown["speed"]["value"] == f"{best['sentences_per_second'] / teacher['sentences_per_second']:.2f}×"
    assert shown["best student"]["value"] == run.best[0]
