"""The K best tag sequences of every sentence of a batch at once."""

import torch
from torch import Tensor


def kbest(
    emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, lengths: Tensor, k: int
) -> tuple[Tensor, Tensor]:
    """The K best scores [B, K], falling, and their tags [B, K, L] int64, 0 at padding.

    Where a sentence has fewer than K allowed sequences the score is -inf and the tags are 0. Sums are made in
    float64, or else long sentences with large scores would get wrong sequences. The back pointers take
    8 · L · B · N · K bytes.
    """
    batch, size, tags = emissions.shape
    all_scores = emissions.new_full((batch, k), -torch.inf)
    all_paths = torch.zeros(batch, k, size, dtype=torch.int64, device=emissions.device)
    dtype = emissions.dtype
    k = min(k, tags**size)  # there are no more sequences
    emissions, transitions, start, end = (x.double() for x in (emissions, transitions, start, end))
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
    paths = all_paths[:, :k]
    for word in range(size - 1, -1, -1):
        inside = (word < lengths)[:, None]
        paths[:, :, word] = torch.where(inside, slot // k, 0)
        if word:
            slot = torch.where(inside, came_from[word].flatten(1).gather(1, slot), slot)
    paths.masked_fill_(scores.isneginf()[..., None], 0)
    all_scores[:, :k] = scores.to(dtype)
    return all_scores, all_paths
