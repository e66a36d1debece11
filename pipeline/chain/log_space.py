"""Forward-backward in log space and float64: the exact form, for scores of any range.

It is the fallback of `scaled` (float32 probability space) where numbers there would leave their range, and
the plain twin of the GPU kernels. Scores of -1e4 and 512 words need float64: in float32, neighbouring sums of
that size lie further apart than the marginals that hang on them.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from pipeline.chain.moments import length_mask


class Messages(NamedTuple):
    """What the two recursions leave behind, float64.

    `alpha` [B, L, N] is the log mass of all prefixes that end in tag j at word l, with its emission; `beta`
    [B, L, N] that of all suffixes that follow tag j at word l; `log_z` [B]. At padding they hold no meaning.
    """

    alpha: Tensor
    beta: Tensor
    log_z: Tensor


def forward_messages(emissions: Tensor, transitions: Tensor, start: Tensor) -> Tensor:
    """Return alpha [B, L, N]: alpha[l, j] = e[l, j] + logsumexp_i(alpha[l-1, i] + T[i, j])."""
    batch, size, tags = emissions.shape
    alpha = emissions.new_empty(batch, size, tags)
    alpha[:, 0] = start + emissions[:, 0]
    for word in range(1, size):
        alpha[:, word] = emissions[:, word] + (alpha[:, word - 1, :, None] + transitions).logsumexp(1)
    return alpha


def backward_messages(emissions: Tensor, transitions: Tensor, end: Tensor, lengths: Tensor) -> Tensor:
    """Return beta [B, L, N]: beta[l, i] = logsumexp_j(T[i, j] + e[l+1, j] + beta[l+1, j]), `end` at the last."""
    batch, size, tags = emissions.shape
    beta = end.expand(batch, size, tags).clone()
    for word in range(size - 2, -1, -1):
        after = emissions[:, word + 1] + beta[:, word + 1]
        inside = (word + 1 < lengths)[:, None]
        beta[:, word] = torch.where(inside, (transitions + after[:, None, :]).logsumexp(2), end)
    return beta


def messages(emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, lengths: Tensor) -> Messages:
    """Run both recursions on float64 potentials of the shapes of `LinearChain`."""
    alpha = forward_messages(emissions, transitions, start)
    beta = backward_messages(emissions, transitions, end, lengths)
    return Messages(alpha, beta, (alpha[:, 0] + beta[:, 0]).logsumexp(1))


def unary_log_marginals(found: Messages, lengths: Tensor) -> Tensor:
    """Return log q(y_l = j) [B, L, N], 0 at padding."""
    words = length_mask(lengths, found.alpha.shape[1])[..., None]
    return torch.where(words, found.alpha + found.beta - found.log_z[:, None, None], 0.0)


def expected_pairs(emissions: Tensor, transitions: Tensor, found: Messages, lengths: Tensor) -> Tensor:
    """Return the expected transition counts [B, N, N], word by word: nothing of [B, L, N, N] is held."""
    pairs = emissions.new_zeros(len(emissions), *transitions.shape)
    after = emissions + found.beta - found.log_z[:, None, None]
    for word in range(1, emissions.shape[1]):
        joint = (found.alpha[:, word - 1, :, None] + transitions + after[:, word, None, :]).exp()
        pairs += torch.where((word < lengths)[:, None, None], joint, 0.0)
    return pairs


def pull_back(
    emissions: Tensor, transitions: Tensor, found: Messages, lengths: Tensor, grad: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the gradients of sum(grad * log marginals) with respect to emissions and to the pairs [B, N, N].

    `grad` [B, L, N] is 0 at padding and sums to 0 over the tags of each word. It travels as (signed)
    mass along the posterior chain in both directions: forward with q(y_l = j | y_{l-1} = i), backward with
    q(y_{l-1} = i | y_l = j). No quotient by a marginal occurs, so tags of no probability do no harm.
    """
    size = emissions.shape[1]
    after = emissions + found.beta
    before = found.alpha - emissions
    forward, backward = grad.clone(), grad.clone()
    pairs = emissions.new_zeros(len(emissions), *transitions.shape)
    for word in range(1, size):
        inside = (word < lengths)[:, None, None]
        step = (transitions + after[:, word, None, :] - found.beta[:, word - 1, :, None]).exp()
        flow = torch.where(inside, forward[:, word - 1, :, None] * step, 0.0)
        forward[:, word] += flow.sum(1)
        pairs += flow
    for word in range(size - 1, 0, -1):
        inside = (word < lengths)[:, None, None]
        step = (found.alpha[:, word - 1, :, None] + transitions - before[:, word, None, :]).exp()
        flow = torch.where(inside, backward[:, word, None, :] * step, 0.0)
        backward[:, word - 1] += flow.sum(2)
        pairs += flow
    return forward + backward - grad, pairs


def mask(values: Tensor, lengths: Tensor) -> Tensor:
    """Return `values` [B, L, N] with 0 at padding."""
    return torch.where(length_mask(lengths, values.shape[1])[..., None], values, 0.0)
