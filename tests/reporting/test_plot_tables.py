"""What `dvc plots` and the report draw is what was measured."""

import csv
from dataclasses import replace

import pandas as pd
import pytest

from pipeline.reporting import plot_tables
from pipeline.reporting.summary import summarise
from tests.helpers.sample_results import GOLD, TIMING, evaluation

STUDENTS = {
    "vanilla": {1: evaluation(0, 1), 2: evaluation(0)},
    "structural": {1: evaluation(1), 2: evaluation(1)},
    "efficient": {1: evaluation(), 2: evaluation(0, 1, 2)},
}


def summary_of(students):
    return summarise(evaluation(), students, task="toy", scheme="iob2", samples=100)


def rows_of(frame):
    """Header and rows as tuples."""
    return [tuple(frame.columns), *frame.itertuples(index=False, name=None)]


def test_f1_frame():
    summary = summary_of(STUDENTS)
    header, teacher, *rows = rows_of(plot_tables.f1_frame(summary))
    assert (header, teacher) == (("method", "seed", "f1"), ("teacher", "", 100))
    expected = [
        (method, str(seed), run.metrics["f1"])
        for method, runs in STUDENTS.items()
        for seed, run in runs.items()
    ]
    assert rows == expected


def test_learning_curve_frame():
    epochs = [{"epoch": n, "loss": 1 / n, "development_f1": 80.0 + n} for n in (1, 2)]
    rows = rows_of(plot_tables.learning_curve_frame(epochs, {"kbest": {3: epochs[:1]}}))
    assert rows == [
        ("model", "seed", "epoch", "development_f1", "loss"),
        ("teacher", "", 1, 81, 1),
        ("teacher", "", 2, 82, 0.5),
        ("kbest", "3", 1, 81, 1),
    ]


def test_epoch_time_frame_holds_each_phase_once_and_the_lower_bound_in_both_blocks():
    _, *rows = rows_of(plot_tables.epoch_time_frame(TIMING))
    assert ("published", "structural", "student_backward", 50) in rows
    assert ("pipeline", "structural", "teacher_forward", 0) in rows
    assert ("published", "lower bound", "student_forward", 5) in rows
    assert ("pipeline", "lower bound", "student_forward", 5) in rows
    assert len(rows) == len(set(rows)) == 2 * 4 * 3
    assert not any("total" in tuple(row) for row in rows)


def test_confusion_frame_counts_the_words_of_all_seeds():
    header, *rows = rows_of(plot_tables.confusion_frame([evaluation(0), evaluation()]))
    assert header == ("actual", "predicted", "words")
    assert ("B-PER", "O", 1) in rows
    assert ("B-PER", "B-PER", 3) in rows
    assert sum(int(str(row[-1])) for row in rows) == 2 * sum(map(len, GOLD))


def test_csv_is_read_back_as_written(tmp_path):
    path = tmp_path / "plots" / "x.csv"
    plot_tables.write_csv(path, pd.DataFrame([('quote " and, comma', 0.1)], columns=["a", "b"]))
    assert list(csv.reader(path.read_text().splitlines())) == [["a", "b"], ['quote " and, comma', "0.1"]]
    assert b"\r" not in path.read_bytes()


def test_types_are_compared_without_their_letters_and_plain_tags_as_they_are():
    _, *rows = rows_of(plot_tables.type_confusion_frame({"m": [evaluation(0), evaluation()]}, scheme="iob2"))
    assert ("PER", "O", 2, "m") in rows  # the two words of the span that one of the two missed
    assert ("PER", "PER", 4, "m") in rows
    _, *plain = rows_of(plot_tables.type_confusion_frame({"m": [evaluation()]}, scheme="plain"))
    assert ("B-PER", "B-PER", 2, "m") in plain


def test_latency_is_the_time_of_one_sentence():
    students = {"vanilla": {1: evaluation(0, speed=500.0)}}
    header, teacher, student = rows_of(plot_tables.f1_by_latency_frame(summary_of(students)))
    assert header == ("model", "milliseconds", "f1", "megabytes")
    assert teacher == ("teacher", 10.0, 100.0, 69.2)
    assert student == ("vanilla", 2.0, pytest.approx(600 / 7), 69.2)


def test_reliability_takes_the_words_of_all_seeds_together():
    _, row = rows_of(plot_tables.reliability_frame({"m": [evaluation(0), evaluation()]}))
    words = 2 * sum(map(len, GOLD))
    assert row == ("m", 87.5, pytest.approx(100 * (words - 2) / words), words)


def test_transitions_are_compared_by_name_where_both_models_have_the_tags():
    teacher = (["O", "B", "I"], [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]])
    student = (["B", "O"], [[5.5, 4.5], [2.5, 1.5]])
    _, *rows = rows_of(plot_tables.transitions_frame(teacher, student, "s"))
    assert len(rows) == 3 * 4
    assert ("teacher", "O", "B", 2.0) in rows
    assert ("s", "O", "B", 2.5) in rows
    assert ("s − teacher", "O", "B", 0.5) in rows


def test_a_type_named_o_is_not_the_tag_o():
    run = evaluation()
    run = replace(run, gold=[["B-O" if tag == "B-PER" else tag for tag in tags] for tags in run.gold])
    frame = plot_tables.type_confusion_frame({"teacher": [run]}, scheme="iob2")
    assert "type O" in set(frame["actual"])
