"""How sure a tagger is of the tags that it gives, and how often it is right when it is so sure."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.corpora.tagging import Tags

BINS = 10
"""Of equal width, from 0 to 1."""


def calibration(
    gold: Sequence[Tags], predicted: Sequence[Tags], confidences: Sequence[Sequence[float]]
) -> dict[str, Any]:
    """The expected calibration error over words, and the bins that it is made of (Guo et al. 2017, Eq. 3).

    Σ_m |B_m| / n · |accuracy(B_m) − confidence(B_m)|, where B_m are the words whose confidence is in the
    m-th of BINS bins of equal width, and n is the number of words.

    Args:
        gold: the tags that are right.
        predicted: the tags that a tagger gave.
        confidences: of the predicted tags, from 0 to 1.

    Returns:
        `error` in percent, 0 without words; `bins`, of those that are not empty: `words`, mean `confidence`
        and `accuracy` in percent.

    Raises:
        ValueError: gold and predicted tags differ in number.
    """
    right = np.array(
        [a == b for tags in zip(gold, predicted, strict=True) for a, b in zip(*tags, strict=True)]
    )
    sure = np.array([value for sentence in confidences for value in sentence])
    places = np.minimum((sure * BINS).astype(np.int64), BINS - 1)
    bins = [
        {
            "words": int(here.sum()),
            "confidence": 100 * float(sure[here].mean()),
            "accuracy": 100 * float(right[here].mean()),
        }
        for here in (places == number for number in range(BINS))
        if here.any()
    ]
    error = sum(one["words"] * abs(one["accuracy"] - one["confidence"]) for one in bins) / max(len(sure), 1)
    return {"error": error, "bins": bins}
