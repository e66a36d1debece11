"""The target of several teachers together."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from pipeline.chain import LinearChain, Moments
from pipeline.distillation.objective import Target


def mean_target(targets: Sequence[Target]) -> Target:
    """The mean of what a method keeps of each teacher, of the same sentences.

    Moments and the probabilities of words' tags are averaged, so that the target is that of the mixture of
    the teachers' distributions. Chains, which `efficient` matches by their scores, are averaged as scores:
    their distribution is the normalised geometric mean of the teachers'.
    """
    first = targets[0]
    if len(targets) == 1:
        return first
    if isinstance(first, Tensor):
        logs = torch.stack([target for target in targets if isinstance(target, Tensor)])
        return logs.logsumexp(0) - math.log(len(targets))
    if isinstance(first, Moments):
        return Moments(*(_mean([getattr(one, name) for one in targets]) for name in ("unary", "pairs")))
    names = ("emissions", "transitions", "start", "end")
    emissions, transitions, start, end = (_mean([getattr(one, name) for one in targets]) for name in names)
    return LinearChain(emissions, transitions, start, end, first.lengths)


def _mean(tensors: Sequence[object]) -> Tensor:
    return torch.stack([tensor for tensor in tensors if isinstance(tensor, Tensor)]).mean(0)
