"""The backend of CUDA devices without kernels, here on the CPU, against the same oracles as the others.

That it reads nothing back is shown in tests/training/test_host_reads.py.
"""

import pytest
import torch

from pipeline.chain import engine, unfused
from tests.chain import test_differential
from tests.helpers.chain_cases import random_chain


@pytest.mark.parametrize("seed", range(40))
def test_random_batches(seed, monkeypatch):
    monkeypatch.setattr(engine, "backend_for", lambda emissions: unfused)
    test_differential.check(seed)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_answers_have_the_precision_of_the_potentials(dtype, monkeypatch):
    monkeypatch.setattr(engine, "backend_for", lambda emissions: unfused)
    chain = random_chain([3, 1], 4, dtype=dtype)
    logs = chain.log_marginals()
    gradients = torch.autograd.grad(logs.sin().sum(), chain.potentials)
    answers = (chain.log_partition(), *chain.moments(), logs, *gradients)
    assert {answer.dtype for answer in answers} == {dtype}
