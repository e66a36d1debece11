"""A sentence longer than the encoder's window, cut at word boundaries into windows that overlap."""

from typing import NamedTuple

import torch
from torch import Tensor

from pipeline.encoding.input_layout import InputLayout


class Window(NamedTuple):
    """A part of one sentence, in pieces.

    start, end: its first piece, and the one after its last.
    turn: from this piece on, words are read in this window and not in the one before.
    """

    start: int
    end: int
    turn: int


class WindowPlan(NamedTuple):
    """The V windows of B sentences; a sentence that fits into one window has only that.

    bounds: [V, 2] the first piece of each window, and the one after its last.
    counts: [B] how many windows each sentence has.
    word_window: [B, L] the number of the window, from 0 in each sentence, that each word is read in.
    word_offset: [B, L] where the word's first piece stands in that window.
    """

    bounds: Tensor
    counts: Tensor
    word_window: Tensor
    word_offset: Tensor


def plan_windows(first: Tensor, lengths: Tensor, sizes: Tensor, layout: InputLayout) -> WindowPlan:
    """The windows of B sentences.

    A word in two windows is read where it has more context: the first half of the overlap in the earlier
    window, the second in the later.

    Args:
        first: [B, L] each word's first piece.
        lengths: [B] words.
        sizes: [B] pieces.
        layout: says how long a window and an overlap are.
    """
    bounds = list(torch.stack([torch.zeros_like(sizes), sizes], 1).split(1))
    counts = torch.ones_like(sizes)
    word_window, word_offset = torch.zeros_like(first), first.clone()
    for sentence in (sizes > layout.capacity).nonzero().flatten().tolist():
        words = sentence, slice(int(lengths[sentence]))
        pieces = torch.cat([first[words], sizes[sentence : sentence + 1]])
        windows = cut_windows(pieces.tolist(), layout.capacity, layout.overlap)
        bounds[sentence] = torch.tensor([(window.start, window.end) for window in windows])
        counts[sentence] = len(windows)
        turns = torch.tensor([window.turn for window in windows[1:]])
        word_window[words] = torch.bucketize(pieces[:-1], turns, right=True)
        word_offset[words] = pieces[:-1] - bounds[sentence][word_window[words], 0]
    return WindowPlan(torch.cat(bounds), counts, word_window, word_offset)


def cut_windows(pieces: list[int], capacity: int, overlap: int) -> list[Window]:
    """The windows of one sentence.

    Args:
        pieces: the first piece of each word, and how many pieces there are.
        capacity: pieces that one window holds.
        overlap: pieces that two neighbours share, at most.
    """
    found: list[Window] = []
    word, words, turn = 0, len(pieces) - 1, 0
    while True:
        start, stop = pieces[word], word + 1
        while stop < words and pieces[stop + 1] - start <= capacity:
            stop += 1
        end = min(pieces[stop], start + capacity)  # one word longer than a window loses its last pieces
        found.append(Window(start, end, turn))
        if stop == words:
            return found
        following = stop
        while (
            following - 1 > word
            and pieces[stop] - pieces[following - 1] <= overlap
            and pieces[stop + 1] - pieces[following - 1] <= capacity  # or it would read no new word
        ):
            following -= 1
        word = following
        turn = pieces[(word + stop + 1) // 2]
