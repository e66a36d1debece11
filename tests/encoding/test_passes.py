"""Passes over the sentences, each in an order of its own, from any batch on."""

from collections.abc import Sequence
from itertools import chain, islice

import torch
from torch import Tensor

from pipeline.encoding.passes import passes

BATCHES = 3


class Shuffled:
    """Three batches of two ids, in an order that the seed gives."""

    def __len__(self) -> int:
        return BATCHES

    def shuffled(self, seed: int) -> Sequence[Tensor]:
        return torch.randperm(2 * BATCHES, generator=torch.Generator().manual_seed(seed)).split(2)


def stream(seed: int, start: int, count: int) -> list[list[int]]:
    return [ids.tolist() for ids in islice(passes(Shuffled(), seed, start), count)]


def test_every_pass_has_each_sentence_once_in_another_order() -> None:
    batches = stream(1, 0, 2 * BATCHES)
    first, second = ([*chain(*part)] for part in (batches[:BATCHES], batches[BATCHES:]))
    assert sorted(first) == sorted(second) == list(range(2 * BATCHES))
    assert first != second


def test_a_stream_goes_on_from_any_batch() -> None:
    whole = stream(1, 0, 10)
    for start in range(8):
        assert stream(1, start, 2) == whole[start : start + 2]


def test_another_seed_gives_other_passes() -> None:
    assert stream(1, 0, 4) == stream(1, 0, 4) != stream(2, 0, 4)
