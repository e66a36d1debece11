"""Random batches in float32 against float64: narrow beside wide scores, -inf anywhere, any lengths."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from pipeline.chain import LinearChain, cross_entropy, gold_moments
from pipeline.device import on_device
from tests.helpers.exact_chain import Answers, exact_answers

SCALES = (0.5, 1.0, 3.0, 10.0, 20.0, 20.0, 30.0, 30.0, 60.0, 100.0)
SHARES = (0.0, 0.0, 0.0, 0.2, 0.5, 1.0)  # of -inf
K = 5

Pick = Callable[[Sequence[Any]], Any]


def draw(seed: int) -> LinearChain:
    """A batch whose sentences differ in their scores' standard deviation (up to 100), offset and -inf.

    In two of three batches all scores are finite: with -inf most sentences go through log space.
    """
    generator = torch.Generator().manual_seed(seed)

    def pick(values: Sequence[Any]) -> Any:
        return values[int(torch.randint(len(values), (), generator=generator))]

    def scores(*shape: int) -> Tensor:
        finite = torch.randn(shape, generator=generator) * pick(SCALES)
        forbidden = torch.rand(shape, generator=generator) < pick(shares)
        return finite.masked_fill(forbidden, -torch.inf)

    shares = SHARES if seed % 3 == 0 else (0.0,)
    tags = pick((1, 2, 2, 3, 3, 4))
    lengths = [pick((1, 1, 2, 3, 4, 5)) for _ in range(pick((1, 2, 4, 7)))]
    size = max(lengths) + pick((0, 0, 2))
    emissions = torch.stack([scores(size, tags) + pick((0.0, 0.0, 1e3, -1e4)) for _ in lengths])
    for row, length in enumerate(lengths):
        emissions[row, length:] = pick((0.0, torch.nan, 1e30, -torch.inf, torch.inf))
    drawn = (emissions, scores(tags, tags), scores(tags), scores(tags))
    e, t, b, d = (p.requires_grad_() for p in drawn)
    return LinearChain(e, t, b, d, torch.tensor(lengths))


def check(seed: int, device: str = "cpu") -> None:
    """Every answer of the batch, and every gradient, against those of its sentences alone."""
    chain = draw(seed)
    generator = torch.Generator().manual_seed(seed)
    gold = torch.randint(chain.num_tags, chain.mask.shape, generator=generator)
    grad = torch.randn(chain.emissions.shape, generator=generator)
    weights = torch.randn(len(chain.lengths), generator=generator)
    exact = [
        exact_answers(chain, row, gold[row, :length], grad[row, :length])
        for row, length in enumerate(chain.lengths.tolist())
    ]
    chain, gold, grad, weights = on_device((chain, gold, grad, weights), torch.device(device))
    target = gold_moments(gold, chain.lengths, chain.num_tags)
    loss, log_z, logs = cross_entropy(chain, target), chain.log_partition(), chain.log_marginals()
    check_values(chain, gold, loss, log_z, logs, exact)
    check_decoding(chain, exact)

    moments = [(one.unary, one.pairs, one.unary[0], one.unary[-1]) for one in exact]
    phi = [
        (target.unary[row, :length], target.pairs[row], target.unary[row, 0], target.unary[row, length - 1])
        for row, length in enumerate(chain.lengths.tolist())
    ]
    differences = [
        [m - f.cpu() for m, f in zip(*both, strict=True)] for both in zip(moments, phi, strict=True)
    ]
    size = float(weights.abs().sum())
    check_gradients(chain, log_z @ weights, moments, weights, atol=2e-5 * size)
    check_gradients(chain, (loss * weights).sum(), differences, weights, atol=2e-5 * size)
    ones = torch.ones_like(weights)
    words = torch.where(chain.mask[..., None], grad, 0.0)
    # autograd.grad, not a sum: 0 * -inf would be NaN
    found = torch.autograd.grad(logs, chain.potentials, grad)
    compare_gradients(
        chain, found, [one.gradient for one in exact], ones, atol=5e-5 * float(words.abs().sum())
    )


def check_values(
    chain: LinearChain, gold: Tensor, loss: Tensor, log_z: Tensor, logs: Tensor, exact: list[Answers]
) -> None:
    unary, pairs = chain.moments()
    scores = chain.score(gold)
    for row, one in enumerate(exact):
        length = int(chain.lengths[row])
        close(log_z[row], one.log_z, rtol=1e-6, atol=1e-5)
        close(scores[row], one.expected, rtol=1e-6, atol=1e-5)
        # The loss is infinite of a path that is not allowed, also where none is.
        difference = one.log_z - one.expected if one.expected > -torch.inf else torch.tensor(torch.inf)
        close(loss[row], difference, rtol=1e-6, atol=1e-5)
        close(unary[row, :length], one.unary, rtol=0.0, atol=2e-5)
        close(pairs[row], one.pairs, rtol=0.0, atol=2e-5)
        close(logs[row, :length], one.log_marginals, rtol=1e-6, atol=5e-5)
        for rest in (unary[row, length:], logs[row, length:]):
            assert not rest.any()


def check_decoding(chain: LinearChain, exact: list[Answers]) -> None:
    best, path = chain.viterbi()
    scores, paths = chain.kbest(K)
    for row, one in enumerate(exact):
        length, there = int(chain.lengths[row]), min(K, len(one.scores))
        close(best[row], one.scores[0], rtol=1e-6, atol=1e-5)
        close(scores[row, :there], one.scores[:there], rtol=1e-6, atol=1e-5)
        assert scores[row, there:].isneginf().all()
        for score, found in [(best[row], path[row]), *zip(scores[row], paths[row], strict=True)]:
            assert not found[length:].any()
            if score.isneginf():
                assert not found.any()
            else:  # a path has the score that it is given
                index = int((one.sequences == found[:length].cpu()).all(1).nonzero())
                close(score, one.scores[index], rtol=1e-6, atol=1e-5)
        allowed = {tuple(p) for s, p in zip(scores[row], paths[row].tolist(), strict=True) if s > -torch.inf}
        assert len(allowed) == int((one.scores[:there] > -torch.inf).sum())


def check_gradients(
    chain: LinearChain, total: Tensor, rows: Sequence[Sequence[Tensor]], weights: Tensor, *, atol: float
) -> None:
    compare_gradients(chain, torch.autograd.grad(total, chain.potentials), rows, weights, atol=atol)


def compare_gradients(
    chain: LinearChain,
    found: Sequence[Tensor],
    rows: Sequence[Sequence[Tensor]],
    weights: Tensor,
    *,
    atol: float,
) -> None:
    """`found` against the weighted sum over the sentences; by emissions each sentence has its own."""
    for row, length in enumerate(chain.lengths.tolist()):
        close(found[0][row, :length], weights[row].cpu() * rows[row][0].cpu(), rtol=0.0, atol=atol)
        assert not found[0][row, length:].any()
    for index in (1, 2, 3):
        summed = sum(
            weight.cpu() * row[index].cpu().double() for weight, row in zip(weights, rows, strict=True)
        )
        close(found[index], summed, rtol=0.0, atol=atol)


def close(found: Tensor, expected: Any, **tolerance: Any) -> None:
    torch.testing.assert_close(found.detach().cpu().double(), expected.cpu().double(), **tolerance)


@pytest.mark.parametrize("block", range(4))
def test_random_batches(block: int) -> None:
    for seed in range(block * 25, (block + 1) * 25):
        check(seed)


@pytest.mark.slow
@pytest.mark.parametrize("block", range(20))
def test_many_random_batches(block: int) -> None:
    for seed in range(1000 + block * 500, 1000 + (block + 1) * 500):
        check(seed)
