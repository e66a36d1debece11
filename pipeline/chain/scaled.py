"""Forward-backward in scaled probability space: two small products per word, both directions at once.

With a = exp(alpha) and M = exp(T) the forward recursion is a_l = (a_{l-1} M) * exp(e_l). The backward one is
the same with M transposed and the words reversed, so each sentence is laid out in both orders, left-aligned, and
one batched product [2, B, N] x [2, N, N] advances both. Emissions are soft-maxed over the tags and M is at most
1, so that no state ever grows; what it may lose is given back every few words by a factor folded into the
emissions of that word (so that the recursion stays exactly linear, which `pull_back` needs).

What could go wrong is underflow: a tag whose share is below the smallest float, but which all
sequences have to pass because of a later barrier. Whether it can have happened is known afterwards: if all
states are far above the smallest float, then whatever was rounded to zero was too small to matter in every sum
it belonged to. `Sweep.exact` says so per sentence; the others are done again by `log_space`.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from pipeline.chain.moments import length_mask

# A state is rescaled before its largest entry can have lost this much (natural logarithm), and no later than
# after so many words.
_MAX_LOSS = 20.0
_MAX_STRIDE = 16


class Sweep(NamedTuple):
    """Both recursions of a batch; L is the length of its longest sentence.

    `before`, `state` and `weights` are [L, 2, B, N]: at step t of direction 0 (forward) stands word t, at
    step t of direction 1 (backward) word length - 1 - t, and state = before * weights; past the end of a
    sentence its outermost word is repeated. `suffix` [B, L, N] is `before` of the backward
    direction at word l; `mass` [B, L] = sum_j state[forward] * suffix is Z in the units of each word. `order`
    [L, 2, B] is the row of [B, L] that step t takes, `rows` [B, L] that of [L, 2, B] at which the backward
    direction stands at word l. `exact` [B] is False where underflow may matter, None
    where no sentence is in doubt.
    """

    log_z: Tensor
    before: Tensor
    state: Tensor
    weights: Tensor
    suffix: Tensor
    mass: Tensor
    steps: Tensor
    words: Tensor
    order: Tensor
    rows: Tensor
    exact: Tensor | None


def sweep(emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, lengths: Tensor) -> Sweep:
    """Run both recursions. Shapes as in `LinearChain`, with L the length of the longest sentence."""
    batch, size, tags = emissions.shape
    words = length_mask(lengths, size)
    order = _order(lengths, size)

    shares = emissions.softmax(-1)
    top_start, top_end, top_step = start.max(), end.max(), transitions.max()
    one_way = (transitions - top_step).exp()
    steps = torch.stack((one_way, one_way.t()))

    weights = shares.reshape(-1, tags).index_select(0, order.flatten())
    weights = weights.view(size, 2, batch, tags)
    least_weight = weights.min()
    before, state = torch.empty_like(weights), torch.empty_like(weights)
    before[0] = torch.stack((start - top_start, end - top_end)).exp()[:, None]
    stride = _stride(transitions, top_step)
    factors = _advance(before.unbind(), state.unbind(), weights.unbind(), steps, stride)

    # Rows of `before` that hold the backward direction, in the order of the words.
    step = (lengths[:, None] - 1 - torch.arange(size, device=lengths.device)).clamp_min_(0)
    rows = (step * 2 + 1) * batch + torch.arange(batch, device=lengths.device)[:, None]
    suffix = before.view(-1, tags).index_select(0, rows.flatten()).view(batch, size, tags)
    mass = (state[:, 0].transpose(0, 1) * suffix).sum(-1)

    # log Z = the mass at the first word, and everything that was taken out on the way from the last one.
    peak = emissions.amax(-1).double() - shares.amax(-1).log().double()
    taken = torch.where(words, peak, 0.0).sum(1) + (lengths - 1) * top_step.double()
    log_z = mass[:, 0].log().double() + taken + (top_start.double() + top_end.double())
    if factors:
        rescaled = torch.arange(stride, size, stride, device=lengths.device)[:, None] < lengths - 1
        lost = torch.stack(factors)[:, 1, :, 0].log().double()
        log_z = log_z - torch.where(rescaled, lost, 0.0).sum(0)

    floor = torch.finfo(emissions.dtype).tiny * 1e10
    least = torch.stack((before.min(), state.min(), mass.min(), least_weight * 1e9)).min()
    exact = None
    if not least >= floor:  # NaN too
        exact = _exact(before, state, mass, shares, words, floor)
        # The others are done again; at their padding the exact ones may hold 0 or NaN, which must not spread.
        for values in (before, state, weights, suffix, mass):
            values.masked_fill_(~((values > 0) & values.isfinite()), 1.0)
    return Sweep(
        log_z.to(emissions.dtype), before, state, weights, suffix, mass, steps, words, order, rows, exact
    )


def _order(lengths: Tensor, size: int) -> Tensor:
    """Return [L, 2, B]: which row of [B, L] stands at step t of each direction."""
    batch = len(lengths)
    step = torch.arange(size, device=lengths.device)[:, None]
    first = torch.arange(batch, device=lengths.device) * size
    last = lengths - 1
    forward = first + torch.minimum(step, last)
    backward = first + (last - step).clamp_min_(0)
    return torch.stack((forward, backward), 1)


def _stride(transitions: Tensor, top_step: Tensor) -> int:
    """Return how many words a state may go without rescaling: its largest entry loses at most max T - min T."""
    loss = float(top_step - transitions.min())
    return max(1, min(_MAX_STRIDE, int(_MAX_LOSS / loss))) if loss > 0 else _MAX_STRIDE


def _advance(
    before: tuple[Tensor, ...],
    state: tuple[Tensor, ...],
    weights: tuple[Tensor, ...],
    steps: Tensor,
    stride: int,
) -> list[Tensor]:
    """Fill `before` and `state` step by step; return the factors [2, B, 1] of the rescaled steps."""
    factors = []
    torch.mul(before[0], weights[0], out=state[0])
    for t in range(1, len(state)):
        torch.bmm(state[t - 1], steps, out=before[t])
        if t % stride == 0:
            factor = before[t].amax(-1, keepdim=True).reciprocal_()
            weights[t].mul_(factor)
            factors.append(factor)
        torch.mul(before[t], weights[t], out=state[t])
    return factors


def _exact(
    before: Tensor, state: Tensor, mass: Tensor, shares: Tensor, words: Tensor, floor: float
) -> Tensor:
    """Return [B]: whether all states of a sentence (not those at its padding) are far above underflow."""
    least = torch.minimum(before, state).amin(3).amin(1).t().minimum(mass)
    enough = (least >= floor) & (shares.amin(2) * 1e9 >= floor)
    return torch.where(words, enough, True).all(1)


def moments(found: Sweep) -> tuple[Tensor, Tensor]:
    """Return the unary marginals [B, L, N], 0 at padding, and the expected transition counts [B, N, N]."""
    forward = found.state[:, 0].transpose(0, 1)
    rest = found.suffix * _one_over(found.mass, found.words)
    unary = forward * rest
    arrived = found.weights[1:, 0].transpose(0, 1) * rest[:, 1:]
    pairs = torch.bmm(forward[:, :-1].transpose(1, 2), arrived).mul_(found.steps[0])
    return unary, pairs


def log_marginals(found: Sweep) -> Tensor:
    """Return log q(y_l = j) [B, L, N], 0 at padding; a sum of logarithms, as the product may underflow."""
    logs = found.state[:, 0].transpose(0, 1).log() + found.suffix.log() - found.mass.log()[..., None]
    return torch.where(found.words[..., None], logs, 0.0)


def pull_back(found: Sweep, grad: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradients of sum(grad * log marginals) by emissions [B, L, N] and by pairs [B, N, N].

    `grad` [B, L, N] is 0 at padding and sums to 0 over the tags of each word. With w = grad / q the gradient is
    E[phi(y) sum_l w_l(y_l)], a tangent of both recursions: to the state of each step comes state * w.
    """
    batch, size, tags = grad.shape
    forward = found.state[:, 0].transpose(0, 1)
    per_mass = _one_over(found.mass, found.words)
    # state * w without the quotient by q, which may underflow where neither state does.
    scaled = grad * found.mass[..., None]
    to_forward = scaled / found.suffix
    to_backward = scaled / forward
    order = found.order
    added = torch.stack(
        (
            to_forward.view(-1, tags).index_select(0, order[:, 0].flatten()),
            to_backward.view(-1, tags).index_select(0, order[:, 1].flatten()),
        )
    )
    added = added.view(2, size, batch, tags).transpose(0, 1).contiguous()
    added[:, 1] *= found.weights[:, 1]
    before = torch.zeros_like(added)
    for t in range(1, size):
        torch.bmm(added[t - 1], found.steps, out=before[t])
        added[t].addcmul_(before[t], found.weights[t])

    tangent = added[:, 0].transpose(0, 1)
    after = before.view(-1, tags).index_select(0, found.rows.flatten()).view(batch, size, tags)
    unary = (tangent * found.suffix + forward * after) * per_mass
    weights = found.weights[1:, 0].transpose(0, 1) * per_mass[:, 1:]
    pairs = torch.bmm(tangent[:, :-1].transpose(1, 2), weights * found.suffix[:, 1:])
    pairs.baddbmm_(forward[:, :-1].transpose(1, 2), weights * (after[:, 1:] + to_backward[:, 1:]))
    return unary, pairs.mul_(found.steps[0])


def _one_over(mass: Tensor, words: Tensor) -> Tensor:
    """Return 1 / mass [B, L, 1], 0 at padding."""
    return torch.where(words, mass.reciprocal(), 0.0)[..., None]
