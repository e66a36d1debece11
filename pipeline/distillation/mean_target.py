"""The target of several teachers together."""

import math
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor

from pipeline.chain import LinearChain, Moments
from pipeline.distillation.objective import Target


def mean_target(targets: Sequence[Target]) -> Target:
    """The mean of the targets of several teachers, for the same sentences.

    Moments μ = mean_t μ_t and tag marginals log p = log mean_t p_t are those of the mixture of the teachers'
    distributions. Chains, which `efficient` matches by their scores, have the scores θ = mean_t θ_t: their
    distribution is the normalised geometric mean of the teachers'.
    """
    first = targets[0]
    if len(targets) == 1:
        return first
    if isinstance(first, Tensor):
        return torch.stack(cast("list[Tensor]", targets)).logsumexp(0) - math.log(len(targets))
    if isinstance(first, Moments):
        return Moments(*(_mean(targets, name) for name in ("unary", "pairs")))
    emissions, transitions = _mean(targets, "emissions"), _mean(targets, "transitions")
    return LinearChain(emissions, transitions, _mean(targets, "start"), _mean(targets, "end"), first.lengths)


def _mean(targets: Sequence[Target], name: str) -> Tensor:
    return torch.stack([getattr(target, name) for target in targets]).mean(0)
