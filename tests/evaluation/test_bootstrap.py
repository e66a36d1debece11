from itertools import product

import numpy as np
import pytest

from pipeline.evaluation.bootstrap import FEW, p_value, resample


def draw(random, sentences, accuracy, spans=None):
    gold = random.integers(0, 4, sentences) if spans is None else spans
    hits = random.binomial(gold, accuracy)
    predicted = hits + random.binomial(gold, 0.1)
    return np.stack([hits, predicted, gold], axis=1)


def compare(a, b, **options):
    return p_value(*resample({"a": a, "b": b}, **options).values())


def slow_f1(rows):
    hits, predicted, gold = (sum(int(row[i]) for row in rows) for i in range(3))
    return 200 * hits / (predicted + gold) if predicted + gold else 0.0


def test_resampled_f1_equals_a_slow_loop_over_the_same_draws():
    random = np.random.default_rng(3)
    counts, other = [draw(random, 7, 0.8), draw(random, 7, 0.5)], [draw(random, 7, 0.9)]
    result = resample({"other": other, "method": counts}, samples=50, seed=5)["method"]
    draws = np.random.default_rng(5).integers(0, 7, (50, 7))
    expected = [np.mean([slow_f1([seed[i] for i in row]) for seed in counts]) for row in draws]
    assert result.resampled == pytest.approx(expected)
    assert result.observed == pytest.approx(np.mean([slow_f1(seed) for seed in counts]))


def test_blocks_do_not_change_the_draws(monkeypatch):
    counts = {"method": [draw(np.random.default_rng(0), 9, 0.7)]}
    whole = resample(counts, samples=30)["method"].resampled
    monkeypatch.setattr("pipeline.evaluation.bootstrap._BLOCK", 50)
    assert resample(counts, samples=30)["method"].resampled == pytest.approx(whole, abs=0)


def test_p_value_equals_a_slow_loop():
    random = np.random.default_rng(1)
    a, b = [draw(random, 40, 0.75)], [draw(random, 40, 0.7), draw(random, 40, 0.72)]

    def difference(rows):
        mean_a, mean_b = (np.mean([slow_f1(seed[rows]) for seed in method]) for method in (a, b))
        return mean_a - mean_b

    observed = difference(np.arange(40))
    draws = np.random.default_rng(2).integers(0, 40, (300, 40))
    extreme = sum(abs(difference(rows) - observed) >= abs(observed) for rows in draws)
    assert compare(a, b, samples=300, seed=2) == pytest.approx((1 + extreme) / 301)
    assert 0.02 < extreme / 300 < 0.98  # else the test would compare saturated values


def test_a_method_equals_itself():
    counts = [draw(np.random.default_rng(seed), 50, 0.8) for seed in (0, 1)]
    assert compare(counts, counts, samples=200) == 1
    assert compare(counts, counts[::-1], samples=200) == 1


def test_a_clear_difference_is_significant_in_both_directions():
    random = np.random.default_rng(0)
    gold = random.integers(1, 4, 400)
    good, bad = [draw(random, 400, 0.95, gold)], [draw(random, 400, 0.7, gold)]
    assert compare(good, bad, samples=500) == pytest.approx(1 / 501)
    assert compare(bad, good, samples=500) == pytest.approx(1 / 501)


def test_equal_methods_are_called_different_about_as_often_as_the_level_says():
    random = np.random.default_rng(0)
    values = []
    for _ in range(200):
        gold = random.integers(0, 4, 120)
        a, b = ([draw(random, 120, 0.8, gold)] for _ in range(2))
        values.append(compare(a, b, samples=300))
    # 200 trials at level 0.1: between 8 and 34 rejections but for one run in ten thousand.
    assert 8 <= sum(p < 0.1 for p in values) <= 34


@pytest.mark.parametrize("seeds", [1, 2])
def test_with_few_sentences_the_p_value_is_that_of_all_swaps(seeds):
    random = np.random.default_rng(4)
    gold = random.integers(1, 5, 8)
    a, b = ([draw(random, 8, share, gold) for _ in range(seeds)] for share in (0.9, 0.5))

    def difference(swaps):
        def f1(one, other):
            chosen = [
                [y if swap else x for x, y, swap in zip(*pair, swaps, strict=True)]
                for pair in zip(one, other, strict=True)
            ]
            return np.mean([slow_f1(rows) for rows in chosen])

        return f1(a, b) - f1(b, a)

    observed = abs(difference([False] * 8))
    found = [abs(difference(swaps)) >= observed - 1e-9 for swaps in product((False, True), repeat=8)]
    assert compare(a, b, samples=50) == pytest.approx(np.mean(found))
    assert 0 < np.mean(found) < 1


def test_two_sentences_cannot_tell_two_methods_apart():
    better, worse = [np.array([[3, 5, 5], [3, 5, 5]])], [np.array([[2, 5, 5], [2, 5, 5]])]
    assert compare(better, worse) == 0.5


@pytest.mark.parametrize("sentences", [2, 5, 12, 20, FEW])
def test_equal_methods_are_rarely_called_different_however_few_the_sentences(sentences):
    random = np.random.default_rng(0)
    spans = np.full(sentences, 5)
    found = 0
    for _ in range(300):
        a, b = ([np.stack([random.binomial(5, 0.6, sentences), spans, spans], 1)] for _ in range(2))
        found += compare(a, b, samples=500) < 0.05
    assert found <= 29  # of 300 at the level 0.05: more in one run of ten thousand


def test_few_sentences_with_unlike_seeds_have_no_p_value():
    counts = draw(np.random.default_rng(0), 6, 0.8)
    assert compare([counts], [counts, counts]) is None


def test_no_spans_at_all():
    nothing = [np.zeros((5, 3), dtype=np.int64)]
    assert compare(nothing, nothing, samples=20) == 1


def test_unlike_test_sets_are_refused():
    a, b = ([np.ones((n, 3), dtype=np.int64)] for n in (4, 5))
    with pytest.raises(ValueError, match="4 and 5 sentences"):
        compare(a, b)
    with pytest.raises(ValueError, match="4 sentences against 5"):
        p_value(resample({"a": a})["a"], resample({"b": b})["b"])
    with pytest.raises(ValueError, match="no test sentence"):
        resample({"method": [np.zeros((0, 3), dtype=np.int64)]})
