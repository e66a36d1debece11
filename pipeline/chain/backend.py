"""Which backend computes the recursions on a device: `scaled` on the CPU, `fused` or `unfused` on CUDA."""

import functools
import importlib
import warnings
from typing import Any, Protocol

import torch
from torch import Tensor

from pipeline.chain import log_space, scaled, unfused
from pipeline.chain.viterbi import viterbi


class Backend(Protocol):
    """What `scaled`, `fused` and `unfused` offer, as modules; shapes as in `LinearChain`.

    The states that `sweep` returns are the backend's own, but for `log_z` [B] float64 and `exact` [B]: False
    where a sentence must be computed in log space; None where none must.
    """

    def sweep(
        self,
        emissions: Tensor,
        transitions: Tensor,
        start: Tensor,
        end: Tensor,
        lengths: Tensor,
        *,
        keep: bool,
    ) -> Any:
        """The states of both recursions."""

    def moments(self, states: Any) -> tuple[Tensor, Tensor]:
        """The unary marginals [B, L, N], 0 at padding, and the expected transition counts [B, N, N]."""

    def log_marginals(self, states: Any) -> Tensor:
        """Log q(y_l = j) [B, L, N], 0 at padding."""

    def pull_back(self, states: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        """The gradients of sum(grad * log marginals) by emissions [B, L, N] and by pairs [B, N, N]."""

    def viterbi(
        self, emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, lengths: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The best score [B] and its tags [B, L] int64, 0 at padding."""


def backend_for(emissions: Tensor) -> Backend:
    """The module whose recursions run on these emissions [B, L, N]."""
    if not emissions.is_cuda:
        return scaled
    return _fused(emissions.device, emissions.shape[2]) or unfused


@functools.cache
def _fused(device: torch.device, tags: int) -> Backend | None:
    """The kernels, or None where no Triton builds them or they do not compute what they should."""
    try:
        fused: Any = importlib.import_module("pipeline.chain.fused")
        if tags > fused.MAX_TAGS:
            return None
        if agrees(fused, device, tags):
            return fused
    except ImportError:
        return None
    except Exception as error:  # a compiler or a driver may fail in any way, and plain torch still works
        warnings.warn(f"the chain's kernels do not run on {device}: {error}", stacklevel=2)
        return None
    warnings.warn(
        f"the chain's kernels give wrong answers on {device}; plain torch runs instead", stacklevel=2
    )
    return None


def agrees(fused: Any, device: torch.device, tags: int) -> bool:
    """Whether the kernels answer short sentences as `log_space` and `viterbi` do, with and without -inf."""
    return all(_agrees(fused, device, tags, forbidden) for forbidden in (False, True))


def _agrees(fused: Any, device: torch.device, tags: int, forbidden: bool) -> bool:
    """Whether the kernels agree on three random sentences; with `forbidden` the third has no allowed path."""
    generator = torch.Generator().manual_seed(0)
    shapes = ((3, 6, tags), (tags, tags), (tags,), (tags,))
    e, t, b, d = (torch.randn(shape, generator=generator) for shape in shapes)
    lengths = torch.tensor([6, 1, 4])
    if forbidden:
        t[0, -1] = b[-1] = e[0, 2, 0] = -torch.inf
        e[2, 1] = -torch.inf
    there = [x.to(device) for x in (e, t, b, d, lengths)]
    found = fused.sweep(*there, keep=True)
    exact = log_space.sweep(e, t, b, d, lengths)
    marginals, pairs = log_space.moments(exact)
    logs = log_space.log_marginals(exact)
    counted = exact.words[..., None] & ~logs.isneginf()
    grad = torch.where(counted, torch.rand(e.shape, generator=generator), 0.0)
    grad = (grad - marginals * grad.sum(-1, keepdim=True)).float()
    score, path = fused.viterbi(*there)
    best, best_path = viterbi(e, t, b, d, lengths)
    compared = [
        (found.log_z, exact.log_z),
        *zip(fused.moments(found), (marginals, pairs), strict=True),
        (fused.log_marginals(found), logs),
        *zip(fused.pull_back(found, grad.to(device)), log_space.pull_back(exact, grad), strict=True),
        (score, best),
    ]
    close = (torch.allclose(m.cpu().double(), r.double(), rtol=1e-4, atol=1e-4) for m, r in compared)
    return all(close) and torch.equal(path.cpu(), best_path)
