"""Which form of each recursion runs."""

from typing import NamedTuple

from torch import Tensor

from pipeline.chain import log_space


class State(NamedTuple):
    """What `pull_back` needs of the forward pass."""

    emissions: Tensor
    transitions: Tensor
    lengths: Tensor
    messages: log_space.Messages
    like: Tensor


def log_partition(
    emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, lengths: Tensor
) -> Tensor:
    """Return log Z [B]."""
    return forward_backward(emissions, transitions, start, end, lengths)[0]


def forward_backward(
    emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, lengths: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return log Z [B] and the moments: unary [B, L, N] and pairs [B, N, N]."""
    dtype = emissions.dtype
    e, t, b, d = (x.double() for x in (emissions, transitions, start, end))
    found = log_space.messages(e, t, b, d, lengths)
    logs = log_space.unary_log_marginals(found, lengths)
    unary = log_space.mask(logs.exp(), lengths)
    pairs = log_space.expected_pairs(e, t, found, lengths)
    return found.log_z.to(dtype), unary.to(dtype), pairs.to(dtype)


def log_marginals(
    emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, lengths: Tensor
) -> tuple[Tensor, State]:
    """Return log q(y_l = j) [B, L, N], 0 at padding, and what its gradient needs."""
    e, t, b, d = (x.double() for x in (emissions, transitions, start, end))
    found = log_space.messages(e, t, b, d, lengths)
    logs = log_space.unary_log_marginals(found, lengths)
    return logs.to(emissions.dtype), State(e, t, lengths, found, emissions)


def pull_back(state: State, grad: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradients of sum(grad * log q): emissions [B, L, N] and, per sentence, transitions."""
    unary, pairs = log_space.pull_back(
        state.emissions, state.transitions, state.messages, state.lengths, grad.double()
    )
    return unary.to(grad.dtype), pairs.to(grad.dtype)
