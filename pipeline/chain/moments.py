"""Moments: the expected sufficient statistics of a distribution over tag sequences."""

from typing import NamedTuple

import torch
from torch import Tensor

from pipeline.chain.precision import full_precision


class Moments(NamedTuple):
    """E_q[phi] for one batch: how often each tag and each transition is expected.

    `unary` [B, L, N] is the probability of tag j at word l, 0 at padding; its first and its last word are
    the moments of `start` and `end`. `pairs` [B, N, N] is the expected number of transitions i -> j.
    """

    unary: Tensor
    pairs: Tensor

    def mix(self, other: "Moments", weight: float) -> "Moments":
        """Return the moments of the mixture weight * self + (1 - weight) * other."""
        return Moments(
            torch.lerp(other.unary, self.unary, weight),
            torch.lerp(other.pairs, self.pairs, weight),
        )

    def to(self, device: torch.device | str) -> "Moments":
        """Return the moments on another device."""
        return Moments(self.unary.to(device), self.pairs.to(device))


def length_mask(lengths: Tensor, size: int) -> Tensor:
    """Return a boolean [B, size]: True at words, False at padding."""
    return torch.arange(size, device=lengths.device) < lengths[:, None]


def gold_moments(tags: Tensor, lengths: Tensor, num_tags: int, dtype: torch.dtype = torch.float32) -> Moments:
    """Return phi(y) for one tag sequence per sentence.

    `tags` [B, L] (any value at padding, a negative one too) and `lengths` [B] are int64.
    """
    ones = torch.ones(len(tags), 1, dtype=dtype, device=tags.device)
    return path_moments(tags[:, None], ones, lengths, num_tags)


def path_moments(paths: Tensor, weights: Tensor, lengths: Tensor, num_tags: int) -> Moments:
    """Return sum_k weights[b, k] * phi(paths[b, k]): the moments of a distribution on K sequences.

    `paths` [B, K, L] int64 (any value at padding), `weights` [B, K] float, `lengths` [B] int64.
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
