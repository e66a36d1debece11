"""Moments: the expected sufficient statistics of a distribution over tag sequences."""

from typing import NamedTuple

import torch
from torch import Tensor

from pipeline.chain.precision import full_precision


class Moments(NamedTuple):
    """E_q[φ] of one batch: how often each tag and each transition is expected.

    `unary` [B, L, N] is the probability of tag j at word l, 0 at padding; its first and its last word are
    the moments of `start` and `end`. `pairs` [B, N, N] is the expected number of transitions i -> j.
    """

    unary: Tensor
    pairs: Tensor

    def mix(self, other: "Moments", weight: float) -> "Moments":
        """The moments of the mixture weight · self + (1 - weight) · other, for 0 ≤ weight ≤ 1."""
        return Moments(
            torch.lerp(other.unary, self.unary, weight),
            torch.lerp(other.pairs, self.pairs, weight),
        )


def length_mask(lengths: Tensor, size: int) -> Tensor:
    """The words as a boolean [B, size]: True at words, False at padding.

    >>> length_mask(torch.tensor([2, 1]), 2)
    tensor([[ True,  True],
            [ True, False]])
    """
    return torch.arange(size, device=lengths.device) < lengths[:, None]


def gold_moments(tags: Tensor, lengths: Tensor, num_tags: int, dtype: torch.dtype = torch.float32) -> Moments:
    """The statistics φ(y) of one tag sequence per sentence.

    `tags` [B, L] (any value at padding, a negative one too) and `lengths` [B] are int64.

    >>> gold_moments(torch.tensor([[0, 1]]), torch.tensor([2]), 2).pairs
    tensor([[[0., 1.],
             [0., 0.]]])
    """
    ones = torch.ones(len(tags), 1, dtype=dtype, device=tags.device)
    return path_moments(tags[:, None], ones, lengths, num_tags)


def path_moments(paths: Tensor, weights: Tensor, lengths: Tensor, num_tags: int) -> Moments:
    """The moments Σ_k weights[b, k] · φ(paths[b, k]) of a distribution on K sequences.

    `paths` [B, K, L] int64 (any value at padding), `weights` [B, K] float, `lengths` [B] int64.

    >>> paths, weights = torch.tensor([[[0, 1], [1, 1]]]), torch.tensor([[0.75, 0.25]])
    >>> path_moments(paths, weights, torch.tensor([2]), 2).unary
    tensor([[[0.7500, 0.2500],
             [0.0000, 1.0000]]])
    """
    batch, count, size = paths.shape
    words = length_mask(lengths, size)
    unary = weights.new_zeros(batch, size, num_tags)
    pairs = weights.new_zeros(batch, num_tags, num_tags)
    for k in range(count):  # K is small; [B, K, L, N] at once would be the largest tensor of the step
        tags = paths[:, k].masked_fill(~words, 0).unsqueeze(-1)
        hot = torch.zeros_like(unary).scatter_(2, tags, words.unsqueeze(-1).to(weights.dtype))
        weighted = hot * weights[:, k, None, None]
        unary += weighted
        # A product of one-hot rows instead of an indexed addition: the latter has no fixed order on a GPU.
        with full_precision(weights.device.type):
            pairs += weighted[:, :-1].transpose(1, 2) @ hot[:, 1:]
    return Moments(unary, pairs)
