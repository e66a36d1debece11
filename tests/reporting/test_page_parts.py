"""The headline's figures are the run's, and none is made up of figures of different things."""

from dataclasses import replace

import pytest

from pipeline.reporting.page_parts import _lost, headline, pictures
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


def test_the_sentence_says_why_there_is_no_gap():
    assert "vanilla, was not run" in headline(results(methods=["structural", "efficient"]))["sentence"]
    assert "no other method was run" in headline(results(methods=["vanilla"]))["sentence"]


def test_a_matrix_of_too_many_tags_is_not_drawn():
    few, many = (results(types=[f"T{number:02}" for number in range(count)]) for count in (3, 40))
    assert "Transition scores" in {picture["alt"] for picture in pictures(few)}
    assert "Transition scores" not in {picture["alt"] for picture in pictures(many)}


def test_what_was_lost_is_told_in_tenths_of_a_span_where_seeds_differ():
    rows = [{"name": "LOC", "spans": 1 / 3, "gold": 9, "difference": -3.7}]
    assert "it finds 0.3 spans fewer than the teacher, of 9 (F1 -3.7)" in _lost(rows, "efficient")
    assert "it finds 2 spans fewer" in _lost([rows[0] | {"spans": 2.0}], "efficient")
    assert _lost([rows[0] | {"spans": 0.0}], "efficient") == ""
