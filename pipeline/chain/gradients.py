"""Differentiable answers of the chain, each with its gradient written out: no tape runs through the steps."""

from typing import Any

import torch
from torch import Tensor

from pipeline.chain import engine, recursion
from pipeline.chain.moments import Moments, length_mask
from pipeline.chain.precision import full_precision


def _potential_gradients(
    unary: Tensor, pairs: Tensor, weights: Tensor, lengths: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return sum_b weights[b] * moments[b] as gradients of emissions, transitions, start and end."""
    emissions = unary * weights[:, None, None]
    with full_precision(weights.device.type):
        transitions = (weights @ pairs.flatten(1)).view(pairs.shape[1:])
    end = emissions[torch.arange(len(lengths), device=lengths.device), lengths - 1].sum(0)
    return emissions, transitions, emissions[:, 0].sum(0), end


class LogPartition(torch.autograd.Function):
    """log Z [B]; its gradient is the model's moments, which the forward pass finds along with log Z."""

    @staticmethod
    def forward(
        ctx: Any, emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, lengths: Tensor
    ) -> Tensor:
        """Run forward-backward; keep the moments where a gradient will be asked for."""
        found = recursion.start(engine.sweep, emissions, transitions, start, end, lengths)
        if any(ctx.needs_input_grad):
            ctx.save_for_backward(*engine.moments(found), lengths)
        return engine.log_partition(found)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Return the moments, weighted by the gradient of each sentence's log Z."""
        unary, pairs, lengths = ctx.saved_tensors
        return *_potential_gradients(unary, pairs, grad, lengths), None


class CrossEntropy(torch.autograd.Function):
    """log Z - <theta, mu> [B]; its gradient is (model moments - mu)."""

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
        """Run forward-backward once; the difference of the moments is all the gradient needs."""
        found = recursion.start(engine.sweep, emissions, transitions, start, end, lengths)
        if any(ctx.needs_input_grad):
            unary, pairs = engine.moments(found)
            ctx.save_for_backward(unary.sub_(target.unary), pairs.sub_(target.pairs), lengths)
        return engine.log_partition(found) - inner(emissions, transitions, start, end, lengths, target)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Return (model moments - mu), weighted by the gradient of each sentence's loss."""
        unary, pairs, lengths = ctx.saved_tensors
        return *_potential_gradients(unary, pairs, grad, lengths), None, None


class LogMarginals(torch.autograd.Function):
    """log q(y_l = j) [B, L, N]; its gradient is one more sweep in each direction (`engine.pull_back`)."""

    @staticmethod
    def forward(
        ctx: Any, emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, lengths: Tensor
    ) -> Tensor:
        """Run both recursions and keep what they left behind."""
        found = recursion.start(engine.sweep, emissions, transitions, start, end, lengths, keep=True)
        log_marginals = engine.log_marginals(found)
        ctx.found = found
        ctx.save_for_backward(log_marginals, lengths)
        return log_marginals

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradient of sum(grad * log q): the covariance of the statistics with grad / q.

        A constant added to grad / q at a word changes no covariance, so each word's gradient is centred
        first. What is then sent along the chain dies away with distance, and so do its rounding errors.
        """
        log_marginals, lengths = ctx.saved_tensors
        words = length_mask(lengths, grad.shape[1])[..., None]
        grad = torch.where(words, grad, 0.0)
        grad = grad - torch.where(words, log_marginals.exp(), 0.0) * grad.sum(-1, keepdim=True)
        unary, pairs = recursion.start(engine.pull_back, ctx.found, grad)
        ones = torch.ones_like(grad[:, 0, 0])
        return *_potential_gradients(unary, pairs, ones, lengths), None


def inner(
    emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, lengths: Tensor, target: Moments
) -> Tensor:
    """Return <theta, mu> [B] = sum mu.unary * e + sum mu.pairs * T + start and end at the outer words."""
    unary, pairs = target
    words = length_mask(lengths, emissions.shape[1])
    last = unary[torch.arange(len(lengths), device=lengths.device), lengths - 1]
    inside = torch.where(words, (emissions * unary).sum(-1), 0.0).sum(1)
    with full_precision(emissions.device.type):
        return inside + pairs.flatten(1) @ transitions.flatten() + unary[:, 0] @ start + last @ end
