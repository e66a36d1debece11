"""Chains for the tests, and a second oracle for sizes that brute force cannot reach."""

from collections.abc import Iterable

import torch
from torch import Tensor

from pipeline.chain import LinearChain


def random_chain(
    lengths: list[int],
    tags: int,
    *,
    scale: float = 1.0,
    dtype: torch.dtype = torch.float64,
    padding: float = float("nan"),
    seed: int = 0,
) -> LinearChain:
    """A batch with scores of standard deviation `scale`, all requiring gradients; the rest is `padding`."""
    generator = torch.Generator().manual_seed(seed)
    size = max(lengths)
    shapes = ((len(lengths), size, tags), (tags, tags), (tags,), (tags,))
    potentials = [
        (torch.randn(s, generator=generator, dtype=torch.float64) * scale).to(dtype) for s in shapes
    ]
    for row, length in enumerate(lengths):
        potentials[0][row, length:] = padding
    emissions, transitions, start, end = (p.requires_grad_() for p in potentials)
    return LinearChain(emissions, transitions, start, end, torch.tensor(lengths))


def with_potentials(chain: LinearChain, changed: Iterable[Tensor]) -> LinearChain:
    """The chain of the same sentences with other scores."""
    emissions, transitions, start, end = changed
    return LinearChain(emissions, transitions, start, end, chain.lengths)


def slow_log_partition(emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """log Z of one sentence [L, N]: the textbook recursion in float64, differentiated by autograd."""
    e, t, b, d = (x.double() for x in (emissions, transitions, start, end))
    alpha = b + e[0]
    for word in e[1:]:
        alpha = word + (alpha[:, None] + t).logsumexp(0)
    return (alpha + d).logsumexp(0)


def slow_answers(chain: LinearChain) -> tuple[Tensor, list[Tensor]]:
    """log Z [B] and the gradients of its sum by all four potentials, in float64."""
    copies = [p.detach().double().requires_grad_() for p in chain.potentials]
    rows = [
        slow_log_partition(copies[0][row, :length], *copies[1:])
        for row, length in enumerate(chain.lengths.tolist())
    ]
    log_z = torch.stack(rows)
    return log_z.detach(), list(torch.autograd.grad(log_z.sum(), copies))
