"""The recursions as the rest of the package calls them: the device's form, made exact for any scores.

Where `scaled` says that it may have underflowed, the sentences concerned go through `log_space` again. All
of it runs in the precision of the potentials, whatever autocast or the precision of matrix products say.
"""

from typing import Any, NamedTuple

from torch import Tensor
from torch.nn.functional import pad

from pipeline.chain import log_space, scaled
from pipeline.chain import viterbi as plain
from pipeline.chain.backend import Form, form_for
from pipeline.chain.precision import full_precision


class Found(NamedTuple):
    """What the recursions left behind: of all sentences, and again of those (`rows`) with too wide scores.

    `form` is the module that made `fast`; `size` is L as the caller knows it, `longest` where it stopped.
    """

    form: Form
    fast: Any
    rows: Tensor | None
    wide: log_space.Sweep | None
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
) -> Found:
    """Run both recursions. Shapes as in `LinearChain`.

    Without `keep` the result holds only until this thread's next sweep.
    """
    form, size = form_for(emissions), emissions.shape[1]
    # The kernels stop at each sentence's end themselves, and need not wait for the device to know it here.
    longest = int(lengths.max()) if form is scaled else size
    emissions = emissions[:, :longest]
    with full_precision(emissions.device.type):
        fast = form.sweep(emissions, transitions, start, end, lengths, keep=keep)
        if fast.exact is None:
            return Found(form, fast, None, None, size, longest)
        rows = (~fast.exact).nonzero()[:, 0]
        wide = log_space.sweep(emissions[rows], transitions, start, end, lengths[rows])
        return Found(form, fast, rows, wide, size, longest)


def log_partition(found: Found) -> Tensor:
    """Return log Z [B]."""
    return _merge(found, found.fast.log_z, found.wide and found.wide.log_z)


def moments(found: Found) -> tuple[Tensor, Tensor]:
    """Return the unary marginals [B, L, N], 0 at padding, and the expected transition counts [B, N, N]."""
    with full_precision(found.fast.log_z.device.type):
        wide = log_space.moments(found.wide) if found.wide else None
        return _merge_both(found, found.form.moments(found.fast), wide)


def log_marginals(found: Found) -> Tensor:
    """Return log q(y_l = j) [B, L, N], 0 at padding."""
    wide = log_space.log_marginals(found.wide) if found.wide else None
    return _to_size(_merge(found, found.form.log_marginals(found.fast), wide), found.size)


def pull_back(found: Found, grad: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradients of sum(grad * log marginals) by emissions [B, L, N] and by pairs [B, N, N].

    `grad` [B, L, N] is 0 at padding and sums to 0 over the tags of each word.
    """
    grad = grad[:, : found.longest]
    with full_precision(grad.device.type):
        wide = log_space.pull_back(found.wide, grad[found.rows]) if found.wide else None
        return _merge_both(found, found.form.pull_back(found.fast, grad), wide)


def viterbi(
    emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, lengths: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the best score [B] and its tags [B, L] int64, 0 at padding."""
    form = form_for(emissions)
    decode = plain.viterbi if form is scaled else form.viterbi
    return decode(emissions, transitions, start, end, lengths)


def _merge_both(
    found: Found, fast: tuple[Tensor, Tensor], wide: tuple[Tensor, Tensor] | None
) -> tuple[Tensor, Tensor]:
    unary = _merge(found, fast[0], wide and wide[0])
    return _to_size(unary, found.size), _merge(found, fast[1], wide and wide[1])


def _merge(found: Found, fast: Tensor, wide: Tensor | None) -> Tensor:
    """Put the rows that went through log space in their places."""
    return fast if wide is None or found.rows is None else fast.index_copy(0, found.rows, wide.to(fast.dtype))


def _to_size(values: Tensor, size: int) -> Tensor:
    """Pad [B, longest, N] with 0 to [B, L, N]."""
    missing = size - values.shape[1]
    return pad(values, (0, 0, 0, missing)) if missing else values
