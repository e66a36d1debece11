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
    # `scores[t]` [2, N, B] is the best way to each tag of the t-th word from the outside, with its emission.
    step = torch.arange(steps, device=lengths.device)[:, None]
    position = torch.stack((step.minimum(lengths - 1), (lengths - 1 - step).clamp_min_(0)), 1)
    row = position + torch.arange(batch, device=lengths.device) * size
    scores = emissions.reshape(-1, tags).index_select(0, row.flatten()).view(steps, 2, batch, tags)
    scores = scores.transpose(2, 3).contiguous()
    scores[0] += torch.stack((start, end))[..., None]
    both = torch.stack((transitions, transitions.t()))[..., None]  # [direction, previous, current, 1]
    ways = scores.new_empty(2, tags, tags, batch)
    best = scores.new_empty(2, tags, batch)
    by_step = scores.unbind()
    for previous, here in zip(scores.unsqueeze(3).unbind(), by_step[1:], strict=False):
        torch.add(previous, both, out=ways)
        here.add_(torch.amax(ways, 1, out=best))

    # Backwards from the middle, again both halves in one go: `outer[s]` [2 B, N] is s words from the middle.
    away = (half - 1 - step).clamp_min_(0) * (2 * batch) + torch.arange(2 * batch, device=lengths.device)
    outer = scores.transpose(2, 3).reshape(-1, tags).index_select(0, away.flatten())
    outer = outer.view(steps, 2 * batch, tags)
    middle = emissions[torch.arange(batch, device=lengths.device), first_half - 1]
    top, tag = (outer[0, :batch] + (outer[0, batch:] - middle)).max(1)
    # Row of `table`: the inner word's tag, in the right half (with its transitions reversed) plus N.
    table = torch.cat((transitions.t(), transitions))
    offset = torch.arange(2, device=lengths.device).mul_(tags).repeat_interleave(batch)
    found = torch.empty(steps, 2 * batch, dtype=torch.int64, device=lengths.device)
    found[0] = tag.repeat(2) + offset
    onward = scores.new_empty(2 * batch, tags)
    for inner, here, outward in zip(found.unbind(), found[1:].unbind(), outer[1:].unbind(), strict=False):
        torch.index_select(table, 0, inner, out=onward).add_(outward)
        torch.argmax(onward, 1, out=here).add_(offset)
    found -= offset

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
