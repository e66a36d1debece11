"""Differentiable answers of the chain, each with its gradient written out: no tape runs through the steps."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from pipeline.chain import engine
from pipeline.chain.moments import Moments, length_mask
from pipeline.chain.precision import full_precision


class _Once(torch.autograd.Function):
    """The identity on a gradient that is itself not differentiable."""

    @staticmethod
    def forward(ctx: Any, gradient: Tensor) -> Tensor:
        """The gradient, as a result of this function."""
        return gradient.view_as(gradient)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        """Nothing: it raises."""
        raise RuntimeError(
            "the linear chain is differentiable once: its gradient, made with create_graph=True, has no gradient"
        )


def _once(gradients: Iterable[Tensor]) -> tuple[Tensor, ...]:
    """The gradients, which under create_graph=True raise where a gradient of them is asked for.

    Without it they would count as constants, in silence.
    """
    if not torch.is_grad_enabled():
        return tuple(gradients)
    return tuple(_Once.apply(gradient.detach().requires_grad_()) for gradient in gradients)


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
        found = engine.start(engine.sweep, emissions, transitions, start, end, lengths)
        if any(ctx.needs_input_grad):
            ctx.save_for_backward(*engine.moments(found), lengths)
        return engine.log_partition(found).to(emissions.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """The moments, weighted by the gradient of each sentence's log Z."""
        unary, pairs, lengths = ctx.saved_tensors
        return *_once(_potential_gradients(unary, pairs, grad.detach(), lengths)), None


class CrossEntropy(torch.autograd.Function):
    """Log Z - <theta, mu> [B]; its gradient is (model moments - mu)."""

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
        found = engine.start(engine.sweep, emissions, transitions, start, end, lengths)
        if any(ctx.needs_input_grad):
            unary, pairs = engine.moments(found)
            ctx.save_for_backward(unary.sub_(target.unary), pairs.sub_(target.pairs), lengths)
        log_z = engine.log_partition(found)
        expected = expected_score(emissions, transitions, start, end, lengths, target)
        # Where no sequence is allowed both are -inf. The target's probability is 0 there: the loss is +inf.
        return (log_z.masked_fill(log_z.isneginf(), 0.0) - expected).to(emissions.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """(Model moments - mu), weighted by the gradient of each sentence's loss."""
        unary, pairs, lengths = ctx.saved_tensors
        return *_once(_potential_gradients(unary, pairs, grad.detach(), lengths)), None, None


class LogMarginals(torch.autograd.Function):
    """Log q(y_l = j) [B, L, N]; its gradient is one more sweep in each direction (`engine.pull_back`)."""

    @staticmethod
    def forward(
        ctx: Any, emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, lengths: Tensor
    ) -> Tensor:
        """Log q [B, L, N]; the states of both recursions are kept."""
        found = engine.start(engine.sweep, emissions, transitions, start, end, lengths, keep=True)
        log_marginals = engine.log_marginals(found)
        ctx.found = found
        ctx.save_for_backward(log_marginals, lengths)
        return log_marginals

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """The gradient of sum(grad * log q): the covariance of the statistics with grad / q.

        A constant added to grad / q at a word changes no covariance, so each word's gradient is centred
        first. What is then sent along the chain dies away with distance, and so do its rounding errors.
        A tag of probability 0 stays at log q = -inf whatever the potentials: its gradient is not looked at.
        """
        log_marginals, lengths = (saved.detach() for saved in ctx.saved_tensors)
        words = length_mask(lengths, grad.shape[1])[..., None]
        grad = grad.detach().masked_fill(~words | log_marginals.isneginf(), 0.0)
        grad = grad - torch.where(words, log_marginals.exp(), 0.0) * grad.sum(-1, keepdim=True)
        with torch.no_grad():
            unary, pairs = engine.start(engine.pull_back, ctx.found, grad)
        ones = torch.ones_like(grad[:, 0, 0])
        return *_once(_potential_gradients(unary, pairs, ones, lengths)), None


def expected_score(
    emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, lengths: Tensor, target: Moments
) -> Tensor:
    """<theta, mu> [B], float64: sum mu.unary * e + sum mu.pairs * T + start and end at the outer words.

    What has no weight in mu counts 0, also where its score is -inf.
    """
    unary, pairs = target
    words = length_mask(lengths, emissions.shape[1])
    last = unary[torch.arange(len(lengths), device=lengths.device), lengths - 1]
    inside = torch.where(words, _weighed(unary, emissions).sum(-1), 0.0).sum(1, dtype=torch.float64)
    steps = _weighed(pairs.double(), transitions.double()).sum((1, 2))
    return inside + steps + _weighed(unary[:, 0], start).sum(1) + _weighed(last, end).sum(1)


def _weighed(weights: Tensor, scores: Tensor) -> Tensor:
    """Weights * scores, where 0 * -inf is 0."""
    return torch.where(weights == 0.0, 0.0, weights * scores)
