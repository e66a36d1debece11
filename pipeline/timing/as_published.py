"""The methods' losses as peers compute them: the *as published* side of Table 2. No training runs them.

What this side does at every step of a method that has a teacher:
- it runs the teacher's encoder, and finds what the method needs of its chains anew: marginals by
  log-space forward-backward, the K-best list by K-best decoding;
- it computes both terms of the loss, weighed as in the authors' released code (`WEIGHT`), each with its
  own log Z;
- log Z and the student's marginals come from the sequential log-space recursion, through autograd;
- scores and marginals of all pairs are written out as [B, L - 1, N, N].

Everything is vectorised over the batch, in float32, with a handful of operations per word as in
pytorch-crf, so that it is a fair opponent. The gold loss of `efficient` costs a recursion at every step,
as in its released code. The paper prints for it a student forward time far below that of `vanilla`, which
has the same recursion: it seems to have been taken at λ = 1. So this form is an upper bound of the paper's.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from pipeline.chain import LinearChain
from pipeline.distillation.registry import method_settings

WEIGHT = 0.9  # λ throughout the released code's runs


class PublishedForm(NamedTuple):
    """What a method takes from the teacher's chains, without gradient, and its term for each sentence [B]."""

    target: Callable[[LinearChain], Any]
    term: Callable[[LinearChain, Any], Tensor]


def loss(chain: LinearChain, form: PublishedForm | None, target: Any, tags: Tensor) -> Tensor:
    """λ · distillation loss + (1 - λ) · gold loss for each sentence [B]; without a `form`, the gold loss.

    Args:
        chain: the student's.
        form: one of FORMS.
        target: what `form.target` gave.
        tags: the gold tags [B, L].
    """
    gold = log_partition(chain) - chain.score(tags)
    return gold if form is None else WEIGHT * form.term(chain, target) + (1 - WEIGHT) * gold


def log_partition(chain: LinearChain) -> Tensor:
    """log Z [B]."""
    return (_forward(chain)[-1] + chain.end).logsumexp(1)


def log_marginals(chain: LinearChain) -> Tensor:
    """log q(y_l = j) [B, L, N]; padding has no meaning."""
    alpha, beta = _forward(chain), _backward(chain)
    log_z = (alpha[-1] + chain.end).logsumexp(1)
    return torch.stack(alpha, 1) + torch.stack(beta, 1) - log_z[:, None, None]


def pair_scores(chain: LinearChain) -> Tensor:
    """T[i, j] + e[l, j] for every l ≥ 2, [B, L - 1, N, N]."""
    return chain.transitions + chain.emissions[:, 1:, None, :]


def _forward(chain: LinearChain) -> list[Tensor]:
    """α of every word, [B, N] each: α_l[j] = logsumexp_i(α_{l-1}[i] + T[i, j]) + e[l, j]."""
    alpha = [chain.start + chain.emissions[:, 0]]
    for word, inside in enumerate(chain.mask.unbind(1)[1:], 1):
        arrived = (alpha[-1][:, :, None] + chain.transitions).logsumexp(1) + chain.emissions[:, word]
        alpha.append(torch.where(inside[:, None], arrived, alpha[-1]))
    return alpha


def _backward(chain: LinearChain) -> list[Tensor]:
    """β of every word, [B, N] each: β_l[i] = logsumexp_j(T[i, j] + e[l+1, j] + β_{l+1}[j])."""
    words = chain.mask.unbind(1)
    beta = [chain.end.expand(len(chain.lengths), -1)]
    for word in range(len(words) - 1, 0, -1):
        after = chain.emissions[:, word] + beta[-1]
        arrived = (chain.transitions + after[:, None, :]).logsumexp(2)
        beta.append(torch.where(words[word][:, None], arrived, beta[-1]))
    return beta[::-1]


def _best_paths(teacher: LinearChain) -> tuple[Tensor, Tensor]:
    """The K best sequences [B, K, L] and their weights [B, K]; this project's K-best is the published one."""
    scores, paths = teacher.kbest(method_settings("kbest")().model_dump()["k"])
    return paths, scores.softmax(1)


def _paths_term(student: LinearChain, target: tuple[Tensor, Tensor]) -> Tensor:
    """-Σ_k w_k log P(y_k): Eq. 7."""
    paths, weights = target
    scores = torch.stack([student.score(tags) for tags in paths.unbind(1)], 1)
    return log_partition(student) - (weights * scores).sum(1)


def _pair_marginals(teacher: LinearChain) -> tuple[Tensor, Tensor, Tensor]:
    """Marginals of first tag [B, N], pairs [B, L - 1, N, N] (0 at padding) and last tag [B, N]."""
    alphas, betas = _forward(teacher), _backward(teacher)
    alpha, beta = torch.stack(alphas, 1), torch.stack(betas, 1)
    log_z = (alphas[-1] + teacher.end).logsumexp(1)
    pairs = alpha[:, :-1, :, None] + pair_scores(teacher) + beta[:, 1:, None, :] - log_z[:, None, None, None]
    pairs = pairs.exp() * teacher.mask[:, 1:, None, None]
    return (
        (alphas[0] + betas[0] - log_z[:, None]).exp(),
        pairs,
        (alphas[-1] + teacher.end - log_z[:, None]).exp(),
    )


def _structure_term(student: LinearChain, target: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """log Z - Σ_u q_t(u) s(u) over all sub-structures u: Eq. 8."""
    first, pairs, last = target
    expected = (
        (first * (student.start + student.emissions[:, 0])).sum(1)
        + (pairs * pair_scores(student)).sum((1, 2, 3))
        + last @ student.end
    )
    return log_partition(student) - expected


def _marginals_term(student: LinearChain, target: Tensor) -> Tensor:
    """Σ_l KL(q_t(y_l) ‖ q_s(y_l))."""
    divergence = (target.exp() * (target - log_marginals(student))).sum(2)
    return (divergence * student.mask).sum(1)


def _all_scores(chain: LinearChain) -> tuple[Tensor, Tensor, Tensor]:
    """s(u) of all starts [B, N], pairs [B, L - 1, N, N] and ends [N]."""
    return chain.start + chain.emissions[:, 0], pair_scores(chain), chain.end


def _scores_term(student: LinearChain, target: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """The mean over all u of (s(u) - s_t(u))²: Eq. 9, term by term."""
    starts, pairs, ends = (
        (own - other).square() for own, other in zip(_all_scores(student), target, strict=True)
    )
    tags = student.num_tags
    inside = (pairs.sum((2, 3)) * student.mask[:, 1:]).sum(1)
    return (starts.sum(1) + inside + ends.sum()) / (2 * tags + (student.lengths - 1) * tags**2)


def _emissions_term(student: LinearChain, target: Tensor) -> Tensor:
    """The mean over a sentence's words and tags of (e - e_t)²."""
    squares = (student.emissions - target).square().sum(2) * student.mask
    return squares.sum(1) / (student.lengths * student.num_tags)


FORMS: dict[str, PublishedForm | None] = {
    "vanilla": None,
    "kbest": PublishedForm(_best_paths, _paths_term),
    "structural": PublishedForm(_pair_marginals, _structure_term),
    "posterior": PublishedForm(log_marginals, _marginals_term),
    "efficient": PublishedForm(_all_scores, _scores_term),
    "efficient_emission": PublishedForm(lambda teacher: teacher.emissions, _emissions_term),
}
"""By method; None has no teacher. A method that is not here has no published form to be timed."""
