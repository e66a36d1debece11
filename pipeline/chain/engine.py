"""The dynamic programs as the rest of the package calls them: a backend's, made exact for any scores.

Where `scaled` says that it may have underflowed, the sentences concerned go through `log_space` again. All
of it runs in the precision of the potentials, whatever autocast or the precision of matrix products say.
"""

from typing import Any, NamedTuple

from torch import Tensor
from torch.nn.functional import pad

from pipeline.chain import log_space, scaled
from pipeline.chain.backend import Backend, backend_for
from pipeline.chain.precision import full_precision


class Sweep(NamedTuple):
    """The states of both recursions.

    fast: the states of all sentences, by `backend`.
    rows, log: the sentences whose scores differ too much for that, and their states in log space.
    size: L as the caller knows it.
    longest: the words that the sweep ran over.
    """

    backend: Backend
    fast: Any
    rows: Tensor | None
    log: log_space.LogStates | None
    size: int
    longest: int


def sweep(
    emissions: Tensor,
    transitions: Tensor,
    start: Tensor,
    end: Tensor,
    lengths: Tensor,
    *,
    keep: bool = False,
) -> Sweep:
    """The states of both recursions. Shapes as in `LinearChain`.

    Without `keep` the result holds only until this thread's next sweep.
    """
    backend, size = backend_for(emissions), emissions.shape[1]
    # On CUDA the longest sentence's length is not read: that would wait for the device.
    longest = int(lengths.max()) if backend is scaled else size
    emissions = emissions[:, :longest]
    with full_precision(emissions.device.type):
        fast = backend.sweep(emissions, transitions, start, end, lengths, keep=keep)
        if fast.exact is None:
            return Sweep(backend, fast, None, None, size, longest)
        rows = (~fast.exact).nonzero()[:, 0]
        log = log_space.sweep(emissions[rows], transitions, start, end, lengths[rows])
        return Sweep(backend, fast, rows, log, size, longest)


def log_partition(states: Sweep) -> Tensor:
    """Log Z [B], float64."""
    return _merge(states, states.fast.log_z, None if states.log is None else states.log.log_z)


def moments(states: Sweep) -> tuple[Tensor, Tensor]:
    """The unary marginals [B, L, N], 0 at padding, and the expected transition counts [B, N, N]."""
    with full_precision(states.fast.log_z.device.type):
        log = log_space.moments(states.log) if states.log else None
        return _merge_both(states, states.backend.moments(states.fast), log)


def log_marginals(states: Sweep) -> Tensor:
    """Log q(y_l = j) [B, L, N], 0 at padding."""
    log = log_space.log_marginals(states.log) if states.log else None
    return _to_size(_merge(states, states.backend.log_marginals(states.fast), log), states.size)


def pull_back(states: Sweep, grad: Tensor) -> tuple[Tensor, Tensor]:
    """The gradients of sum(grad * log marginals) by emissions [B, L, N] and by pairs [B, N, N].

    `grad` [B, L, N] is 0 at padding and where q = 0, and sums to 0 over the tags of each word.
    """
    grad = grad[:, : states.longest]
    with full_precision(grad.device.type):
        log = log_space.pull_back(states.log, grad[states.rows]) if states.log else None
        return _merge_both(states, states.backend.pull_back(states.fast, grad), log)


def viterbi(
    emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, lengths: Tensor
) -> tuple[Tensor, Tensor]:
    """The best score [B] and its tags [B, L] int64, 0 at padding."""
    return backend_for(emissions).viterbi(emissions, transitions, start, end, lengths)


def _merge_both(
    states: Sweep, fast: tuple[Tensor, Tensor], log: tuple[Tensor, Tensor] | None
) -> tuple[Tensor, Tensor]:
    unary = _merge(states, fast[0], log and log[0])
    return _to_size(unary, states.size), _merge(states, fast[1], log and log[1])


def _merge(states: Sweep, fast: Tensor, log: Tensor | None) -> Tensor:
    """`fast`, with the rows that went through log space in their places."""
    if log is None or states.rows is None:
        return fast
    return fast.index_copy(0, states.rows, log.to(fast.dtype))


def _to_size(values: Tensor, size: int) -> Tensor:
    """[B, longest, N] padded with 0 to [B, L, N]."""
    missing = size - values.shape[1]
    return pad(values, (0, 0, 0, missing)) if missing else values
