"""Log space as a backend, for a CUDA device on which the kernels of `fused` do not run.

`scaled` launches fewer kernels a word, but reads numbers back in every sweep (the longest sentence, whether a
state has underflowed), and a training step should not wait for its device. Nothing here is read back.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from pipeline.chain import log_space
from pipeline.chain.log_space import LogStates
from pipeline.chain.viterbi import viterbi as viterbi  # the part of `Backend` that is not written here


class UnfusedStates(NamedTuple):
    """The states of `log_space`, and the precision in which moments and gradients are returned."""

    log: LogStates
    dtype: torch.dtype
    log_z: Tensor
    exact: None = None


def sweep(
    emissions: Tensor,
    transitions: Tensor,
    start: Tensor,
    end: Tensor,
    lengths: Tensor,
    *,
    keep: bool,
) -> UnfusedStates:
    """The states of both recursions, shapes as in `LinearChain`; they are kept with and without `keep`."""
    states = log_space.sweep(emissions, transitions, start, end, lengths)
    return UnfusedStates(states, emissions.dtype, states.log_z)


def moments(states: UnfusedStates) -> tuple[Tensor, Tensor]:
    """The unary marginals [B, L, N], 0 at padding, and the expected transition counts [B, N, N]."""
    unary, pairs = log_space.moments(states.log)
    return unary.to(states.dtype), pairs.to(states.dtype)


def log_marginals(states: UnfusedStates) -> Tensor:
    """Log q(y_l = j) [B, L, N], 0 at padding."""
    return log_space.log_marginals(states.log).to(states.dtype)


def pull_back(states: UnfusedStates, grad: Tensor) -> tuple[Tensor, Tensor]:
    """The gradients of sum(grad * log marginals) by emissions [B, L, N] and by pairs [B, N, N]."""
    unary, pairs = log_space.pull_back(states.log, grad)
    return unary.to(states.dtype), pairs.to(states.dtype)
