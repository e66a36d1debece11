"""The best tag sequence of every sentence of a batch, on the CPU.

In numpy: a step works on a few thousand numbers, for which a call of torch costs more than the arithmetic.

The recursion adds up in the precision of the potentials. A sentence whose partial sums are so large that
float32 would round them by about 1e-4 is decoded again in float64. The score of a path is its sum in float64.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

_LARGE = 2048.0  # from here on neighbouring float32 numbers lie 2.4e-4 apart
_LOWEST = float(np.finfo(np.float32).min)
_BLOCK_BYTES = 1 << 18  # of a step's candidates [N, 2, N, B]; they should stay in the core's own cache

Array = np.ndarray[Any, Any]


def viterbi(
    emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, lengths: Tensor
) -> tuple[Tensor, Tensor]:
    """The best score [B] and its tags [B, L] int64, 0 at padding, on the device of the emissions.

    Where no sequence is allowed the score is -inf and the tags are 0.
    """
    e, t, b, d, words = (x.numpy(force=True) for x in (emissions, transitions, start, end, lengths))
    scores, paths = _decode_batch(e, t, b, d, words)
    scores = scores.astype(e.dtype)
    return torch.from_numpy(scores).to(emissions.device), torch.from_numpy(paths).to(emissions.device)


def _decode_batch(
    emissions: Array, transitions: Array, start: Array, end: Array, lengths: Array
) -> tuple[Array, Array]:
    """The best scores [B], summed in float64, and their tags [B, L]."""
    batch, size, tags = emissions.shape
    if batch == 1:
        return _decode_sentence(emissions, transitions, start, end, int(lengths[0]))
    block = max(8, _BLOCK_BYTES // (2 * tags * tags * emissions.itemsize))
    large, scores, paths = np.empty(batch, bool), np.empty(batch), np.empty((batch, size), np.int64)
    for low in range(0, batch, block):
        here = slice(low, low + block)
        large[here], scores[here], paths[here] = _run_block(
            emissions[here], transitions, start, end, lengths[here]
        )
    if emissions.itemsize < 8 and large.any():
        e, t, b, d = (x.astype(np.float64) for x in (emissions[large], transitions, start, end))
        scores[large], paths[large] = _decode_batch(e, t, b, d, lengths[large])
    impossible = scores == -np.inf
    if impossible.any():
        paths[impossible] = 0
    return scores, paths


def _decode_sentence(
    emissions: Array, transitions: Array, start: Array, end: Array, length: int
) -> tuple[Array, Array]:
    """What `_decode_batch` returns of a batch of one."""
    large, score, path = _run_sentence(emissions, transitions, start, end, length)
    if large and emissions.itemsize < 8:
        e, t, b, d = (x.astype(np.float64) for x in (emissions, transitions, start, end))
        _, score, path = _run_sentence(e, t, b, d, length)
    if score == -np.inf:
        path = [0] * len(path)
    return np.array([score]), np.array([path])


def _any_large(sums: Array, axis: tuple[int, ...]) -> Array:
    """Whether some partial sum along `axis` is large."""
    most = max(np.maximum.reduce(sums, None), -np.minimum.reduce(sums, None))
    if not most >= _LARGE:  # the usual case
        return np.zeros([size for place, size in enumerate(sums.shape) if place not in axis], bool)
    return np.asarray(((np.abs(sums) >= _LARGE) & (sums > -np.inf)).any(axis))


def _middle_tag(left: Array, right: Array, emission: Array) -> Array:
    """The best tag of the word where both halves meet; its `emission` [..., N] is in the scores of each."""
    shared = np.maximum(emission, _LOWEST)  # -inf less -inf would be NaN
    tag: Array = (left + (right - shared)).argmax(-1)
    return tag


def _run_block(
    emissions: Array, transitions: Array, start: Array, end: Array, lengths: Array
) -> tuple[Array, Array, Array]:
    """Decode one block: whether a partial sum is large [B], the best scores [B] in float64, the tags [B, L].

    The recursion runs from both ends to the middle of each sentence, in half as many steps: 2 B half
    sentences lie side by side, the second B with their words and the transitions reversed. Back pointers are
    not kept: the way back takes one more maximum per word over a single row.
    """
    batch, size, tags = emissions.shape
    sentence = np.arange(batch)
    last_left = (lengths - 1) // 2  # the word where both halves meet
    half = np.concatenate((last_left + 1, lengths - last_left))
    steps = int(half.max())
    scores = _forward(emissions, transitions, start, end, lengths, steps)

    # `outer[t]` [2 B, N] is t words from the middle.
    away = np.maximum(half - 1 - np.arange(steps)[:, None], 0) * (2 * batch) + np.arange(2 * batch)
    outer = scores.transpose(0, 1, 3, 2).reshape(-1, tags).take(away.ravel(), 0).reshape(steps, -1, tags)
    middle_tag = _middle_tag(outer[0, :batch], outer[0, batch:], emissions[sentence, last_left])
    found = _outward(outer, middle_tag, transitions)

    # Word l lies |l - middle| words from the middle, in the left half or in the right one.
    position = np.arange(size)[:, None]
    from_middle = position - last_left
    at = np.minimum(np.abs(from_middle), steps - 1) * (2 * batch) + sentence + (from_middle > 0) * batch
    paths = found.ravel().take(at) * (position < lengths)
    left, right = _any_large(outer, (0, 2)).reshape(2, batch)
    return left | right, _path_scores(emissions, transitions, start, end, lengths, paths), paths.T


def _forward(
    emissions: Array, transitions: Array, start: Array, end: Array, lengths: Array, steps: int
) -> Array:
    """The best way to each tag of the t-th word from the outside, with its emission: [steps, 2, N, B].

    The batch is the innermost dimension, where maxima over previous tags are element by element.
    """
    batch, size, tags = emissions.shape
    step = np.arange(steps)[:, None]
    word = np.stack((np.minimum(step, lengths - 1), np.maximum(lengths - 1 - step, 0)), 1)
    scores = emissions.reshape(-1, tags).take((word + np.arange(batch) * size).ravel(), 0)
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
    return scores


def _outward(outer: Array, middle_tag: Array, transitions: Array) -> Array:
    """The tags [T, 2 B] of both halves, t words from the middle; `outer` [T, 2 B, N] are the scores there."""
    steps, halves, tags = outer.shape
    # Row of `table`: the inner word's tag, in the right half (with its transitions reversed) plus N.
    table = np.concatenate((transitions.T, transitions))
    offset = (np.arange(halves) >= halves // 2) * tags
    found = np.empty((steps, halves), np.int64)
    found[0] = np.concatenate((middle_tag, middle_tag))
    onward = np.empty_like(outer[0])
    for inner, here, outward in zip(list(found), list(found[1:]), list(outer[1:]), strict=False):
        table.take(inner + offset, 0, onward)
        np.add(onward, outward, onward)
        onward.argmax(1, here)
    return found


def _path_scores(
    emissions: Array, transitions: Array, start: Array, end: Array, lengths: Array, paths: Array
) -> Array:
    """The scores [B], summed in float64, of the tags `paths` [L, B]."""
    batch, size, tags = emissions.shape
    sentence, position = np.arange(batch), np.arange(size)[:, None]
    total = np.empty((size, batch))
    row = np.minimum(position, lengths - 1) + sentence * size  # what stands at padding may be anything
    here = emissions.reshape(-1).take(row * tags + paths)
    np.add(here[0], start.take(paths[0]), total[0], dtype=np.float64)
    np.add(here[1:], transitions.reshape(-1).take(paths[:-1] * tags + paths[1:]), total[1:], dtype=np.float64)
    scores: Array = np.where(position < lengths, total, 0.0).sum(0) + end.take(paths[lengths - 1, sentence])
    return scores


def _run_sentence(
    emissions: Array, transitions: Array, start: Array, end: Array, length: int
) -> tuple[bool, float, list[int]]:
    """What `_run_block` returns of a batch of one, to the same bits, but by the cheapest calls numpy has.

    The calls are nearly all that one sentence costs. The maximum is looked up where `argmax` found it, which
    leaves the back pointers behind; following them is then plain Python.
    """
    _, size, tags = emissions.shape
    words = emissions[0]
    last_left = (length - 1) // 2  # the word where both halves meet
    scores, pointers = _forward_sentence(words, transitions, start, end, length)
    middle = int(_middle_tag(scores[last_left, 0], scores[-1, 1], words[last_left]))
    left = _follow(pointers[:last_left, 0], middle)
    path = [*reversed(left), middle, *_follow(pointers[:, 1], middle)]
    chosen = np.array(path)
    here = words.reshape(-1).take(chosen + np.arange(0, length * tags, tags))
    moves = transitions.reshape(-1).take(chosen[:-1] * tags + chosen[1:])
    score = sum(here.tolist()) + sum(moves.tolist()) + float(start[path[0]]) + float(end[path[-1]])
    scores[last_left + 1 :, 0] = 0.0  # not part of the left half
    return bool(_any_large(scores, (0, 1, 2))), score, path + [0] * (size - length)


def _forward_sentence(
    words: Array, transitions: Array, start: Array, end: Array, length: int
) -> tuple[Array, Array]:
    """The scores [steps, 2, N] of `_forward`, and the best tag [steps - 1, 2, N] before each but the first.

    Ufuncs get contiguous arrays of one shape, for which numpy sets up no iterator.
    """
    tags, steps = len(start), length // 2 + 1
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
    return scores, pointers


def _follow(pointers: Array, tag: int) -> list[int]:
    """The tags from the middle, which has `tag`, to the outside, by the back pointers [T, N] of one half."""
    before = pointers.data  # whose single numbers are read faster than an array's
    path = []
    for step in range(len(pointers) - 1, -1, -1):
        tag = before[step, tag]
        path.append(tag)
    return path
