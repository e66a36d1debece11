"""Forward-backward in scaled probability space: one small product per word, both directions at once.

With a = exp(alpha) and M = exp(T) the forward recursion is a_l = (a_{l-1} M) * exp(e_l). The backward one,
g_l = (g_{l+1} M') * exp(e_l), is the same with M transposed and the words reversed, so each sentence is laid
out in both orders, left-aligned, and one batched product [2, B, N] x [2, N, N] advances both. The weights
exp(e_l) are normalised over the tags and M is at most 1, so no state ever grows; what it loses is given back
every few words by a factor folded into the weights of that word (so the recursion stays exactly linear,
which `pull_back` needs).

What could go wrong is underflow: a tag's share falls below the smallest float, yet all sequences have to
pass it because of a later barrier. Whether that can have happened is known afterwards: if all states are far
above the smallest float, whatever was rounded to zero was too small to matter in every sum it was missing
from. `ScaledStates.exact` says so per sentence; the others are done again by `log_space`.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from pipeline.chain.viterbi import viterbi as viterbi  # the part of `Backend` that is not written here
from pipeline.chain.workspace import scratch

# A state is rescaled when its largest entry will have lost about so much (natural logarithm), and no later
# than after so many words.
_MAX_LOSS = 16.0
_MAX_STRIDE = 16


class ScaledStates(NamedTuple):
    """Both recursions of a batch; L is the length of its longest sentence, and words come first here.

    `state` and `weights` are [L, 2, B, N]: at step t of direction 0 (forward) stands word t, at step t of
    direction 1 (backward) word length - 1 - t; past the end of a sentence its outermost word is repeated.
    `backward` [L, B, N] is the state of direction 1 at word l, `rest` the same without that word's weight,
    and `joint` = state[:, 0] * rest, which sums to `mass` [L, B] over the tags. `steps` [2, N, N] is M and
    M transposed. `order` [L, 2, B] is the row of [B, L] at step t, `rows` [L, B] that of [L, 2, B] where
    direction 1 has word l. `words` [L, B] is False at padding. `exact` [B] is False where underflow may
    matter, None where no sentence is in doubt.
    """

    log_z: Tensor
    state: Tensor
    weights: Tensor
    backward: Tensor
    rest: Tensor
    joint: Tensor
    mass: Tensor
    steps: Tensor
    order: Tensor
    rows: Tensor
    words: Tensor
    exact: Tensor | None


def sweep(
    emissions: Tensor,
    transitions: Tensor,
    start: Tensor,
    end: Tensor,
    lengths: Tensor,
    *,
    keep: bool,
    stride: int | None = None,
) -> ScaledStates:
    """The states of both recursions. Shapes as in `LinearChain`, with L the length of the longest sentence.

    Without `keep` the result lies in scratch memory and holds until this thread's next sweep. States are
    rescaled every `stride` words: by default as often as usual scores need, and at every word if those
    turn out not to be usual.
    """
    places = _places(lengths, emissions.shape[1])
    shares, shift = _shares(emissions)
    # Where all scores are -inf the largest is taken as the least finite one: -inf less -inf would be NaN.
    lowest = torch.finfo(emissions.dtype).min
    top_step, top_start, top_end = (scores.max().clamp_min_(lowest) for scores in (transitions, start, end))
    one_way = (transitions - top_step).exp_()
    steps = torch.stack((one_way, one_way.t()))
    outermost = torch.stack((start - top_start, end - top_end)).exp_()
    state, weights = _first_states(outermost, shares, places, keep)
    least_weight = weights.min()
    every = stride or _stride(one_way)
    factors = _advance(state, weights, steps, every)

    backward, rest, joint = _joined(state, weights, places, keep)
    mass = joint.sum(-1)
    # log Z is the mass at the first word and all that was taken out of the backward direction before it.
    taken = torch.where(places.words, shift.view(len(lengths), -1).t(), 0.0).sum(0)
    taken += (lengths - 1) * top_step.double()
    log_z = mass[0].double().log() + taken + (top_start.double() + top_end.double())
    # What is lost to underflow is lost in the units before rescaling.
    floor = torch.full_like(mass[0], torch.finfo(emissions.dtype).tiny * 1e10)
    if factors:
        given = _given(factors, every, lengths)
        log_z -= given[:, 1].double().log().sum(0)
        floor *= given.amax((0, 1)).clamp_min_(1.0)
    states = ScaledStates(log_z, state, weights, backward, rest, joint, mass, steps, *places, exact=None)
    least = torch.minimum(state.min(), torch.minimum(mass.min(), least_weight * 1e9))
    if least >= floor.max():  # not so if one of them is NaN
        return states
    if every > 1:
        return sweep(emissions, transitions, start, end, lengths, keep=keep, stride=1)
    exact = _exact(state, shares, mass, places.words, floor)
    _fill_unused(states, exact)
    return states._replace(exact=exact)


class _Places(NamedTuple):
    """Where both directions have a word: `order`, `rows` and `words` of `ScaledStates`."""

    order: Tensor
    rows: Tensor
    words: Tensor


def _places(lengths: Tensor, size: int) -> _Places:
    """The places of sentences [B] of these lengths, of which the longest has `size` words."""
    batch = len(lengths)
    step = torch.arange(size, device=lengths.device)[:, None]
    sentence = torch.arange(batch, device=lengths.device)
    last = lengths - 1
    reversed_step = (last - step).clamp_min_(0)
    order = torch.stack((torch.minimum(step, last), reversed_step), 1).add_(sentence * size)
    rows = (reversed_step * 2 + 1).mul_(batch).add_(sentence)
    return _Places(order, rows, step < lengths)


def _first_states(outermost: Tensor, shares: Tensor, places: _Places, keep: bool) -> tuple[Tensor, Tensor]:
    """Memory for the states with the first step of each direction in it, and the weights [L, 2, B, N].

    `outermost` [2, N] is exp of the start and of the end scores, each at most 1.
    """
    shape = (*places.order.shape, shares.shape[-1])
    weights = scratch("weights", shape, shares, keep)
    torch.index_select(shares, 0, places.order.flatten(), out=weights.view(-1, shape[-1]))
    state = scratch("state", shape, shares, keep)
    torch.mul(outermost[:, None], weights[0], out=state[0])
    return state, weights


def _joined(state: Tensor, weights: Tensor, places: _Places, keep: bool) -> tuple[Tensor, Tensor, Tensor]:
    """`backward`, `rest` and `joint` of `ScaledStates`."""
    size, _, batch, tags = state.shape
    backward = scratch("backward", (size, batch, tags), state, keep)
    torch.index_select(state.view(-1, tags), 0, places.rows.flatten(), out=backward.view(-1, tags))
    rest = torch.div(backward, weights[:, 0], out=scratch("rest", backward.shape, state, keep))
    joint = torch.mul(state[:, 0], rest, out=scratch("joint", backward.shape, state, keep))
    return backward, rest, joint


def _given(factors: list[Tensor], every: int, lengths: Tensor) -> Tensor:
    """The factors [K, 2, B] of the K rescaled steps; 1 past the end of a sentence."""
    size = (len(factors) + 1) * every
    inside = torch.arange(every, size, every, device=lengths.device)[:, None, None] < lengths
    return torch.where(inside, torch.stack(factors)[..., 0], 1.0)


def _fill_unused(states: ScaledStates, exact: Tensor) -> None:
    """Put 1 where 0 or NaN may stand: at padding, and in the sentences that are not exact.

    From padding it must not reach the words of an exact sentence, and the other sentences are done again. At
    the words of an exact sentence 0 is right (in `joint`).
    """
    unused = ~(states.words & exact)
    for values in (states.state, states.weights):
        values.masked_fill_(unused[:, None, :, None], 1.0)
    for values in (states.backward, states.rest, states.joint):
        values.masked_fill_(unused[..., None], 1.0)
    states.mass.masked_fill_(unused, 1.0)


def _shares(emissions: Tensor) -> tuple[Tensor, Tensor]:
    """Exp(e - shift) [B * L, N], which sums to 1 over the tags, and shift [B * L], float64.

    Products with ones find mean and sum: softmax and reductions over so few tags are several times slower.
    """
    batch, size, tags = emissions.shape
    ones = emissions.new_ones(tags)
    flat = emissions.reshape(-1, tags)
    mean = (flat @ ones).div_(tags)
    shares = scratch("shares", (batch * size, tags), emissions)
    torch.sub(flat, mean[:, None], out=shares).exp_()
    total = shares @ ones
    shares.div_(total[:, None])
    return shares, mean.double() + total.log()


def _stride(one_way: Tensor) -> int:
    """How many words a state may go without rescaling, if each word costs it the mean of M."""
    loss = -math.log(max(1e-30, float(one_way.mean())))  # NaN counts as 1e-30
    return max(1, min(_MAX_STRIDE, int(_MAX_LOSS / max(loss, 1e-9))))


def _advance(state: Tensor, weights: Tensor, steps: Tensor, stride: int) -> list[Tensor]:
    """The factors [2, B, 1] of the rescaled steps; fills `state` step by step."""
    factors = []
    arrived = torch.empty_like(state[0])
    states = state.unbind()
    for t, weight in enumerate(weights.unbind()):
        if t == 0:
            continue
        torch.bmm(states[t - 1], steps, out=arrived)
        if t % stride == 0:
            factor = arrived.amax(-1, keepdim=True).reciprocal_()
            weight.mul_(factor)
            factors.append(factor)
        torch.mul(arrived, weight, out=states[t])
    return factors


def _exact(state: Tensor, shares: Tensor, mass: Tensor, words: Tensor, floor: Tensor) -> Tensor:
    """Whether [B] all states of a sentence (not those at its padding) are far above underflow."""
    least = state.amin((1, 3)).minimum(mass).minimum(shares.amin(1).view(words.t().shape).t() * 1e9)
    return torch.where(words, least >= floor, True).all(0)


def _per_mass(states: ScaledStates) -> Tensor:
    """1 / mass [L, B, 1], 0 at padding."""
    return torch.where(states.words, states.mass.reciprocal(), 0.0)[..., None]


def moments(states: ScaledStates) -> tuple[Tensor, Tensor]:
    """The unary marginals [B, L, N], 0 at padding, and the expected transition counts [B, N, N]."""
    per_mass = _per_mass(states)
    size, batch, tags = states.joint.shape
    unary = states.joint.new_empty(batch, size, tags)
    torch.mul(states.joint, per_mass, out=unary.transpose(0, 1))
    arrived = torch.mul(states.backward, per_mass, out=scratch("arrived", (size, batch, tags), per_mass))
    pairs = _outer(states.state[:-1, 0], arrived[1:]).mul_(states.steps[0])
    return unary, pairs


def log_marginals(states: ScaledStates) -> Tensor:
    """Log q(y_l = j) [B, L, N], 0 at padding; a sum of logarithms, as the product may underflow."""
    logs = states.state[:, 0].log() + states.rest.log() - states.mass.log()[..., None]
    logs *= states.words[..., None]
    return logs.transpose(0, 1).contiguous()


def pull_back(states: ScaledStates, grad: Tensor) -> tuple[Tensor, Tensor]:
    """The gradients of sum(grad * log marginals) by emissions [B, L, N] and by pairs [B, N, N].

    `grad` [B, L, N] is 0 at padding and where q = 0, and sums to 0 over the tags of each word. With
    w = grad / q the gradient is E[φ(y) Σ_l w_l(y_l)], a tangent of both recursions, to which each step adds
    state * w.
    """
    batch, size, tags = grad.shape
    per_mass, rest = _per_mass(states), states.rest
    forward = states.state[:, 0]
    # `rest` of the forward direction. All products below take it whole: a state times a weight may underflow.
    before = torch.div(forward, states.weights[:, 0], out=scratch("before", (size, batch, tags), grad))
    # state * w without a quotient by q, which may underflow where neither of its factors does.
    scaled = grad.transpose(0, 1) * states.mass[..., None]
    tangent = scratch("tangent", tuple(states.state.shape), grad)
    torch.div(scaled, rest, out=tangent[:, 0])
    to_backward = scaled.div_(before).flatten(0, 1)
    by_step = (states.order[:, 1] % size) * batch + states.order[:, 1] // size
    tangent[:, 1] = to_backward.index_select(0, by_step.flatten()).view(size, batch, tags)
    arrived = torch.empty_like(tangent[0])
    tangents = tangent.unbind()
    for t, weight in enumerate(states.weights.unbind()):
        if t:
            torch.bmm(tangents[t - 1], states.steps, out=arrived)
            tangents[t].addcmul_(arrived, weight)

    ahead = tangent[:, 0]
    behind = tangent.view(-1, tags).index_select(0, states.rows.flatten()).view(size, batch, tags)
    unary = (ahead * rest).addcmul_(before, behind).mul_(per_mass)
    pairs = _outer(ahead[:-1], (states.backward * per_mass)[1:])
    pairs += _outer(forward[:-1], (behind * per_mass)[1:])
    return unary.transpose(0, 1) - grad, pairs.mul_(states.steps[0])


def _outer(left: Tensor, right: Tensor) -> Tensor:
    """Sum_l left[l, b, i] * right[l, b, j] as [B, N, N]."""
    return torch.bmm(left.permute(1, 2, 0), right.transpose(0, 1))
