"""A batch of linear chains, and what can be computed of it: log Z, moments, marginals, best sequences."""

from dataclasses import dataclass

import torch
from torch import Tensor

from pipeline.chain import engine, gradients
from pipeline.chain.kbest import kbest
from pipeline.chain.moments import Moments, length_mask


@dataclass(frozen=True, eq=False)
class LinearChain:
    """The potentials θ of B sentences of up to L words and N tags; their sum is a tag sequence's score:

        score(y) = start[y_1] + Σ_l emissions[l, y_l] + Σ_{l≥2} transitions[y_{l-1}, y_l] + end[y_L]
        P(y) = exp score(y) / Z,    Z = Σ_y exp score(y)

    φ(y), whose expectations are the moments, says which tag stands at each word (the first and the last among
    them) and counts how often each tag follows each other one, so that score(y) = ⟨θ, φ(y)⟩.

    A potential of -inf forbids a tag, a pair, a first or a last tag. A sentence without any allowed sequence
    has log Z = -inf, moments of 0, log marginals of -inf, and no gradient; docs/chain.md says more.

    Everything is computed in float32 (float64 if given so), under autocast too; potentials of lower precision
    are raised to float32. Values at padding are never read.

    Args:
        emissions: [B, L, N].
        transitions: [N, N], row previous tag, column current tag.
        start: [N].
        end: [N].
        lengths: [B] int64, in words, 1..L.

    Raises:
        ValueError: shapes or types do not fit, or a length is not in 1..L.

    >>> e = torch.tensor([[[2.0, 0.0], [0.0, 1.0]]])
    >>> chain = LinearChain(e, torch.zeros(2, 2), torch.zeros(2), torch.zeros(2), torch.tensor([2]))
    >>> chain.viterbi()
    (tensor([3.]), tensor([[0, 1]]))
    """

    emissions: Tensor
    transitions: Tensor
    start: Tensor
    end: Tensor
    lengths: Tensor

    def __post_init__(self) -> None:
        """Check the shapes and bring the potentials to one dtype."""
        self._check_shapes()
        names = ("emissions", "transitions", "start", "end")
        wide = any(getattr(self, name).dtype == torch.float64 for name in names)
        dtype = torch.float64 if wide else torch.float32
        for name in names:
            found = getattr(self, name)
            if not found.is_floating_point():
                raise ValueError(f"{name} must be floating point, not {found.dtype}")
            if found.dtype != dtype:
                object.__setattr__(self, name, found.to(dtype))

    def _check_shapes(self) -> None:
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

    @property
    def potentials(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """θ: emissions [B, L, N], transitions [N, N], start [N] and end [N]."""
        return self.emissions, self.transitions, self.start, self.end

    @property
    def num_tags(self) -> int:
        """The number of tags N."""
        return self.emissions.shape[2]

    @property
    def mask(self) -> Tensor:
        """The words as a boolean [B, L]: True at words, False at padding.

        >>> LinearChain(torch.zeros(2, 3, 1), *map(torch.zeros, ((1, 1), 1, 1)), torch.tensor([3, 1])).mask
        tensor([[ True,  True,  True],
                [ True, False, False]])
        """
        return length_mask(self.lengths, self.emissions.shape[1])

    def log_partition(self) -> Tensor:
        """The log partition log Z [B] = log Σ_y exp score(y), differentiable (once) in all four potentials.

        >>> chain = LinearChain(torch.zeros(1, 2, 3), *map(torch.zeros, ((3, 3), 3, 3)), torch.tensor([2]))
        >>> chain.log_partition().exp()  # 3 tags for each of 2 words
        tensor([9.])
        """
        return gradients.LogPartition.apply(*self.potentials, self.lengths)

    @torch.no_grad()
    def moments(self) -> Moments:
        """The moments E[φ(y)] under P, which are the gradient of log Z; without an autograd graph.

        >>> chain = LinearChain(torch.zeros(1, 2, 2), *map(torch.zeros, ((2, 2), 2, 2)), torch.tensor([2]))
        >>> chain.moments().pairs
        tensor([[[0.2500, 0.2500],
                 [0.2500, 0.2500]]])
        """
        return Moments(*engine.moments(engine.sweep(*self.potentials, self.lengths)))

    def log_marginals(self) -> Tensor:
        """The log marginals log P(y_l = j) [B, L, N], 0 at padding, differentiable (once) in all potentials.

        Where P = 0 they are -inf, and a gradient that arrives there is ignored.

        >>> emissions = torch.tensor([[[0.0, -torch.inf]]])
        >>> LinearChain(emissions, *map(torch.zeros, ((2, 2), 2, 2)), torch.tensor([1])).log_marginals()
        tensor([[[0., -inf]]])
        """
        return gradients.LogMarginals.apply(*self.potentials, self.lengths)

    @torch.no_grad()
    def viterbi(self) -> tuple[Tensor, Tensor]:
        """The score [B] of the best tag sequence, summed in float64, and its tags [B, L] int64, 0 at padding.

        A sentence without any allowed sequence has the score -inf and tags 0.

        >>> e = torch.tensor([[[5.0, 0.0], [1.0, 9.0], [5.0, 0.0]]])
        >>> chain = LinearChain(e, 4 * torch.eye(2), torch.zeros(2), torch.zeros(2), torch.tensor([3]))
        >>> chain.viterbi()
        (tensor([19.]), tensor([[0, 0, 0]]))
        """
        return engine.viterbi(*self.potentials, self.lengths)

    @torch.no_grad()
    def kbest(self, k: int) -> tuple[Tensor, Tensor]:
        """The scores [B, K] of the K best sequences, falling, and their tags [B, K, L] int64, 0 at padding.

        A sentence with fewer than K allowed sequences has -inf, and tags 0, in the places left over.

        Raises:
            ValueError: `k` is below 1.

        >>> e = torch.tensor([[[2.0, 0.0], [0.0, 1.0]]])
        >>> chain = LinearChain(e, torch.zeros(2, 2), torch.zeros(2), torch.zeros(2), torch.tensor([2]))
        >>> chain.kbest(2)
        (tensor([[3., 2.]]), tensor([[[0, 1],
                 [0, 0]]]))
        """
        if k < 1:
            raise ValueError(f"k must be 1 or more, not {k}")
        return kbest(*self.potentials, self.lengths, k)

    def score(self, tags: Tensor) -> Tensor:
        """The score [B] of one sequence per sentence, `tags` [B, L] int64 (any value at padding).

        The sum is made in float64.

        Raises:
            ValueError: `tags` is not [B, L].

        >>> e = torch.tensor([[[2.0, 0.0], [0.0, 1.0]]])
        >>> chain = LinearChain(e, torch.zeros(2, 2), torch.zeros(2), torch.ones(2), torch.tensor([2]))
        >>> chain.score(torch.tensor([[0, 0]]))
        tensor([3.])
        """
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
        """The chain with all potentials divided by `temperature`.

        Raises:
            ValueError: `temperature` is not above 0.

        >>> chain = LinearChain(torch.ones(1, 1, 1), *map(torch.zeros, ((1, 1), 1, 1)), torch.tensor([1]))
        >>> chain.tempered(2.0).log_partition()
        tensor([0.5000])
        """
        if not temperature > 0:
            raise ValueError(f"temperature must be above 0, not {temperature}")
        emissions, transitions, start, end = (potential / temperature for potential in self.potentials)
        return LinearChain(emissions, transitions, start, end, self.lengths)

    def constrained(self, allowed_pairs: Tensor, allowed_start: Tensor, allowed_end: Tensor) -> "LinearChain":
        """The chain with transitions, start and end of -inf where they are not allowed.

        Args:
            allowed_pairs: boolean [N, N], row previous tag, column current tag.
            allowed_start: boolean [N], tags that a sentence may begin with.
            allowed_end: boolean [N], tags that it may end with.

        Raises:
            ValueError: a shape does not fit, or a tensor is not boolean.

        IOB2 with the tags O, B, I: no I at the start, nor behind O.

        >>> pairs = torch.tensor([[True, True, False], [True, True, True], [True, True, True]])
        >>> start, end = torch.tensor([True, True, False]), torch.tensor([True, True, True])
        >>> e = torch.tensor([[[0.0, 1.0, 3.0], [0.0, 1.0, 3.0]]])
        >>> chain = LinearChain(e, torch.zeros(3, 3), torch.zeros(3), torch.zeros(3), torch.tensor([2]))
        >>> chain.constrained(pairs, start, end).viterbi()
        (tensor([4.]), tensor([[1, 2]]))
        """
        changed = []
        for name, allowed in zip(
            ("transitions", "start", "end"), (allowed_pairs, allowed_start, allowed_end), strict=True
        ):
            potential = getattr(self, name)
            if allowed.dtype != torch.bool or allowed.shape != potential.shape:
                raise ValueError(
                    f"what is allowed of {name} must be boolean {list(potential.shape)}, "
                    f"not {allowed.dtype} {list(allowed.shape)}"
                )
            changed.append(potential.masked_fill(~allowed.to(potential.device), -torch.inf))
        transitions, start, end = changed
        return LinearChain(self.emissions, transitions, start, end, self.lengths)


def cross_entropy(chain: LinearChain, moments: Moments) -> Tensor:
    """The cross-entropy CE(q, P) [B] = log Z - ⟨θ, μ_q⟩ of a distribution q with the chain's P.

    Its gradient in θ is the chain's moments less μ_q, and comes from the same pass. It is +inf where q has
    weight on a tag or a pair with a potential of -inf, and where no sequence is allowed; there it is 0 for
    moments that are all 0, which are those of a chain that allows no sequence.

    Args:
        chain: P and its potentials θ, in which the result is differentiable (once).
        moments: μ_q, the moments of q.

    Raises:
        ValueError: the moments require a gradient, which would not flow into them.

    >>> chain = LinearChain(torch.zeros(1, 1, 2), *map(torch.zeros, ((2, 2), 2, 2)), torch.tensor([1]))
    >>> cross_entropy(chain, chain.moments())
    tensor([0.6931])
    """
    if moments.unary.requires_grad or moments.pairs.requires_grad:
        raise ValueError("moments must not require a gradient: detach them")
    return gradients.CrossEntropy.apply(*chain.potentials, chain.lengths, moments)
