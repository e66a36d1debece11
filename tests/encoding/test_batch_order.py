"""Batches are asked for by their place in the order, and only then laid out."""

import torch

from pipeline.encoding.batch_order import BatchOrder, MixedOrder


def lists(order: BatchOrder | MixedOrder) -> list[list[int]]:
    return [batch.tolist() for batch in order]


def three_batches() -> BatchOrder:
    """{5, 2}, {7} and {1, 3, 4}, the last one first."""
    ids = torch.tensor([5, 2, 7, 1, 3, 4], dtype=torch.int32)
    return BatchOrder(ids, torch.tensor([0, 2, 3, 6]), torch.tensor([2, 0, 1]))


def test_a_batch_is_the_ids_between_two_starts() -> None:
    order = three_batches()
    assert len(order) == 3
    assert lists(order) == [[1, 3, 4], [5, 2], [7]]
    assert order[-1].tolist() == [7]
    assert order[0].dtype == torch.int64
    assert lists(order[1:]) == [[5, 2], [7]]


def test_the_batches_of_several_orders_are_counted_through() -> None:
    other = BatchOrder(torch.tensor([0, 1], dtype=torch.int32), torch.tensor([0, 1, 2]), torch.tensor([1, 0]))
    mixed = MixedOrder([three_batches(), other], [0, 100], torch.tensor([3, 0, 4, 2, 1]))
    assert lists(mixed) == [[101], [1, 3, 4], [100], [7], [5, 2]]
    assert lists(mixed[2:4]) == [[100], [7]]
