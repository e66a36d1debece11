"""A word's confidence is its tag's share of all tag sequences; the error is counted by hand."""

import pytest
import torch

from pipeline.device import accelerator
from pipeline.encoding.batching import Batches
from pipeline.encoding.encoded import load
from pipeline.evaluation.calibration import calibration, word_confidences
from pipeline.model.model_folder import load_model
from pipeline.model.prediction import predict
from tests.helpers.brute_force import BruteForce


def test_confidence_is_the_share_of_all_sequences_with_the_tag(corpus, teacher):
    model, batches, device = (
        load_model(teacher),
        Batches(load(corpus / "test.parquet"), 4),
        accelerator("float32"),
    )
    predicted = predict(model, batches, device)
    found = word_confidences(model, batches, device, predicted)
    assert list(map(len, found)) == list(map(len, predicted))
    checked = 0
    for ids in batches.in_order():
        with torch.inference_mode():
            chain = model.chain(batches.batch(ids))
        for place, row in enumerate(ids.tolist()):
            length = len(predicted[row])
            if length > 4:
                continue
            sentence = BruteForce(chain.emissions[place, :length], chain.transitions, chain.start, chain.end)
            shares = (sentence.scores - sentence.log_partition()).exp().detach()
            for word, tag in enumerate(predicted[row]):
                with_tag = sentence.sequences[:, word] == model.tag_set.index[tag]
                assert found[row][word] == pytest.approx(float(shares[with_tag].sum()), rel=1e-4)
                checked += 1
    assert checked > 3


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
