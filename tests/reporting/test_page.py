import csv

import pandas as pd
import pytest

from pipeline.reporting import page
from pipeline.reporting.summary import summarise
from pipeline.reporting.tables import training_warnings
from tests.helpers.sample_results import GOLD, TIMING, outcome

STUDENTS = {
    "vanilla": {1: outcome(0, 1), 2: outcome(0)},
    "structural": {1: outcome(1), 2: outcome(1)},
    "efficient": {1: outcome(), 2: outcome(0, 1, 2)},
}


def summary_of(students, teacher=None):
    return summarise(teacher or outcome(), students, task="toy", scheme="iob2", samples=100)


def cells(page, first):
    """The cells of the one table row whose first cell is `first`."""
    rows = [line.strip("|").split("|") for line in page.splitlines() if line.startswith(f"| {first} |")]
    assert rows
    return [[cell.strip() for cell in row] for row in rows]


def test_the_page_shows_both_tables_and_both_devices():
    summary = summary_of(STUDENTS)
    text = page.page(summary, TIMING)
    quality, published, pipeline = cells(text, "`structural`")
    f1 = summary["methods"]["structural"]["f1"]
    assert quality[3] == f"{f1['mean']:.2f} ± 0.00"
    assert quality[5] == f"{100 * summary['methods']['structural']['gap_closed']:.0f}%"
    assert quality[8:] == ["17.3 M", "69.2", "100"]
    assert published[1:] == ["20.00", "30.00", "50.00", "100.00", "24.00 – 101.00", "4.00"]
    assert pipeline[1:] == ["–", "7.00", "21.00", "28.00", "23.00 – 29.00", "1.12"]
    assert cells(text, "teacher")[0][1:5] == ["100.00"] * 4
    assert "a <small> machine" in text
    assert "a <slow> machine" in text
    assert "takes 0.25 of the time of `structural` as published" in text
    assert "the teacher's forward pass takes 20%" in text
    assert "the student's encoder and optimiser 25%" in text
    assert "recursions and losses 55%" in text


def test_f1_of_constrained_decoding_stands_beside_the_free_one():
    text = page.page(summary_of(STUDENTS), TIMING)
    (line,) = (line for line in text.splitlines() if "constrained decoding" in line)
    figures = summary_of(STUDENTS)["methods"]["structural"]["constrained_f1"]
    assert "teacher 50.00" in line
    assert f"`structural` {figures['mean']:.2f} ± 0.00" in line
    old = summary_of(STUDENTS)
    del old["teacher"]["constrained_f1"]
    assert "constrained decoding" not in page.page(old, TIMING)


def test_every_table_row_has_as_many_cells_as_its_header():
    width = None
    for line in page.page(summary_of(STUDENTS), TIMING).splitlines():
        if not line.startswith("|"):
            width = None
            continue
        width = width or line.count("|")
        assert line.count("|") == width


def test_differences_are_called_significant_or_not():
    few = page.page(summary_of(STUDENTS), TIMING)
    line = next(line for line in few.splitlines() if line.startswith("- `efficient`"))
    assert line.count("not significant") == 2
    assert "structural, the best baseline" in line
    many = {
        "vanilla": {1: outcome(0, 1, repeat=50)},
        "efficient": {1: outcome(repeat=50)},
    }
    text = page.page(summary_of(many, outcome(repeat=50)), TIMING)
    line = next(line for line in text.splitlines() if line.startswith("- `efficient`"))
    assert "+33.33 F1 against vanilla" in line
    assert line.endswith("), significant.")
    assert "With one seed the spread over seeds is unknown" in text
    assert "With one seed" not in few


@pytest.mark.parametrize(
    ("teacher", "students", "complaint"),
    [
        (outcome(0, 1, 2, 3), {"vanilla": {1: outcome(0)}}, "the teacher's F1 is 0"),
        (outcome(0, 1), {"vanilla": {1: outcome(0)}}, "the teacher's F1 of 66.67 is below the undistilled"),
        (outcome(), {"kbest": {1: outcome(), 4: outcome(0, 1, 2, 3)}}, "kbest's F1 is 0 with seed 4"),
    ],
)
def test_a_diverged_model_is_a_loud_warning(teacher, students, complaint):
    text = page.page(summary_of(students, teacher), TIMING)
    assert f"> **WARNING: {complaint}" in text.split("## Metrics")[0]


def test_a_test_split_without_spans_is_no_failed_training():
    summary = summary_of(STUDENTS) | {"spans": 0}
    (warning,) = training_warnings(summary)
    assert warning.startswith("every tag of the test split is O")
    assert "diverged" not in warning


def test_a_sound_run_has_no_warning():
    assert "WARNING" not in page.page(summary_of(STUDENTS), TIMING)


def rows_of(frame):
    """Header and rows as tuples."""
    return [tuple(frame.columns), *frame.itertuples(index=False, name=None)]


def test_f1_frame():
    summary = summary_of(STUDENTS)
    header, teacher, *rows = rows_of(page.f1_frame(summary))
    assert (header, teacher) == (("method", "seed", "f1"), ("teacher", "", 100))
    expected = [
        (method, str(seed), run.metrics["f1"])
        for method, runs in STUDENTS.items()
        for seed, run in runs.items()
    ]
    assert rows == expected


def test_learning_curve_frame():
    epochs = [{"epoch": n, "loss": 1 / n, "development_f1": 80.0 + n} for n in (1, 2)]
    rows = rows_of(page.learning_curve_frame(epochs, {"kbest": {3: epochs[:1]}}))
    assert rows == [
        ("model", "seed", "epoch", "development_f1", "loss"),
        ("teacher", "", 1, 81, 1),
        ("teacher", "", 2, 82, 0.5),
        ("kbest", "3", 1, 81, 1),
    ]


def test_epoch_time_frame_holds_each_phase_once_and_the_lower_bound_in_both_blocks():
    _, *rows = rows_of(page.epoch_time_frame(TIMING))
    assert ("published", "structural", "student_backward", 50) in rows
    assert ("pipeline", "structural", "teacher_forward", 0) in rows
    assert ("published", "lower bound", "student_forward", 5) in rows
    assert ("pipeline", "lower bound", "student_forward", 5) in rows
    assert len(rows) == len(set(rows)) == 2 * 4 * 3
    assert not any("total" in tuple(row) for row in rows)


def test_confusion_frame_counts_the_words_of_all_seeds():
    header, *rows = rows_of(page.confusion_frame([outcome(0), outcome()]))
    assert header == ("actual", "predicted", "words")
    assert ("B-PER", "O", 1) in rows
    assert ("B-PER", "B-PER", 3) in rows
    assert sum(int(str(row[-1])) for row in rows) == 2 * sum(map(len, GOLD))


def test_csv_is_read_back_as_written(tmp_path):
    path = tmp_path / "plots" / "x.csv"
    page.write_csv(path, pd.DataFrame([('quote " and, comma', 0.1)], columns=["a", "b"]))
    assert list(csv.reader(path.read_text().splitlines())) == [["a", "b"], ['quote " and, comma', "0.1"]]
    assert b"\r" not in path.read_bytes()
