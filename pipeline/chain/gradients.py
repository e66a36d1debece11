"""Differentiable answers of the chain, each with its gradient written out: no tape runs through the steps."""

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from pipeline.chain import engine
from pipeline.chain.moments import Moments, length_mask
from pipeline.chain.precision import full_precision


class _Once(torch.autograd.Function):
    """A gradient as a function of the tensors that it was made of, which cannot be differentiated again."""

    @staticmethod
    def forward(ctx: Any, gradient: Tensor, *sources: Tensor) -> Tensor:
        """The gradient."""
        return gradient.view_as(gradient)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        """Nothing: it raises."""
        raise RuntimeError(
            "a linear chain is differentiable once: its gradient (create_graph=True) has no gradient"
        )


def _once(gradients: Iterable[Tensor], *sources: Tensor) -> tuple[Tensor, ...]:
    """The gradients; under create_graph=True they raise where a gradient of them is asked for.

    Without `_Once` they would count as constants there, in silence.
    """
    if not torch.is_grad_enabled():
        return tuple(gradients)
    return tuple(_Once.apply(gradient, *sources) for gradient in gradients)


def _potential_gradients(
    unary: Tensor, pairs: Tensor, weights: Tensor, lengths: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Sum_b weights[b] * moments[b], as gradients of emissions, transitions, start and end."""
    emissions = unary * weights[:, None, None]
    with full_precision(weights.device.type):
        transitions = (weights @ pairs.flatten(1)).view(pairs.shape[1:])
    end = emissions[torch.arange(len(lengths), device=lengths.device), lengths - 1].sum(0)
    return emissions, transitions, emissions[:, 0].sum(0), end


class LogPartition(torch.autograd.Function):
    """Log Z [B]; its gradient is the model's moments, which the forward pass finds along with log Z."""

    @staticmethod
    def forward(
        ctx: Any, emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, lengths: Tensor
    ) -> Tensor:
        """Log Z [B], by forward-backward; the moments are kept where a gradient will be asked for."""
        states = engine.sweep(emissions, transitions, start, end, lengths)
        if any(ctx.needs_input_grad):
            ctx.save_for_backward(*engine.moments(states), lengths, emissions, transitions, start, end)
        return engine.log_partition(states).to(emissions.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """The moments, weighted by the gradient of each sentence's log Z."""
        unary, pairs, lengths, *potentials = ctx.saved_tensors
        gradients = _potential_gradients(unary, pairs, grad.detach(), lengths)
        return *_once(gradients, grad, *potentials), None


class CrossEntropy(torch.autograd.Function):
    """Log Z - ⟨θ, μ⟩ [B]; its gradient is (model moments - μ)."""

    @staticmethod
    def forward(
        ctx: Any,
        emissions: Tensor,
        transitions: Tensor,
        start: Tensor,
        end: Tensor,
        lengths: Tensor,
        target: Moments,
    ) -> Tensor:
        """The cross-entropy [B], by one forward-backward; the difference of moments is its gradient."""
        potentials = (emissions, transitions, start, end)
        states = engine.sweep(*potentials, lengths)
        if any(ctx.needs_input_grad):
            unary, pairs = engine.moments(states)
            unary, pairs = unary.sub_(target.unary), pairs.sub_(target.pairs)
            ctx.save_for_backward(unary, pairs, lengths, *potentials)
        return _cross_entropy(engine.log_partition(states), potentials, lengths, target).to(emissions.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """(Model moments - μ), weighted by the gradient of each sentence's loss."""
        unary, pairs, lengths, *potentials = ctx.saved_tensors
        gradients = _potential_gradients(unary, pairs, grad.detach(), lengths)
        return *_once(gradients, grad, *potentials), None, None


class LogMarginals(torch.autograd.Function):
    """Log q(y_l = j) [B, L, N]; its gradient is one more sweep in each direction (`engine.pull_back`)."""

    @staticmethod
    def forward(
        ctx: Any, emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, lengths: Tensor
    ) -> Tensor:
        """Log q [B, L, N]; the states of both recursions are kept."""
        states = engine.sweep(emissions, transitions, start, end, lengths, keep=True)
        log_marginals = engine.log_marginals(states)
        ctx.states = states
        ctx.save_for_backward(log_marginals, lengths, emissions, transitions, start, end)
        return log_marginals

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """The gradient of sum(grad * log q): the covariance of the statistics with grad / q.

        A constant added to grad / q at a word changes no covariance, so each word's gradient is centred
        first. What is then sent along the chain dies away with distance, and so do its rounding errors.
        A tag of probability 0 stays at log q = -inf whatever the potentials: its gradient is not looked at.
        """
        log_marginals, lengths, *potentials = ctx.saved_tensors
        log_marginals, incoming = log_marginals.detach(), grad
        words = length_mask(lengths, grad.shape[1])[..., None]
        grad = grad.detach().masked_fill(~words | log_marginals.isneginf(), 0.0)
        grad = grad - torch.where(words, log_marginals.exp(), 0.0) * grad.sum(-1, keepdim=True)
        with torch.no_grad():
            unary, pairs = engine.pull_back(ctx.states, grad)
        gradients = _potential_gradients(unary, pairs, torch.ones_like(grad[:, 0, 0]), lengths)
        return *_once(gradients, incoming, *potentials), None


def _cross_entropy(log_z: Tensor, potentials: tuple[Tensor, ...], lengths: Tensor, target: Moments) -> Tensor:
    """Log Z - ⟨θ, μ⟩ [B], float64; +inf where μ has weight on a score of -inf."""
    expected = expected_score(potentials, lengths, target)
    if expected.is_cpu and math.isfinite(expected.sum()):  # on a GPU the question would make the device wait
        return log_z - expected
    # 0 * -inf was NaN; it is 0 here.
    finite = tuple(scores.masked_fill(scores.isneginf(), 0.0) for scores in potentials)
    loss = log_z.masked_fill(log_z.isneginf(), 0.0) - expected_score(finite, lengths, target)
    return loss.masked_fill(_is_forbidden(potentials, lengths, target), torch.inf)


def expected_score(potentials: tuple[Tensor, ...], lengths: Tensor, target: Moments) -> Tensor:
    """⟨θ, μ⟩ [B], float64: Σ μ.unary · e + Σ μ.pairs · T + start and end at the outer words."""
    emissions, transitions, start, end = potentials
    unary, pairs = target
    words = length_mask(lengths, emissions.shape[1])
    last = unary[torch.arange(len(lengths), device=lengths.device), lengths - 1]
    inside = torch.where(words, (emissions * unary).sum(-1), 0.0).sum(1, dtype=torch.float64)
    steps = pairs.flatten(1).double() @ transitions.flatten().double()
    with full_precision(emissions.device.type):
        return inside + steps + unary[:, 0] @ start + last @ end


def _is_forbidden(potentials: tuple[Tensor, ...], lengths: Tensor, target: Moments) -> Tensor:
    """Whether μ has weight on a score of -inf, [B]."""
    emissions, transitions, start, end = (scores.isneginf() for scores in potentials)
    used, pairs = target.unary != 0, target.pairs != 0
    last = used[torch.arange(len(lengths), device=lengths.device), lengths - 1]
    words = length_mask(lengths, used.shape[1])[..., None]
    return (
        (used & emissions & words).any(2).any(1)
        | (pairs & transitions).any(2).any(1)
        | (used[:, 0] & start).any(1)
        | (last & end).any(1)
    )
