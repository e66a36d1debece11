"""Forward-backward in log space and float64: the exact form, for scores of any range.

It is the fallback of `scaled` (float32 probability space) where numbers there would leave their range, and
the plain twin of the GPU kernels. Scores of -1e4 and 512 words need float64: in float32, neighbouring sums of
that size lie further apart than the marginals that hang on them.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from pipeline.chain.moments import length_mask


class LogStates(NamedTuple):
    """The potentials, float64, and the states of the two recursions.

    `alpha` [B, L, N] is the log mass of all prefixes that end in tag j at word l, with its emission, and
    `before` the same without it; `beta` [B, L, N] is that of all suffixes that follow tag j at word l, and
    `log_z` [B] that of all sequences. At padding they hold no meaning. A mass of 0 has the logarithm -inf.
    """

    emissions: Tensor
    transitions: Tensor
    words: Tensor
    before: Tensor
    alpha: Tensor
    beta: Tensor
    log_z: Tensor


def sweep(emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, lengths: Tensor) -> LogStates:
    """The states of both recursions, for potentials of the shapes of `LinearChain`."""
    emissions, transitions, start, end = (x.double() for x in (emissions, transitions, start, end))
    before, alpha = _forward(emissions, transitions, start)
    beta = _backward(emissions, transitions, end, lengths)
    log_z = (alpha[:, 0] + beta[:, 0]).logsumexp(1)
    words = length_mask(lengths, emissions.shape[1])
    return LogStates(emissions, transitions, words, before, alpha, beta, log_z)


def _forward(emissions: Tensor, transitions: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
    """Before, alpha [B, L, N]: before[l, j] = logsumexp_i(alpha[l-1, i] + T[i, j]), alpha = before + e."""
    before, alpha = torch.empty_like(emissions), torch.empty_like(emissions)
    before[:, 0] = start
    alpha[:, 0] = start + emissions[:, 0]
    for word in range(1, emissions.shape[1]):
        before[:, word] = (alpha[:, word - 1, :, None] + transitions).logsumexp(1)
        alpha[:, word] = before[:, word] + emissions[:, word]
    return before, alpha


def _backward(emissions: Tensor, transitions: Tensor, end: Tensor, lengths: Tensor) -> Tensor:
    """Beta [B, L, N]: beta[l, i] = logsumexp_j(T[i, j] + e[l+1, j] + beta[l+1, j]), `end` at the end."""
    beta = end.expand_as(emissions).clone()
    for word in range(emissions.shape[1] - 2, -1, -1):
        after = emissions[:, word + 1] + beta[:, word + 1]
        inside = (word + 1 < lengths)[:, None]
        beta[:, word] = torch.where(inside, (transitions + after[:, None, :]).logsumexp(2), end)
    return beta


def log_marginals(states: LogStates) -> Tensor:
    """Log q(y_l = j) [B, L, N], 0 at padding."""
    log_z = _divisor(states.log_z)[:, None, None]
    return torch.where(states.words[..., None], states.alpha + states.beta - log_z, 0.0)


def moments(states: LogStates) -> tuple[Tensor, Tensor]:
    """The unary marginals [B, L, N], 0 at padding, and the expected transition counts [B, N, N]."""
    unary = torch.where(states.words[..., None], log_marginals(states).exp(), 0.0)
    pairs = torch.zeros_like(states.transitions).repeat(len(unary), 1, 1)
    after = states.emissions + states.beta - _divisor(states.log_z)[:, None, None]
    for word in range(1, unary.shape[1]):  # word by word: nothing of [B, L, N, N] is held
        joint = (states.alpha[:, word - 1, :, None] + states.transitions + after[:, word, None, :]).exp()
        pairs += torch.where(states.words[:, word, None, None], joint, 0.0)
    return unary, pairs


def _divisor(log_mass: Tensor) -> Tensor:
    """The logarithm of a mass to divide by, +inf where the mass is 0: what is part of it is 0, not NaN."""
    return log_mass.masked_fill(log_mass.isneginf(), torch.inf)


def pull_back(states: LogStates, grad: Tensor) -> tuple[Tensor, Tensor]:
    """The gradients of sum(grad * log marginals) by emissions [B, L, N] and by pairs [B, N, N].

    `grad` [B, L, N] is 0 at padding and where q = 0, and sums to 0 over the tags of each word. It travels as
    (signed) mass along the posterior chain in both directions: forward with q(y_l = j | y_{l-1} = i),
    backward with q(y_{l-1} = i | y_l = j). No quotient by a marginal occurs, so q may be as small as can be.
    """
    grad = grad.double()
    transitions = states.transitions
    after = states.emissions + states.beta
    before, rest = _divisor(states.before), _divisor(states.beta)
    forward, backward = grad.clone(), grad.clone()
    pairs = torch.zeros_like(transitions).repeat(len(grad), 1, 1)
    for word in range(1, grad.shape[1]):
        step = (transitions + after[:, word, None, :] - rest[:, word - 1, :, None]).exp()
        flow = torch.where(states.words[:, word, None, None], forward[:, word - 1, :, None] * step, 0.0)
        forward[:, word] += flow.sum(1)
        pairs += flow
    for word in range(grad.shape[1] - 1, 0, -1):
        step = (states.alpha[:, word - 1, :, None] + transitions - before[:, word, None, :]).exp()
        flow = torch.where(states.words[:, word, None, None], backward[:, word, None, :] * step, 0.0)
        backward[:, word - 1] += flow.sum(2)
        pairs += flow
    return forward + backward - grad, pairs
