"""The oracle of the differential test: float64, every sequence written out, scores of -inf included."""

import itertools
from typing import NamedTuple

import torch
from torch import Tensor

from pipeline.chain import LinearChain


class Answers(NamedTuple):
    """Of one sentence; gradients are by emissions [L, N], transitions [N, N], start [N] and end [N]."""

    log_z: Tensor
    unary: Tensor
    pairs: Tensor
    log_marginals: Tensor
    gradient: list[Tensor]  # of sum(grad * log q)
    expected: Tensor  # <theta, phi(gold)>
    scores: Tensor  # of all sequences, falling
    sequences: Tensor


def exact_answers(chain: LinearChain, row: int, gold: Tensor, grad: Tensor) -> Answers:
    """What a chain should say of one of its sentences. `gold` [L] and `grad` [L, N] are of that sentence."""
    length, tags = int(chain.lengths[row]), chain.num_tags
    e, t, b, d = (p.detach().double() for p in chain.potentials)
    e = e[row, :length]
    y = torch.tensor(list(itertools.product(range(tags), repeat=length)))
    scores = e[torch.arange(length), y].sum(1) + t[y[:, :-1], y[:, 1:]].sum(1) + b[y[:, 0]] + d[y[:, -1]]
    log_z = scores.logsumexp(0)
    hot = torch.nn.functional.one_hot(y, tags).double()
    steps = torch.zeros(len(y), tags, tags, dtype=torch.float64)
    for word in range(1, length):
        steps += hot[:, word - 1, :, None] * hot[:, word, None, :]
    phi = torch.cat((hot.flatten(1), steps.flatten(1), hot[:, 0], hot[:, -1]), 1)
    possible = bool(log_z > -torch.inf)
    q = (scores - log_z).exp() if possible else torch.zeros_like(scores)
    mean = q @ phi
    logs, gradient = torch.full((length, tags), -torch.inf, dtype=torch.float64), torch.zeros_like(mean)
    for word, tag in itertools.product(range(length), range(tags)):
        here = y[:, word] == tag
        part = scores[here].logsumexp(0)
        if part > -torch.inf:  # a tag of no probability has no gradient
            logs[word, tag] = part - log_z
            gradient += grad[word, tag].double() * ((scores[here] - part).exp() @ phi[here] - mean)
    parts = (length * tags, tags * tags, tags, tags)
    unary, pairs, *_ = mean.split(parts)
    shapes = ((length, tags), (tags, tags), (tags,), (tags,))
    gradients = [g.view(shape) for g, shape in zip(gradient.split(parts), shapes, strict=True)]
    index = int((y == gold[:length]).all(1).nonzero())
    falling, order = scores.sort(descending=True)
    return Answers(
        log_z,
        unary.view(length, tags),
        pairs.view(tags, tags),
        logs,
        gradients,
        scores[index],
        falling,
        y[order],
    )
