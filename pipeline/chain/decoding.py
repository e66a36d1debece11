"""The best and the K best tag sequences of every sentence of a batch at once."""

import torch
from torch import Tensor


def viterbi(
    emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, lengths: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the best score [B] and its tags [B, L] int64, 0 at padding.

    The recursion runs from both ends to the middle of each sentence, in half as many steps: 2 B half
    sentences lie side by side, the second B with their words and the transitions reversed. The batch is
    the innermost dimension, where maxima over previous tags are element by element.
    """
    batch, size, tags = emissions.shape
    first_half = (lengths + 1) // 2  # words of the left half; its last one is where both meet
    half = torch.cat((first_half, lengths - first_half + 1))  # both halves hold the middle word
    steps = int(half.max())
    # `scores[t]` [N, 2, B] is the best way to each tag of the t-th word from the outside, with its emission.
    step = torch.arange(steps, device=lengths.device)[:, None]
    position = torch.cat((step.minimum(lengths - 1), (lengths - 1 - step).clamp_min_(0)), 1)
    row = position + torch.arange(batch, device=lengths.device).repeat(2) * size
    scores = emissions.reshape(-1, tags).t().index_select(1, row.flatten()).view(tags, steps, 2 * batch)
    scores = scores.transpose(0, 1).contiguous().view(steps, tags, 2, batch)
    scores[0] += torch.stack((start, end), 1)[..., None]
    by_step = scores.unbind()
    both = torch.stack((transitions, transitions.t()), 2)[..., None]  # [previous, current, direction, 1]
    ways = scores.new_empty(tags, tags, 2, batch)
    best = scores.new_empty(tags, 2, batch)
    for t in range(1, steps):
        torch.add(by_step[t - 1][:, None], both, out=ways)
        by_step[t].add_(torch.amax(ways, 0, out=best))

    # Backwards from the middle, again both halves in one go: `outer[s]` [2 B, N] is s words from the middle.
    away = (half - 1 - step).clamp_min_(0) * (2 * batch) + torch.arange(2 * batch, device=lengths.device)
    outer = scores.flatten(2).transpose(1, 2).reshape(-1, tags).index_select(0, away.flatten())
    outer = outer.view(steps, 2 * batch, tags)
    middle = emissions[torch.arange(batch, device=lengths.device), first_half - 1]
    top, tag = (outer[0, :batch] + (outer[0, batch:] - middle)).max(1)
    table = torch.cat((transitions.t(), transitions))  # row: the inner word's tag; second half reversed
    offset = torch.cat((torch.zeros_like(lengths), torch.full_like(lengths, tags)))
    found = torch.empty(steps, 2 * batch, dtype=torch.int64, device=lengths.device)
    found[0] = tag.repeat(2)
    for s in range(1, steps):
        torch.argmax(table.index_select(0, found[s - 1] + offset).add_(outer[s]), 1, out=found[s])

    # Word l lies |l - middle| words from the middle, in the left half or in the right one.
    word = torch.arange(size, device=lengths.device)[:, None]
    from_middle = word - (first_half - 1)
    column = torch.arange(batch, device=lengths.device) + (from_middle > 0) * batch
    at = (from_middle.abs().clamp_max_(steps - 1)) * (2 * batch) + column
    paths = found.view(-1).index_select(0, at.flatten()).view(size, batch)
    return top, (paths * (word < lengths)).t().contiguous()


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
