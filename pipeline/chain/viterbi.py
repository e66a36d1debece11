"""The best tag sequence of every sentence of a batch, on the CPU.

In numpy: a step works on a few thousand numbers, for which a call of torch costs more than the arithmetic.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

_BLOCK_BYTES = 1 << 18  # of a step's candidates [N, 2, N, B]; they should stay in the core's own cache

Array = np.ndarray[Any, Any]


def viterbi(
    emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, lengths: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the best score [B] and its tags [B, L] int64, 0 at padding, on the device of the emissions."""
    batch, size, tags = emissions.shape
    e, t, b, d, words = (x.numpy(force=True) for x in (emissions, transitions, start, end, lengths))
    if batch == 1:
        scores, paths = _decode_one(e, t, b, d, int(words[0]))
    else:
        block = max(8, _BLOCK_BYTES // (2 * tags * tags * e.itemsize))
        scores, paths = np.empty(batch, e.dtype), np.empty((batch, size), np.int64)
        for low in range(0, batch, block):
            here = slice(low, low + block)
            scores[here], paths[here] = _decode(e[here], t, b, d, words[here])
    return torch.from_numpy(scores).to(emissions.device), torch.from_numpy(paths).to(emissions.device)


def _decode(
    emissions: Array, transitions: Array, start: Array, end: Array, lengths: Array
) -> tuple[Array, Array]:
    """Decode one block.

    The recursion runs from both ends to the middle of each sentence, in half as many steps: 2 B half
    sentences lie side by side, the second B with their words and the transitions reversed. The batch is
    the innermost dimension, where maxima over previous tags are element by element. Back pointers are not
    kept: the way back takes one more maximum per word over a single row.
    """
    batch, size, tags = emissions.shape
    sentence = np.arange(batch)
    last_left = (lengths - 1) // 2  # the word where both halves meet
    half = np.concatenate((last_left + 1, lengths - last_left))
    steps = int(half.max())
    step = np.arange(steps)[:, None]
    # `scores[t]` [2, N, B] is the best way to each tag of the t-th word from the outside, with its emission.
    word = np.stack((np.minimum(step, lengths - 1), np.maximum(lengths - 1 - step, 0)), 1)
    scores = emissions.reshape(-1, tags).take((word + sentence * size).ravel(), 0)
    scores = scores.reshape(steps, 2, batch, tags).transpose(0, 1, 3, 2).copy()
    scores[0] += np.stack((start, end))[..., None]
    directions = np.stack((transitions, transitions.T), 1)  # [previous, direction, current]
    both = directions[..., None].repeat(batch, 3)
    ways = np.empty_like(both)
    best = np.empty_like(both[0])
    before = scores.transpose(0, 2, 1, 3)[:, :, :, None]  # [step, previous, direction, 1, B]
    for previous, here in zip(list(before), list(scores[1:]), strict=False):
        np.add(previous, both, ways)
        np.maximum.reduce(ways, 0, None, best)
        np.add(here, best, here)

    # Backwards from the middle, again both halves in one go: `outer[s]` [2 B, N] is s words from the middle.
    column = np.arange(2 * batch)
    away = np.maximum(half - 1 - step, 0) * (2 * batch) + column
    outer = scores.transpose(0, 1, 3, 2).reshape(-1, tags).take(away.ravel(), 0).reshape(steps, -1, tags)
    joint = outer[0, :batch] + (outer[0, batch:] - emissions[sentence, last_left])
    tag = joint.argmax(1)
    # Row of `table`: the inner word's tag, in the right half (with its transitions reversed) plus N.
    table = np.concatenate((transitions.T, transitions))
    offset = (column >= batch) * tags
    found = np.empty((steps, 2 * batch), np.int64)
    found[0] = np.concatenate((tag, tag))
    onward = np.empty_like(outer[0])
    for inner, here, outward in zip(list(found), list(found[1:]), list(outer[1:]), strict=False):
        table.take(inner + offset, 0, onward)
        np.add(onward, outward, onward)
        onward.argmax(1, here)

    # Word l lies |l - middle| words from the middle, in the left half or in the right one.
    position = np.arange(size)[:, None]
    from_middle = position - last_left
    at = np.minimum(np.abs(from_middle), steps - 1) * (2 * batch) + sentence + (from_middle > 0) * batch
    paths = found.ravel().take(at) * (position < lengths)
    return joint[sentence, tag], paths.T


def _decode_one(
    emissions: Array, transitions: Array, start: Array, end: Array, length: int
) -> tuple[Array, Array]:
    """Decode a batch of one, to the same bits as `_decode`, where the calls are all it costs.

    So all of them are cheap ones: of a ufunc on contiguous arrays of one shape, which numpy does not have to
    set up an iterator for, or of none. The maximum is looked up where `argmax` found it, which leaves the
    back pointers behind; following them is then only Python.
    """
    _, size, tags = emissions.shape
    words = emissions[0]
    last_left, steps = (length - 1) // 2, length // 2 + 1
    scores = np.empty((steps, 2, tags), words.dtype)
    scores[:, 0] = words[:steps]
    scores[:, 1] = words[length - steps : length][::-1]
    scores[0, 0] += start
    scores[0, 1] += end
    directions = np.empty((2, tags, tags), words.dtype)  # [direction, current, previous]
    directions[0] = transitions.T
    directions[1] = transitions
    ways = np.empty_like(directions)
    rows = np.arange(0, 2 * tags * tags, tags).reshape(2, tags)
    pointers = np.empty((steps - 1, 2, tags), np.intp)
    at, best = np.empty_like(rows), np.empty_like(scores[0])
    add, argmax, look_up = np.add, ways.argmax, ways.reshape(-1).take
    for before, pointer, here in zip(
        list(scores[:, :, None]), list(pointers), list(scores[1:]), strict=False
    ):
        ways[...] = before
        add(ways, directions, ways)
        argmax(2, pointer)
        add(pointer, rows, at)
        look_up(at, None, best, "clip")
        add(here, best, here)

    joint = scores[last_left, 0] + (scores[-1, 1] - words[last_left])
    tag = middle = int(joint.argmax())
    previous = pointers.data
    path = []
    for step in range(last_left - 1, -1, -1):
        tag = previous[step, 0, tag]
        path.append(tag)
    path.reverse()
    path.append(middle)
    tag = middle
    for step in range(steps - 2, -1, -1):
        tag = previous[step, 1, tag]
        path.append(tag)
    path += [0] * (size - length)
    return joint[middle : middle + 1], np.array([path])
