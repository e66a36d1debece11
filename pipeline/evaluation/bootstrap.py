"""The paired bootstrap over test sentences: could a difference in F1 come from the choice of sentences?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_BLOCK = 1 << 22  # sentence draws per block: bounds the memory to some tens of MiB


@dataclass(frozen=True)
class Resampled:
    """F1 in percent, mean over seeds: `observed` on the test set, `resampled` [samples] on its resamples."""

    observed: float
    resampled: NDArray[np.float64]


def resample(counts: Sequence[NDArray[np.int64]], *, samples: int = 10_000, seed: int = 0) -> Resampled:
    """Draw as many sentences as there are, with replacement, `samples` times, and take the F1 of each draw.

    Args:
        counts: per training seed [sentences, 3]: spans found right, predicted, gold (`sentence_counts`).
        samples: number of draws.
        seed: with the same seed, any two methods are measured on the same draws, which pairs them.

    Raises:
        ValueError: no seed or no sentence is given, or the seeds differ in sentences.
    """
    table = np.stack(counts, axis=1)  # [S sentences, R seeds, 3]
    sentences, seeds, _ = table.shape
    if not sentences:
        raise ValueError("no test sentence to resample")
    # The products are sums of whole numbers below 2^24, which float32 holds exactly.
    flat = table.reshape(sentences, seeds * 3).astype(np.float32)
    random = np.random.default_rng(seed)
    block = max(1, _BLOCK // sentences)
    f1 = []
    for first in range(0, samples, block):
        rows = min(block, samples - first)
        draws = random.integers(0, sentences, (rows, sentences)) + sentences * np.arange(rows)[:, None]
        times_drawn = np.bincount(draws.ravel(), minlength=rows * sentences).reshape(rows, sentences)
        f1.append(_mean_f1((times_drawn.astype(np.float32) @ flat).reshape(rows, seeds, 3)))
    return Resampled(float(_mean_f1(table.sum(0, keepdims=True))[0]), np.concatenate(f1))


def p_value(a: Resampled, b: Resampled) -> float:
    """Two-sided p-value of the difference in F1 of two methods resampled with the same seed.

    With D the observed difference and D* a resampled one, (1 + #{|D* − D| ≥ |D|}) / (1 + samples): how often
    resampling alone moves the difference as far as it lies from zero. The seeds are taken as given.
    """
    observed = a.observed - b.observed
    moved = np.abs(a.resampled - b.resampled - observed)
    # The slack keeps rounding from breaking ties: two equal methods have p = 1.
    extreme = int((moved >= abs(observed) - 1e-9).sum())
    return (1 + extreme) / (1 + len(moved))


def paired_bootstrap(
    counts_a: Sequence[NDArray[np.int64]],
    counts_b: Sequence[NDArray[np.int64]],
    *,
    samples: int = 10_000,
    seed: int = 0,
) -> float:
    """Two-sided p-value of the F1 difference of two methods, from per-seed counts [sentences, 3] each.

    Raises:
        ValueError: as `resample`, or the two methods were not scored on the same number of sentences.
    """
    if len(counts_a[0]) != len(counts_b[0]):
        raise ValueError(f"{len(counts_a[0])} sentences against {len(counts_b[0])}: not the same test set")
    return p_value(
        resample(counts_a, samples=samples, seed=seed), resample(counts_b, samples=samples, seed=seed)
    )


def _mean_f1(counts: NDArray) -> NDArray[np.float64]:
    """[draws, seeds, 3] → [draws]: the mean F1 of the seeds in percent, 0 where no span is at all."""
    hits, predicted, gold = np.moveaxis(counts.astype(np.float64), -1, 0)
    units = predicted + gold
    f1 = np.divide(200 * hits, units, out=np.zeros_like(units), where=units > 0)
    mean: NDArray[np.float64] = f1.mean(-1)
    return mean
