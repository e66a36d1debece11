"""Parts of the exported program: decoding by brute force, and which windows the network reads together."""

import numpy as np
import pytest
import torch

from pipeline.chain import LinearChain
from pipeline.exporting.tag import in_batches, viterbi
from tests.helpers.brute_force import BruteForce


@pytest.mark.parametrize("forbidden", [0, 0.3])
@pytest.mark.parametrize("seed", range(5))
def test_viterbi_finds_the_best_of_all_paths(seed: int, forbidden: float) -> None:
    """Also where some tags, pairs, first and last tags have the score -inf."""
    chance = np.random.default_rng(seed)
    tags, lengths = 3, np.array([5, 1, 3, 4])

    def potentials(*shape: int) -> np.ndarray:
        values = chance.normal(size=shape).astype(np.float32)
        values[chance.random(shape) < forbidden] = -np.inf
        values[..., 0] = chance.normal(size=shape[:-1])  # so that one path is always open
        return values

    emissions, transitions = potentials(4, 5, tags), potentials(tags, tags)
    start, end = potentials(2, tags)
    found = viterbi(emissions, lengths, transitions, start, end)
    for row, length in enumerate(lengths.tolist()):
        chain = (torch.from_numpy(x) for x in (emissions[row, :length], transitions, start, end))
        every = BruteForce(*chain)
        assert found[row, :length].tolist() == every.sequences[every.scores.argmax()].tolist()


@pytest.mark.parametrize(
    ("sizes", "counts"),
    [
        ([], []),
        ([9], [1]),
        ([500, 400, 3], [1, 1, 1]),
        ([64, 64, 64], [2, 1]),
        ([30, 32, 30, 31, 33], [4, 1]),  # the first four fill PIECES to the last
        ([10] * 13, [12, 1]),
        ([2, 100], [1, 1]),  # together they would be padded to 200
    ],
)
def test_windows_are_read_together_up_to_a_number_of_pieces(sizes: list[int], counts: list[int]) -> None:
    windows = [(row, [7] * size, [0]) for row, size in enumerate(sizes)]
    batches = [*in_batches(windows)]
    assert [window for batch in batches for window in batch] == windows
    assert [len(batch) for batch in batches] == counts


def test_long_sentences_are_decoded_as_in_double_precision() -> None:
    generator = np.random.default_rng(0)
    emissions = (generator.normal(size=(1, 10_000, 9)) * 1.5 + 6).astype(np.float32)
    transitions, edges = generator.normal(size=(9, 9)).astype(np.float32), np.zeros(9, np.float32)
    lengths = np.array([10_000])
    e, t, b, d = (torch.from_numpy(part).double() for part in (emissions, transitions, edges, edges))
    _, exact = LinearChain(e, t, b, d, torch.tensor([10_000])).viterbi()
    assert np.array_equal(viterbi(emissions, lengths, transitions, edges, edges), exact.numpy())
