"""The K best tag sequences of every sentence of a batch at once."""

import torch
from torch import Tensor


def kbest(
    emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, lengths: Tensor, k: int
) -> tuple[Tensor, Tensor]:
    """Return the K best scores [B, K], falling, and their tags [B, K, L] int64, 0 at padding.

    Where a sentence has fewer than K sequences the score is -inf and the tags are 0.
    """
    batch, size, tags = emissions.shape
    best = emissions.new_full((batch, tags, k), -torch.inf)
    best[:, :, 0] = start + emissions[:, 0]
    came_from = torch.zeros(size, batch, tags, k, dtype=torch.int64, device=emissions.device)
    for word in range(1, size):
        # [B, current, previous * K]: the K best ways into each tag come from the K best of each previous one.
        ways = (best[:, None] + transitions.t()[None, :, :, None]).flatten(2)
        top, where = ways.topk(k, dim=2)
        inside = (word < lengths)[:, None, None]
        best = torch.where(inside, top + emissions[:, word, :, None], best)
        came_from[word] = where
    scores, slot = (best + end[:, None]).flatten(1).topk(k, dim=1)
    paths = torch.zeros(batch, k, size, dtype=torch.int64, device=emissions.device)
    for word in range(size - 1, -1, -1):
        inside = (word < lengths)[:, None]
        paths[:, :, word] = torch.where(inside, slot // k, 0)
        if word:
            slot = torch.where(inside, came_from[word].flatten(1).gather(1, slot), slot)
    return scores, paths.masked_fill_(scores.isneginf()[..., None], 0)
