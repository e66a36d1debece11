"""The one object that travels: a batch of linear chains, and the questions it answers."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from pipeline.chain import engine, gradients
from pipeline.chain.kbest import kbest
from pipeline.chain.moments import Moments, length_mask


@dataclass(frozen=True, eq=False)
class LinearChain:
    """Scores of all tag sequences of B sentences, over L (padded) words and N tags.

        score(y) = start[y_1] + sum_l emissions[l, y_l] + sum_{l>=2} transitions[y_{l-1}, y_l] + end[y_L]

    `emissions` [B, L, N]; `transitions` [N, N], row previous tag, column current tag; `start` [N]; `end` [N];
    `lengths` [B] int64, 1..L. Everything is computed in float32 (float64 if given so), under autocast too;
    potentials of lower precision are raised to float32. What stands at padding is never looked at.

    Raises ValueError where shapes or types do not fit, or a length is not in 1..L.
    """

    emissions: Tensor
    transitions: Tensor
    start: Tensor
    end: Tensor
    lengths: Tensor

    def __post_init__(self) -> None:
        """Check the shapes and bring the potentials to one dtype."""
        if self.emissions.ndim != 3:
            raise ValueError(f"emissions must be [B, L, N], not {list(self.emissions.shape)}")
        batch, size, tags = self.emissions.shape
        if not (batch and size and tags):
            raise ValueError(f"emissions hold no scores: shape {list(self.emissions.shape)}")
        shapes = {"transitions": (tags, tags), "start": (tags,), "end": (tags,), "lengths": (batch,)}
        for name, shape in shapes.items():
            found = getattr(self, name)
            if tuple(found.shape) != shape:
                raise ValueError(
                    f"{name} must be {list(shape)} to fit emissions {list(self.emissions.shape)}, "
                    f"not {list(found.shape)}"
                )
        if self.lengths.dtype != torch.int64:
            raise ValueError(f"lengths must be int64, not {self.lengths.dtype}")
        if self.lengths.device.type == "cpu":  # elsewhere the check would make the device wait
            low, high = map(int, self.lengths.aminmax())
            if low < 1 or high > size:
                raise ValueError(f"lengths must be in 1..{size}, not {low}..{high}")
        names = ("emissions", "transitions", "start", "end")
        wide = any(getattr(self, name).dtype == torch.float64 for name in names)
        dtype = torch.float64 if wide else torch.float32
        for name in names:
            found = getattr(self, name)
            if not found.is_floating_point():
                raise ValueError(f"{name} must be floating point, not {found.dtype}")
            if found.dtype != dtype:
                object.__setattr__(self, name, found.to(dtype))

    @property
    def _all(self) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        return self.emissions, self.transitions, self.start, self.end, self.lengths

    @property
    def num_tags(self) -> int:
        """N."""
        return self.emissions.shape[2]

    @property
    def mask(self) -> Tensor:
        """Boolean [B, L]: True at words, False at padding."""
        return length_mask(self.lengths, self.emissions.shape[1])

    def log_partition(self) -> Tensor:
        """Return log Z [B] = log sum_y exp score(y), differentiable in all four potentials."""
        return gradients.LogPartition.apply(*self._all)

    @torch.no_grad()
    def moments(self) -> Moments:
        """Return E[phi] under exp(score) / Z: the gradient of log Z, without an autograd graph."""
        return Moments(*engine.moments(engine.start(engine.sweep, *self._all)))

    def log_marginals(self) -> Tensor:
        """Return log q(y_l = j) [B, L, N], 0 at padding, differentiable (once) in all four potentials."""
        return gradients.LogMarginals.apply(*self._all)

    @torch.no_grad()
    def viterbi(self) -> tuple[Tensor, Tensor]:
        """Return the best score [B] and its tags [B, L] int64, 0 at padding."""
        return engine.start(engine.viterbi, *self._all)

    @torch.no_grad()
    def kbest(self, k: int) -> tuple[Tensor, Tensor]:
        """Return the K best scores [B, K], falling, and their tags [B, K, L] int64, 0 at padding.

        A sentence with fewer than K sequences has -inf (and tags 0) in the places left over.
        Raises ValueError for k < 1.
        """
        if k < 1:
            raise ValueError(f"k must be 1 or more, not {k}")
        return engine.start(kbest, *self._all, k)

    def score(self, tags: Tensor) -> Tensor:
        """Return score(y) [B] of one sequence per sentence, `tags` [B, L] int64 (any value at padding)."""
        if tags.shape != self.emissions.shape[:2]:
            raise ValueError(f"tags must be {list(self.emissions.shape[:2])}, not {list(tags.shape)}")
        words = self.mask
        tags = tags.masked_fill(~words, 0)
        here = self.emissions.gather(2, tags[..., None])[..., 0]
        step = self.transitions[tags[:, :-1], tags[:, 1:]]
        last = tags.gather(1, self.lengths[:, None] - 1)[:, 0]
        inside = torch.where(words, here, 0.0).sum(1, dtype=torch.float64)
        steps = torch.where(words[:, 1:], step, 0.0).sum(1, dtype=torch.float64)
        return (inside + steps + self.start[tags[:, 0]] + self.end[last]).to(self.emissions.dtype)

    def tempered(self, temperature: float) -> "LinearChain":
        """Return the chain with all potentials divided by `temperature`."""
        if temperature <= 0:
            raise ValueError(f"temperature must be above 0, not {temperature}")
        return self._map(lambda potential: potential / temperature)

    def to(self, device: torch.device | str) -> "LinearChain":
        """Return the chain on another device."""
        return self._map(lambda potential: potential.to(device))

    def _map(self, change: Callable[[Tensor], Tensor]) -> "LinearChain":
        emissions, transitions, start, end = map(change, self._all[:4])
        return LinearChain(emissions, transitions, start, end, self.lengths.to(emissions.device))


def cross_entropy(chain: LinearChain, moments: Moments) -> Tensor:
    """Return CE(q, P) [B] = log Z - <theta, mu_q> in one pass; the gradient is (model moments - mu_q).

    The moments are constants: no gradient flows into them.
    """
    return gradients.CrossEntropy.apply(*chain._all, moments)
