import pytest

from pipeline.reporting.markdown_page import markdown_page
from pipeline.reporting.summary import summarise
from tests.helpers.sample_results import TIMING, evaluation

STUDENTS = {
    "vanilla": {1: evaluation(0, 1), 2: evaluation(0)},
    "structural": {1: evaluation(1), 2: evaluation(1)},
    "efficient": {1: evaluation(), 2: evaluation(0, 1, 2)},
}


def summary_of(students, teacher=None):
    return summarise(teacher or evaluation(), students, task="toy", scheme="iob2", samples=100)


def cells(page, first):
    """The cells of the one table row whose first cell is `first`."""
    rows = [line.strip("|").split("|") for line in page.splitlines() if line.startswith(f"| {first} |")]
    assert rows
    return [[cell.strip() for cell in row] for row in rows]


def test_the_page_shows_both_tables_and_both_devices():
    summary = summary_of(STUDENTS)
    text = markdown_page(summary, TIMING)
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


def test_every_table_row_has_as_many_cells_as_its_header():
    width = None
    for line in markdown_page(summary_of(STUDENTS), TIMING).splitlines():
        if not line.startswith("|"):
            width = None
            continue
        width = width or line.count("|")
        assert line.count("|") == width


@pytest.mark.parametrize(
    ("teacher", "students", "complaint"),
    [
        (evaluation(0, 1, 2, 3), {"vanilla": {1: evaluation(0)}}, "the teacher's F1 is 0"),
        (
            evaluation(0, 1),
            {"vanilla": {1: evaluation(0)}},
            "the teacher's F1 of 66.67 is below the undistilled",
        ),
        (
            evaluation(),
            {"kbest": {1: evaluation(), 4: evaluation(0, 1, 2, 3)}},
            "kbest's F1 is 0 with seed 4",
        ),
    ],
)
def test_a_diverged_model_is_a_loud_warning(teacher, students, complaint):
    text = markdown_page(summary_of(students, teacher), TIMING)
    assert f"> **WARNING: {complaint}" in text.split("## Metrics")[0]


def test_a_sound_run_has_no_warning():
    assert "WARNING" not in markdown_page(summary_of(STUDENTS), TIMING)
