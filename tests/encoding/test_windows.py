"""A long sentence is cut so that each word is read once, in a window that holds all of it."""

import random
from itertools import accumulate, pairwise

import pytest

from pipeline.encoding.windows import Window, cut_windows


def drawn(seed: int, capacity: int) -> list[int]:
    """The first pieces of the words of a sentence of several windows, and how many pieces there are."""
    draw = random.Random(seed)
    sizes = [draw.randint(1, max(1, capacity // 3)) for _ in range(draw.randint(3 * capacity, 6 * capacity))]
    return [0, *accumulate(sizes)]


def read_in(windows: list[Window], piece: int) -> Window:
    """The window that the word which begins with a piece is read in."""
    return [window for window in windows if window.turn <= piece][-1]


@pytest.mark.parametrize("capacity", [3, 8, 17])
@pytest.mark.parametrize("overlap", [0, 2, 6])
@pytest.mark.parametrize("seed", range(5))
def test_each_word_is_read_whole_with_context_on_both_sides(capacity: int, overlap: int, seed: int) -> None:
    pieces = drawn(seed, capacity)
    windows = cut_windows(pieces, capacity, overlap)
    assert windows[0].start == windows[0].turn == 0
    assert windows[-1].end == pieces[-1]
    assert all(0 < window.end - window.start <= capacity for window in windows)
    assert {window.start for window in windows} | {window.end for window in windows} <= set(pieces)
    for one, following in pairwise(windows):
        shared = one.end - following.start
        assert 0 <= shared <= overlap
        assert following.start <= following.turn <= one.end
        # The turn halves the words that both hold.
        both = [piece for piece in pieces if following.start <= piece < one.end]
        before = [piece for piece in both if piece < following.turn]
        assert len(before) - (len(both) - len(before)) in (0, 1)
    for piece, following_piece in pairwise(pieces):
        window = read_in(windows, piece)
        assert window.start <= piece
        assert following_piece <= window.end


def test_a_word_longer_than_a_window_loses_its_last_pieces() -> None:
    assert cut_windows([0, 2, 12, 13], 5, 1) == [Window(0, 2, 0), Window(2, 7, 2), Window(12, 13, 12)]


def test_words_worked_out_by_hand() -> None:
    """Six words of two pieces, windows of six pieces that share up to two."""
    assert cut_windows([0, 2, 4, 6, 8, 10, 12], 6, 2) == [
        Window(0, 6, 0),
        Window(4, 10, 6),
        Window(8, 12, 10),
    ]
