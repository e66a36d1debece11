"""The error is counted by hand."""

import pytest

from pipeline.evaluation.calibration import calibration


def test_the_error_is_the_gap_of_each_bin_by_its_share_of_words():
    gold, predicted = [["O", "B-X", "O"], ["B-Y"]], [["O", "O", "O"], ["B-Y"]]
    result = calibration(gold, predicted, [[0.95, 0.55, 0.91], [1.0]])
    assert result["bins"] == [
        {"words": 1, "confidence": pytest.approx(55), "accuracy": 0.0},
        {"words": 3, "confidence": pytest.approx(100 * (0.95 + 0.91 + 1.0) / 3), "accuracy": 100.0},
    ]
    expected = 1 / 4 * 55 + 3 / 4 * (100 - 100 * (0.95 + 0.91 + 1.0) / 3)
    assert result["error"] == pytest.approx(expected)


def test_a_tagger_that_is_as_often_right_as_it_is_sure_has_no_error():
    result = calibration([["A"] * 4], [["A", "A", "A", "B"]], [[0.75] * 4])
    assert result["error"] == pytest.approx(0)
