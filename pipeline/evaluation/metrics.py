"""Span and word metrics of predicted tags, counted as the CoNLL evaluation script counts them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.corpora.tagging import Scheme, Tags, spans

GOLD = "gold tags"
"""What F1 on development compares with."""
AGREEMENT = "agreement with the teacher"
"""What it compares with where no sentence is labelled."""


@dataclass(frozen=True)
class Rates:
    """Precision, recall and F1 in percent, of `predicted` units against `gold` units."""

    precision: float
    recall: float
    f1: float
    predicted: int
    gold: int


@dataclass(frozen=True)
class Metrics:
    """What a tagger reached on a corpus; all in percent.

    `precision`, `recall` and `f1` count spans, `token_f1` the words that are not O (a word is right when its
    whole tag is), `accuracy` all words. `types` has the span rates of each type.
    """

    precision: float
    recall: float
    f1: float
    token_f1: float
    accuracy: float
    types: dict[str, Rates]


def compute_metrics(gold: Sequence[Tags], predicted: Sequence[Tags], *, scheme: Scheme) -> Metrics:
    """Compare predicted tags with gold tags, sentence by sentence.

    With the scheme `plain` every word is a span of its own, so that all five figures are the accuracy.

    Raises:
        ValueError: the two differ in sentences or words, or a tag does not belong to the scheme.
    """
    _check_shapes(gold, predicted)
    hits, guesses, truths = Counter[str](), Counter[str](), Counter[str]()
    for gold_tags, predicted_tags in zip(gold, predicted, strict=True):
        gold_spans, predicted_spans = spans(gold_tags, scheme=scheme), spans(predicted_tags, scheme=scheme)
        truths.update(kind for kind, _, _ in gold_spans)
        guesses.update(kind for kind, _, _ in predicted_spans)
        hits.update(kind for kind, _, _ in gold_spans & predicted_spans)

    pairs = [pair for sentence in zip(gold, predicted, strict=True) for pair in zip(*sentence, strict=True)]
    right = [true for true, guess in pairs if true == guess]
    outside = None if scheme == "plain" else "O"
    words = _rates(
        sum(true != outside for true in right),
        sum(guess != outside for _, guess in pairs),
        sum(true != outside for true, _ in pairs),
    )
    overall = _rates(hits.total(), guesses.total(), truths.total())
    return Metrics(
        precision=overall.precision,
        recall=overall.recall,
        f1=overall.f1,
        token_f1=words.f1,
        accuracy=_percent(len(right), len(pairs)),
        types={kind: _rates(hits[kind], guesses[kind], truths[kind]) for kind in sorted(truths | guesses)},
    )


def sentence_counts(gold: Sequence[Tags], predicted: Sequence[Tags], *, scheme: Scheme) -> NDArray[np.int64]:
    """Per sentence the spans found right, predicted, and in gold: [sentences, 3], what F1 is made of.

    Raises:
        ValueError: as `compute_metrics`.
    """
    _check_shapes(gold, predicted)
    counts = np.zeros((len(gold), 3), dtype=np.int64)
    for row, gold_tags, predicted_tags in zip(counts, gold, predicted, strict=True):
        gold_spans, predicted_spans = spans(gold_tags, scheme=scheme), spans(predicted_tags, scheme=scheme)
        row[:] = len(gold_spans & predicted_spans), len(predicted_spans), len(gold_spans)
    return counts


def confusion(gold: Sequence[Tags], predicted: Sequence[Tags]) -> Iterable[tuple[str, str]]:
    """One (actual, predicted) pair of tags per word, the rows that DVC's confusion plot counts.

    Raises:
        ValueError: the two differ in sentences or words.
    """
    _check_shapes(gold, predicted)
    for gold_tags, predicted_tags in zip(gold, predicted, strict=True):
        yield from zip(gold_tags, predicted_tags, strict=True)


def _check_shapes(gold: Sequence[Tags], predicted: Sequence[Tags]) -> None:
    if len(gold) != len(predicted):
        raise ValueError(f"{len(gold)} gold sentences but {len(predicted)} predicted ones")
    for number, (gold_tags, predicted_tags) in enumerate(zip(gold, predicted, strict=True)):
        if len(gold_tags) != len(predicted_tags):
            raise ValueError(
                f"sentence {number} has {len(gold_tags)} gold tags but {len(predicted_tags)} predicted ones"
            )


def _rates(hits: int, predicted: int, gold: int) -> Rates:
    """2·hits / (predicted + gold) is the harmonic mean of precision and recall, without their 0/0."""
    return Rates(
        precision=_percent(hits, predicted),
        recall=_percent(hits, gold),
        f1=_percent(2 * hits, predicted + gold),
        predicted=predicted,
        gold=gold,
    )


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0.0
