"""The GPU's kernels against log space and the plain decoder: on a GPU, or else in Triton's interpreter."""

import itertools
import os

import pytest
import torch

from pipeline import device
from pipeline.chain import backend, cross_entropy, engine, gold_moments, log_space
from pipeline.chain.viterbi import viterbi
from tests.chain import test_differential
from tests.helpers.chain_cases import random_chain

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
if DEVICE == "cpu":
    os.environ["TRITON_INTERPRET"] = "1"  # read when triton is first imported
pytest.importorskip("triton", reason="Triton comes with torch for CUDA, or from the package index")
fused = pytest.importorskip("pipeline.chain.fused")

CASES = [([1], 3, 1.0), ([7, 1, 4], 5, 1.0), ([6, 2], 17, 10.0), ([5, 9, 1, 2], 4, 1e4)]
cases = pytest.mark.parametrize(
    ("lengths", "tags", "scale", "dtype"),
    [(*case, dtype) for case, dtype in itertools.product(CASES, [torch.float32, torch.float64])],
)


@cases
def test_sweep(lengths, tags, scale, dtype):
    chain = random_chain(lengths, tags, scale=scale, dtype=dtype)
    plain = [p.detach() for p in (*chain.potentials, chain.lengths)]
    found, exact = fused.sweep(*on_device(plain), keep=True), log_space.sweep(*plain)
    close(found.log_z.to(dtype), exact.log_z)
    for mine, right in zip(fused.moments(found), log_space.moments(exact), strict=True):
        close(mine, right)
    logs = fused.log_marginals(found)
    close(logs, log_space.log_marginals(exact))

    grad = torch.randn(logs.shape, generator=torch.Generator().manual_seed(1), dtype=dtype)
    grad = torch.where(chain.mask[..., None], grad, 0.0)
    grad = grad - log_space.moments(exact)[0].to(dtype) * grad.sum(-1, keepdim=True)
    ours, theirs = fused.pull_back(found, grad.to(DEVICE)), log_space.pull_back(exact, grad)
    for mine, right in zip(ours, theirs, strict=True):
        close(mine, right)


@cases
def test_viterbi(lengths, tags, scale, dtype):
    chain = random_chain(lengths, tags, scale=scale, dtype=dtype)
    plain = [p.detach() for p in (*chain.potentials, chain.lengths)]
    scores, paths = fused.viterbi(*on_device(plain))
    expected, best = viterbi(*plain)
    close(scores, expected)
    assert torch.equal(paths.cpu(), best)


def on_device(tensors):
    return [tensor.to(DEVICE) for tensor in tensors]


def close(found, expected):
    unit = torch.finfo(found.dtype).eps
    # In float64 the exponentials' arguments are as coarse as sums of scores are.
    torch.testing.assert_close(
        found.cpu().double(), expected.double(), rtol=32 * unit, atol=32 * unit if unit > 1e-10 else 1e-10
    )


def test_kernels_pass_the_check_that_they_are_trusted_by():
    assert backend.agrees(fused, torch.device(DEVICE), 5)


def test_whole_chain_on_the_kernels(monkeypatch):
    plain = random_chain([7, 1, 4], 5, scale=2.0, dtype=torch.float32)
    expected = chain_answers(plain)
    monkeypatch.setattr(engine, "backend_for", lambda emissions: fused)
    for mine, right in zip(
        chain_answers(device.on_device(plain, torch.device(DEVICE))), expected, strict=True
    ):
        torch.testing.assert_close(mine.cpu(), right, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("seed", range(12))
def test_random_batches_on_the_kernels(seed, monkeypatch):
    monkeypatch.setattr(engine, "backend_for", lambda emissions: fused)
    test_differential.check(seed, DEVICE)


def chain_answers(chain):
    tags = torch.zeros(chain.emissions.shape[:2], dtype=torch.int64, device=chain.lengths.device)
    losses = cross_entropy(chain, gold_moments(tags, chain.lengths, chain.num_tags))
    logs = chain.log_marginals()
    gradients = torch.autograd.grad(losses.sum() + logs.sin().sum(), chain.potentials)
    return [losses.detach(), logs.detach(), *gradients, *chain.moments(), *chain.viterbi()]
