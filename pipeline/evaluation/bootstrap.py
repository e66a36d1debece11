"""Could a difference in F1 come from the choice of test sentences? Paired bootstrap or permutation test."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

FEW = 30
"""Below so many sentences the bootstrap calls equal methods different too often; see `p_value`."""

_BLOCK = 1 << 22  # sentence draws per block: bounds the memory to some tens of MiB
_EXACT = 13  # sentences whose 2^S permutations are all looked at


@dataclass(frozen=True)
class Resampled:
    """F1 in percent, mean over R seeds.

    counts: [S sentences, R, 3] spans found right, predicted, gold.
    observed: on the test set.
    resampled: [samples] on its resamples.
    """

    counts: NDArray[np.int64]
    observed: float
    resampled: NDArray[np.float64]


def resample(
    counts: Mapping[str, Sequence[NDArray[np.int64]]], *, samples: int = 10_000, seed: int = 0
) -> dict[str, Resampled]:
    """Draw as many sentences as there are, with replacement, `samples` times, and take the F1 of each draw.

    All methods are measured on the same draws, which pairs them.

    Args:
        counts: by method, and per training seed [sentences, 3]: spans found right, predicted, gold
            (`sentence_counts`).
        samples: number of draws.
        seed: of the draws.

    Raises:
        ValueError: no seed or no sentence is given, or they differ in sentences.
    """
    if not counts:
        return {}
    tables = {method: np.stack(seeds, axis=1) for method, seeds in counts.items()}  # [S, R seeds, 3]
    if len(sizes := {len(table) for table in tables.values()}) > 1:
        raise ValueError(f"{' and '.join(map(str, sorted(sizes)))} sentences: not the same test set")
    together = np.concatenate([*tables.values()], axis=1)
    sentences, seeds, _ = together.shape
    if not sentences:
        raise ValueError("no test sentence to resample")
    # The products are sums of whole numbers below 2^24, which float32 holds exactly.
    flat = together.reshape(sentences, seeds * 3).astype(np.float32)
    random = np.random.default_rng(seed)
    block = max(1, _BLOCK // sentences)
    f1 = []
    for first in range(0, samples, block):
        rows = min(block, samples - first)
        draws = random.integers(0, sentences, (rows, sentences)) + sentences * np.arange(rows)[:, None]
        times_drawn = np.bincount(draws.ravel(), minlength=rows * sentences).reshape(rows, sentences)
        f1.append(_f1((times_drawn.astype(np.float32) @ flat).reshape(rows, seeds, 3)))
    ends = np.cumsum([table.shape[1] for table in tables.values()])
    resampled = np.split(np.concatenate(f1), ends[:-1], axis=1)
    return {
        method: Resampled(table, float(_f1(table.sum(0)).mean()), of_method.mean(1))
        for (method, table), of_method in zip(tables.items(), resampled, strict=True)
    }


def significance_test(sentences: int) -> str:
    """The name of the test that `p_value` makes with so many test sentences."""
    return "permutation test" if sentences < FEW else "paired bootstrap"


def p_value(a: Resampled, b: Resampled) -> float | None:
    """Two-sided p-value of the difference in F1 of two methods that were resampled together.

    With D the observed difference and D* a resampled one, (1 + #{|D* − D| ≥ |D|}) / (1 + samples): how often
    resampling alone moves the difference as far as it lies from zero. The seeds are taken as given.

    With fewer than FEW sentences it is the p-value of a permutation test, which keeps its level whatever
    their number: how often the difference is as large when the two methods' tags are swapped in each sentence
    with probability ½ (all 2^S ways up to 13 sentences, else as many as there are samples). Methods with
    unlike numbers of seeds cannot be swapped, and have None.

    Raises:
        ValueError: the two were not measured on as many sentences.
    """
    if len(a.counts) != len(b.counts):
        raise ValueError(f"{len(a.counts)} sentences against {len(b.counts)}: not the same test set")
    observed = a.observed - b.observed
    if len(a.counts) < FEW and a.counts.shape != b.counts.shape:
        return None
    if len(a.counts) < FEW:
        return _permutation_p(a.counts, b.counts, abs(observed), len(a.resampled))
    moved = np.abs(a.resampled - b.resampled - observed)
    # The slack keeps rounding from breaking ties: two equal methods have p = 1.
    extreme = int((moved >= abs(observed) - 1e-9).sum())
    return (1 + extreme) / (1 + len(moved))


def _permutation_p(a: NDArray[np.int64], b: NDArray[np.int64], observed: float, samples: int) -> float:
    """The share of swaps of `a` and `b` [S, R, 3] by sentence that differ in F1 by `observed` or more."""
    exact = len(a) <= _EXACT
    if exact:
        swaps = np.array(list(product((False, True), repeat=len(a))))
    else:
        swaps = np.random.default_rng(0).random((samples, len(a))) < 0.5
    swapped, kept = (np.einsum("ns,srk->nrk", swaps, one - other) for one, other in ((b, a), (a, b)))
    difference = _f1(a.sum(0) + swapped).mean(-1) - _f1(b.sum(0) + kept).mean(-1)
    extreme = int((np.abs(difference) >= observed - 1e-9).sum())
    return extreme / len(swaps) if exact else (1 + extreme) / (1 + len(swaps))


def _f1(counts: NDArray) -> NDArray[np.float64]:
    """[..., 3] → [...]: F1 in percent, 0 where no span is at all."""
    hits, predicted, gold = np.moveaxis(counts.astype(np.float64), -1, 0)
    units = predicted + gold
    f1: NDArray[np.float64] = np.divide(200 * hits, units, out=np.zeros_like(units), where=units > 0)
    return f1
