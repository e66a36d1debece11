"""Forward-backward in log space and float64: the exact form, for scores of any range.

It is the fallback of `scaled` (float32 probability space) where numbers there would leave their range, and
the plain twin of the GPU kernels. Scores of -1e4 and 512 words need float64: in float32, neighbouring sums of
that size lie further apart than the marginals that hang on them.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from pipeline.chain.moments import length_mask


class Sweep(NamedTuple):
    """The potentials, float64, and what the two recursions leave behind.

    `alpha` [B, L, N] is the log mass of all prefixes that end in tag j at word l, with its emission; `beta`
    [B, L, N] that of all suffixes that follow tag j at word l; `log_z` [B]. At padding they hold no meaning.
    """

    emissions: Tensor
    transitions: Tensor
    words: Tensor
    alpha: Tensor
    beta: Tensor
    log_z: Tensor


def sweep(emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, lengths: Tensor) -> Sweep:
    """Run both recursions on potentials of the shapes of `LinearChain`."""
    emissions, transitions, start, end = (x.double() for x in (emissions, transitions, start, end))
    alpha = _forward(emissions, transitions, start)
    beta = _backward(emissions, transitions, end, lengths)
    log_z = (alpha[:, 0] + beta[:, 0]).logsumexp(1)
    return Sweep(emissions, transitions, length_mask(lengths, emissions.shape[1]), alpha, beta, log_z)


def _forward(emissions: Tensor, transitions: Tensor, start: Tensor) -> Tensor:
    """Return alpha: alpha[l, j] = e[l, j] + logsumexp_i(alpha[l-1, i] + T[i, j])."""
    alpha = torch.empty_like(emissions)
    alpha[:, 0] = start + emissions[:, 0]
    for word in range(1, emissions.shape[1]):
        alpha[:, word] = emissions[:, word] + (alpha[:, word - 1, :, None] + transitions).logsumexp(1)
    return alpha


def _backward(emissions: Tensor, transitions: Tensor, end: Tensor, lengths: Tensor) -> Tensor:
    """Return beta: beta[l, i] = logsumexp_j(T[i, j] + e[l+1, j] + beta[l+1, j]), `end` at the last word."""
    beta = end.expand_as(emissions).clone()
    for word in range(emissions.shape[1] - 2, -1, -1):
        after = emissions[:, word + 1] + beta[:, word + 1]
        inside = (word + 1 < lengths)[:, None]
        beta[:, word] = torch.where(inside, (transitions + after[:, None, :]).logsumexp(2), end)
    return beta


def log_marginals(found: Sweep) -> Tensor:
    """Return log q(y_l = j) [B, L, N], 0 at padding."""
    return torch.where(found.words[..., None], found.alpha + found.beta - found.log_z[:, None, None], 0.0)


def moments(found: Sweep) -> tuple[Tensor, Tensor]:
    """Return the unary marginals [B, L, N], 0 at padding, and the expected transition counts [B, N, N]."""
    unary = torch.where(found.words[..., None], log_marginals(found).exp(), 0.0)
    pairs = torch.zeros_like(found.transitions).repeat(len(unary), 1, 1)
    after = found.emissions + found.beta - found.log_z[:, None, None]
    for word in range(1, unary.shape[1]):  # word by word: nothing of [B, L, N, N] is held
        joint = (found.alpha[:, word - 1, :, None] + found.transitions + after[:, word, None, :]).exp()
        pairs += torch.where(found.words[:, word, None, None], joint, 0.0)
    return unary, pairs


def pull_back(found: Sweep, grad: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradients of sum(grad * log marginals) by emissions [B, L, N] and by pairs [B, N, N].

    `grad` [B, L, N] is 0 at padding and sums to 0 over the tags of each word. It travels as (signed)
    mass along the posterior chain in both directions: forward with q(y_l = j | y_{l-1} = i), backward with
    q(y_{l-1} = i | y_l = j). No quotient by a marginal occurs, so tags of no probability do no harm.
    """
    grad = grad.double()
    transitions = found.transitions
    after = found.emissions + found.beta
    before = found.alpha - found.emissions
    forward, backward = grad.clone(), grad.clone()
    pairs = torch.zeros_like(transitions).repeat(len(grad), 1, 1)
    for word in range(1, grad.shape[1]):
        step = (transitions + after[:, word, None, :] - found.beta[:, word - 1, :, None]).exp()
        flow = torch.where(found.words[:, word, None, None], forward[:, word - 1, :, None] * step, 0.0)
        forward[:, word] += flow.sum(1)
        pairs += flow
    for word in range(grad.shape[1] - 1, 0, -1):
        step = (found.alpha[:, word - 1, :, None] + transitions - before[:, word, None, :]).exp()
        flow = torch.where(found.words[:, word, None, None], backward[:, word, None, :] * step, 0.0)
        backward[:, word - 1] += flow.sum(2)
        pairs += flow
    return forward + backward - grad, pairs
