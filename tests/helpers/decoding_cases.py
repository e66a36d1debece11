"""Chains to decode, and the sequences of a sentence by their scores."""

import itertools

import pytest
import torch

from pipeline.chain import LinearChain
from tests.helpers.brute_force import BruteForce

cases = pytest.mark.parametrize(
    ("lengths", "tags", "scale", "dtype"),
    list(
        itertools.product(
            [[1], [4], [5], [2, 1], [5, 1, 3, 2, 4]], [1, 2, 3, 4], [1.0, 1e4], [torch.float64, torch.float32]
        )
    ),
)


def ranked(chain: LinearChain, row: int, length: int) -> tuple[torch.Tensor, torch.Tensor]:
    oracle = BruteForce(chain.emissions[row, :length], chain.transitions, chain.start, chain.end)
    scores, order = oracle.scores.detach().sort(descending=True)
    return scores, oracle.sequences[order]
