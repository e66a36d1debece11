"""The recursions as Triton kernels, for GPUs: one launch per sweep, one program per sentence.

Log space without a fallback: sums of scores are held in float64, where 512 words of +-1e4 are still exact
to 1e-9, and only exponentials and logarithms of differences, whose size is that of a probability, are taken
in the precision of the potentials. So float32 costs no accuracy, and float64 units only add and compare.

Importing this module needs `triton`, which torch brings along on Linux with CUDA. With TRITON_INTERPRET=1 in
the environment the kernels run on a CPU, slowly: that is how they are tested.
"""

# Triton reads the annotations of kernels itself.
# mypy: allow-untyped-defs, allow-incomplete-defs

import contextlib
from typing import NamedTuple

import torch
import triton
import triton.language as tl
from torch import Tensor

MAX_TAGS = 128
# Stands for -inf, whose differences would be NaN: no sum brings it back to life, and float32 holds it.
_NEVER = tl.constexpr(-1e30)
_FORBIDDEN = tl.constexpr(-1e29)  # below it a sum holds a _NEVER


class KernelStates(NamedTuple):
    """The potentials and all answers. `alpha`, `beta` [B, L, N] float64 as in `log_space`."""

    emissions: Tensor
    transitions: Tensor
    lengths: Tensor
    alpha: Tensor
    beta: Tensor
    log_z: Tensor
    unary: Tensor
    pairs: Tensor
    exact: None = None


@triton.jit
def _scores(pointers, mask, other):
    """Potentials in float64, _NEVER for -inf; NaN stays."""
    loaded = tl.load(pointers, mask=mask, other=other).to(tl.float64)
    return tl.where(loaded < _NEVER, _NEVER, loaded)


@triton.jit
def _flow(mass, difference, precise: tl.constexpr):
    """Mass * exp(difference), 0 where there is no mass: the difference may be that of two _NEVERs there."""
    return mass * tl.exp(tl.where(mass == 0.0, _NEVER, difference).to(precise))


@triton.jit
def _sweep_kernel(
    emissions, transitions, start, end, lengths,
    alpha, beta, log_z, unary, pairs,
    size, tags, padded: tl.constexpr, precise: tl.constexpr,
):  # fmt: skip
    sentence = tl.program_id(0).to(tl.int64)
    last = tl.load(lengths + sentence) - 1
    tag = tl.arange(0, padded)
    real = tag < tags
    square = tag[:, None] * tags + tag[None, :]
    both = real[:, None] & real[None, :]
    steps = _scores(transitions + square, both, _NEVER)
    here = sentence * size * tags

    state = _scores(start + tag, real, _NEVER)
    state += _scores(emissions + here + tag, real, 0.0)
    tl.store(alpha + here + tag, state, mask=real)
    for word in range(1, last + 1):
        ways = state[:, None] + steps
        top = tl.max(ways, 0)
        total = tl.sum(tl.exp((ways - top[None, :]).to(precise)), 0)
        state = top + tl.log(total).to(tl.float64) + _scores(emissions + here + word * tags + tag, real, 0.0)
        tl.store(alpha + here + word * tags + tag, state, mask=real)

    rest = _scores(end + tag, real, _NEVER)
    final = state + rest
    top_final = tl.max(final, 0)
    z = top_final + tl.log(tl.sum(tl.exp((final - top_final).to(precise)), 0)).to(tl.float64)
    tl.store(log_z + sentence, z)
    z = tl.where(z < _FORBIDDEN, 0.0, z)  # no sequence is allowed: the moments are 0
    tl.store(beta + here + last * tags + tag, rest, mask=real)
    tl.store(unary + here + last * tags + tag, tl.exp((final - z).to(precise)), mask=real)
    tl.debug_barrier()  # alpha was stored by other threads than those that read it now

    counts = tl.zeros((padded, padded), precise)
    for back in range(last):
        word = last - back
        at = here + word * tags + tag
        rest += _scores(emissions + at, real, 0.0)
        ways = steps + rest[None, :]
        top = tl.max(ways, 1)
        shares = tl.exp((ways - top[:, None]).to(precise))
        before = tl.load(alpha + at - tags, mask=real, other=_NEVER)
        counts += shares * tl.exp((before + top - z).to(precise))[:, None]
        ahead = top + tl.log(tl.sum(shares, 1)).to(tl.float64)
        tl.store(beta + at - tags, ahead, mask=real)
        tl.store(unary + at - tags, tl.exp((before + ahead - z).to(precise)), mask=real)
        rest = ahead
    tl.store(pairs + sentence * tags * tags + square, counts, mask=both)


@triton.jit
def _pull_back_kernel(
    emissions, transitions, lengths, alpha, beta, grad,
    out, pairs,
    size, tags, padded: tl.constexpr, precise: tl.constexpr,
):  # fmt: skip
    sentence = tl.program_id(0).to(tl.int64)
    last = tl.load(lengths + sentence) - 1
    tag = tl.arange(0, padded)
    real = tag < tags
    square = tag[:, None] * tags + tag[None, :]
    both = real[:, None] & real[None, :]
    steps = _scores(transitions + square, both, _NEVER)
    here = sentence * size * tags
    counts = tl.zeros((padded, padded), precise)

    mass = tl.load(grad + here + tag, mask=real, other=0.0)
    tl.store(out + here + tag, mass, mask=real)
    rest = tl.load(beta + here + tag, mask=real, other=0.0)
    for word in range(1, last + 1):
        at = here + word * tags + tag
        ahead = tl.load(beta + at, mask=real, other=0.0)
        after = ahead + _scores(emissions + at, real, 0.0)
        flow = _flow(mass[:, None], steps + after[None, :] - rest[:, None], precise)
        counts += flow
        mass = tl.sum(flow, 0) + tl.load(grad + at, mask=real, other=0.0)
        tl.store(out + at, mass, mask=real)
        rest = ahead
    tl.debug_barrier()  # `out` is read below by other threads

    mass = tl.load(grad + here + last * tags + tag, mask=real, other=0.0)
    for back in range(last):
        at = here + (last - back) * tags + tag
        arrived = tl.load(alpha + at, mask=real, other=0.0)
        arrived -= _scores(emissions + at, real, 0.0)
        before = tl.load(alpha + at - tags, mask=real, other=0.0)
        flow = _flow(mass[None, :], before[:, None] + steps - arrived[None, :], precise)
        counts += flow
        moved = tl.sum(flow, 1)
        mass = moved + tl.load(grad + at - tags, mask=real, other=0.0)
        sofar = tl.load(out + at - tags, mask=real, other=0.0)
        tl.store(out + at - tags, sofar + moved, mask=real)
    tl.store(pairs + sentence * tags * tags + square, counts, mask=both)


@triton.jit
def _viterbi_kernel(
    emissions, transitions, start, end, lengths,
    pointers, scores, paths,
    size, tags, padded: tl.constexpr,
):  # fmt: skip
    sentence = tl.program_id(0).to(tl.int64)
    last = tl.load(lengths + sentence) - 1
    tag = tl.arange(0, padded)
    real = tag < tags
    both = real[:, None] & real[None, :]
    steps = _scores(transitions + tag[:, None] * tags + tag[None, :], both, _NEVER)
    here = sentence * size * tags
    state = _scores(start + tag, real, _NEVER)
    state += _scores(emissions + here + tag, real, 0.0)
    for word in range(1, last + 1):
        at = here + word * tags + tag
        top, previous = tl.max(state[:, None] + steps, 0, return_indices=True)
        tl.store(pointers + at, previous.to(tl.int16), mask=real)
        state = top + _scores(emissions + at, real, 0.0)
    state += _scores(end + tag, real, _NEVER)
    top, best = tl.max(state, 0, return_indices=True)
    tl.store(scores + sentence, top)
    tl.debug_barrier()
    current = best.to(tl.int64)
    for back in range(last):
        word = last - back
        tl.store(paths + sentence * size + word, current)
        current = tl.load(pointers + here + word * tags + current).to(tl.int64)
    tl.store(paths + sentence * size, current)


def _device_of(tensor: Tensor) -> contextlib.AbstractContextManager[None]:
    """Launch where the tensors are, which need not be the current device."""
    return torch.cuda.device_of(tensor) if tensor.is_cuda else contextlib.nullcontext()


def _sizes(tags: int) -> dict[str, int]:
    """The padded number of tags and how many warps share its square."""
    padded = max(16, triton.next_power_of_2(tags))
    return {"padded": padded, "num_warps": 4 if padded <= 32 else 8}


def sweep(
    emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, lengths: Tensor, *, keep: bool
) -> KernelStates:
    """The states of both recursions and the moments. Shapes as in `LinearChain`; all of it is kept anyway."""
    batch, size, tags = emissions.shape
    emissions, transitions, start, end = (x.contiguous() for x in (emissions, transitions, start, end))
    alpha, beta = torch.zeros(2, batch, size, tags, dtype=torch.float64, device=emissions.device)
    log_z = torch.empty(batch, dtype=torch.float64, device=emissions.device)
    unary = torch.zeros_like(emissions)
    pairs = emissions.new_empty(batch, tags, tags)
    with _device_of(emissions):
        _sweep_kernel[(batch,)](
            emissions, transitions, start, end, lengths, alpha, beta, log_z, unary, pairs,
            size, tags, precise=_exponential_dtype(emissions), **_sizes(tags),
        )  # fmt: skip
    log_z.masked_fill_(log_z < _FORBIDDEN.value, -torch.inf)
    return KernelStates(emissions, transitions, lengths, alpha, beta, log_z, unary, pairs)


def moments(states: KernelStates) -> tuple[Tensor, Tensor]:
    """The unary marginals [B, L, N], 0 at padding, and the expected transition counts [B, N, N]."""
    return states.unary, states.pairs


def log_marginals(states: KernelStates) -> Tensor:
    """Log q(y_l = j) [B, L, N], 0 at padding."""
    joint = states.alpha + states.beta
    # log Z anew: exponentials in float32 leave it too coarse for log marginals.
    logs = (joint - joint[:, 0].logsumexp(1)[:, None, None]).masked_fill_(
        joint < _FORBIDDEN.value, -torch.inf
    )
    words = torch.arange(joint.shape[1], device=joint.device) < states.lengths[:, None]
    return torch.where(words[..., None], logs, 0.0).to(states.unary.dtype)


def pull_back(states: KernelStates, grad: Tensor) -> tuple[Tensor, Tensor]:
    """The gradients of sum(grad * log marginals) by emissions [B, L, N] and by pairs [B, N, N].

    `grad` [B, L, N] is 0 at padding and where q = 0, and sums to 0 over the tags of each word. As in
    `log_space.pull_back`.
    """
    batch, size, tags = grad.shape
    out, pairs = torch.zeros_like(states.unary), torch.empty_like(states.pairs)
    with _device_of(grad):
        _pull_back_kernel[(batch,)](
            states.emissions, states.transitions, states.lengths, states.alpha, states.beta,
            grad.contiguous(), out, pairs, size, tags, precise=_exponential_dtype(grad), **_sizes(tags),
        )  # fmt: skip
    return out, pairs


def viterbi(
    emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, lengths: Tensor
) -> tuple[Tensor, Tensor]:
    """The best score [B] and its tags [B, L] int64, 0 at padding."""
    batch, size, tags = emissions.shape
    emissions, transitions, start, end = (x.contiguous() for x in (emissions, transitions, start, end))
    pointers = torch.empty(batch, size, tags, dtype=torch.int16, device=emissions.device)
    scores = torch.empty(batch, dtype=torch.float64, device=emissions.device)
    paths = torch.zeros(batch, size, dtype=torch.int64, device=emissions.device)
    with _device_of(emissions):
        _viterbi_kernel[(batch,)](
            emissions, transitions, start, end, lengths, pointers, scores, paths, size, tags, **_sizes(tags)
        )
    impossible = scores < _FORBIDDEN.value
    paths.masked_fill_(impossible[:, None], 0)
    return scores.masked_fill_(impossible, -torch.inf).to(emissions.dtype), paths


def _exponential_dtype(potentials: Tensor) -> tl.dtype:
    """The type in which exponentials are taken."""
    return tl.float64 if potentials.dtype == torch.float64 else tl.float32
