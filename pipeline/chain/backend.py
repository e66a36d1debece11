"""Which form of the recursions a device gets: plain torch, or on a CUDA device the fused kernels."""

import functools
import importlib
import warnings
from typing import Any, Protocol

import torch
from torch import Tensor

from pipeline.chain import log_space, scaled
from pipeline.chain.viterbi import viterbi


class Form(Protocol):
    """What `scaled` and `fused` both offer, as modules; what `sweep` returns is theirs to read."""

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
        """Run both recursions."""

    def moments(self, found: Any) -> tuple[Tensor, Tensor]:
        """Return unary marginals and expected pairs."""

    def log_marginals(self, found: Any) -> Tensor:
        """Return log q(y_l = j)."""

    def pull_back(self, found: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        """Return the gradients of sum(grad * log marginals)."""


def form_for(emissions: Tensor) -> Any:
    """Return the module whose recursions run on these emissions [B, L, N]: `fused`, or `scaled`."""
    return (_fused(emissions.device, emissions.shape[2]) if emissions.is_cuda else None) or scaled


@functools.cache
def _fused(device: torch.device, tags: int) -> Any:
    """Return the kernels if a Triton is there that builds them and they compute what they should, or None."""
    try:
        fused = importlib.import_module("pipeline.chain.fused")
        trusted = tags <= fused.MAX_TAGS and agrees(fused, device, tags)
    except ImportError:
        return None
    except Exception as error:  # a compiler or a driver may fail in any way, and plain torch still works
        warnings.warn(f"the chain's kernels do not run on {device}: {error}", stacklevel=2)
        return None
    if not trusted and tags <= fused.MAX_TAGS:
        warnings.warn(
            f"the chain's kernels compute nonsense on {device}; plain torch runs instead", stacklevel=2
        )
    return fused if trusted else None


def agrees(fused: Any, device: torch.device, tags: int) -> bool:
    """Ask the kernels about three short random sentences and compare the answers with `log_space`."""
    generator = torch.Generator().manual_seed(0)
    shapes = ((3, 6, tags), (tags, tags), (tags,), (tags,))
    e, t, b, d = (torch.randn(shape, generator=generator) for shape in shapes)
    lengths = torch.tensor([6, 1, 4])
    there = [x.to(device) for x in (e, t, b, d, lengths)]
    found = fused.sweep(*there, keep=True)
    exact = log_space.sweep(e, t, b, d, lengths)
    marginals, pairs = log_space.moments(exact)
    grad = torch.where(exact.words[..., None], torch.rand(e.shape, generator=generator), 0.0)
    grad = (grad - marginals * grad.sum(-1, keepdim=True)).float()
    score, path = fused.viterbi(*there)
    best, best_path = viterbi(e, t, b, d, lengths)
    compared = [
        (found.log_z, exact.log_z),
        *zip(fused.moments(found), (marginals, pairs), strict=True),
        (fused.log_marginals(found), log_space.log_marginals(exact)),
        *zip(fused.pull_back(found, grad.to(device)), log_space.pull_back(exact, grad), strict=True),
        (score, best),
    ]
    close = (torch.allclose(m.cpu().double(), r.double(), rtol=1e-4, atol=1e-4) for m, r in compared)
    return all(close) and torch.equal(path.cpu(), best_path)
