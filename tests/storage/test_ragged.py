"""Ragged rows come out padded, in any order, as they were laid in."""

import torch

from pipeline.storage.ragged import Ragged

ROWS = [[3, 1], [], [4, 1, 5], [9]]
FLAT = [3, 1, 4, 1, 5, 9]


def flat() -> Ragged:
    return Ragged.of(torch.tensor(FLAT), torch.tensor([len(row) for row in ROWS]))


def test_lengths_are_those_of_the_rows():
    assert flat().lengths.tolist() == [2, 0, 3, 1]
    assert flat().offsets.tolist() == [0, 2, 2, 5, 6]


def test_rows_are_padded_with_zero_in_the_order_asked_for():
    padded, lengths = flat().padded(torch.tensor([3, 2, 1, 2, 0]))

    assert lengths.tolist() == [1, 3, 0, 3, 2]
    assert padded.tolist() == [[9, 0, 0], [4, 1, 5], [0, 0, 0], [4, 1, 5], [3, 1, 0]]


def test_rows_may_be_of_vectors():
    rows = Ragged.of(torch.arange(12.0).view(6, 2), torch.tensor([2, 4]))

    padded, _ = rows.padded(torch.tensor([0, 1]))

    assert padded.shape == (2, 4, 2)
    assert padded[0].tolist() == [[0, 1], [2, 3], [0, 0], [0, 0]]
    assert padded[1].flatten().tolist() == list(range(4, 12))


def test_padding_changes_nothing_in_the_flat_values():
    rows = flat()
    padded, _ = rows.padded(torch.tensor([0, 2]))
    padded += 100
    assert rows.values.tolist() == FLAT
