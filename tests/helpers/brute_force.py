"""The oracle of the chain's tests: every tag sequence written out, in float64, with autograd."""

import itertools

import torch
from torch import Tensor

from pipeline.chain import LinearChain


class BruteForce:
    """Answers for one sentence from all N**L sequences. `emissions` [L, N] holds no padding."""

    def __init__(self, emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor) -> None:
        self.size, self.tags = emissions.shape
        self.sequences = torch.tensor(list(itertools.product(range(self.tags), repeat=self.size)))
        e, t, b, d = (x.double() for x in (emissions, transitions, start, end))
        y = self.sequences
        self.scores = (
            e[torch.arange(self.size), y].sum(1) + t[y[:, :-1], y[:, 1:]].sum(1) + b[y[:, 0]] + d[y[:, -1]]
        )

    def log_partition(self) -> Tensor:
        return self.scores.logsumexp(0)

    def statistics(self) -> tuple[Tensor, Tensor]:
        """phi of every sequence: unary [S, L, N] and pairs [S, N, N]."""
        hot = torch.nn.functional.one_hot(self.sequences, self.tags).double()
        pairs = torch.zeros(len(hot), self.tags, self.tags, dtype=torch.float64)
        for word in range(1, self.size):
            pairs += hot[:, word - 1, :, None] * hot[:, word, None, :]
        return hot, pairs

    def moments(self) -> tuple[Tensor, Tensor]:
        weights = self.scores.softmax(0)
        return tuple((weights.view(-1, 1, 1) * phi).sum(0) for phi in self.statistics())  # type: ignore[return-value]

    def log_marginals(self) -> Tensor:
        hot, _ = self.statistics()
        masked = self.scores.view(-1, 1, 1).expand_as(hot).masked_fill(hot == 0, -torch.inf)
        return masked.logsumexp(0) - self.log_partition()


def oracles(chain: LinearChain) -> list[BruteForce]:
    """One for each sentence of the batch."""
    return [
        BruteForce(chain.emissions[row, :length], chain.transitions, chain.start, chain.end)
        for row, length in enumerate(chain.lengths.tolist())
    ]
