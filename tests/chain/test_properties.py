"""What holds of a chain whatever its scores: batches, padding, memory, precision, repetition, bad input."""

import threading
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from pipeline.chain import LinearChain, cross_entropy, gold_moments, path_moments
from pipeline.chain.gradients import expected_score
from tests.helpers.chain_cases import random_chain

LENGTHS = [7, 1, 4, 9]


def answers(chain: LinearChain) -> dict[str, torch.Tensor]:
    unary, pairs = chain.moments()
    log_z, logs = chain.log_partition(), chain.log_marginals()
    gradients = torch.autograd.grad((log_z.sum() + logs.sin().sum()), chain.potentials)
    scores, paths = chain.kbest(3)
    found = {"log_z": log_z, "unary": unary, "pairs": pairs, "logs": logs, "scores": scores, "paths": paths}
    found |= dict(zip(["grad_e", "grad_t", "grad_b", "grad_d"], gradients, strict=True))
    found["best"], found["path"] = chain.viterbi()
    return {name: value.detach() for name, value in found.items()}


def test_a_batch_answers_as_its_sentences_alone():
    chain = random_chain(LENGTHS, 4)
    whole = answers(chain)
    summed = {name: torch.zeros_like(whole[name]) for name in ("grad_t", "grad_b", "grad_d")}
    for row, length in enumerate(LENGTHS):
        alone = LinearChain(
            chain.emissions[row : row + 1, :length], *chain.potentials[1:], torch.tensor([length])
        )
        for name, value in answers(alone).items():
            if name in summed:
                summed[name] += value
            elif name in ("log_z", "pairs", "scores", "best"):
                torch.testing.assert_close(value[0], whole[name][row])
            elif name == "paths":
                assert torch.equal(value[0], whole[name][row, :, :length])
            else:
                torch.testing.assert_close(value[0], whole[name][row, :length])
    for name, value in summed.items():
        torch.testing.assert_close(value, whole[name])


@pytest.mark.parametrize("padding", [0.0, 1e30, float("nan"), float("inf")])
@pytest.mark.parametrize("scale", [1.0, 1e3])
def test_padding_changes_nothing(padding, scale):
    plain = answers(random_chain(LENGTHS, 4, padding=0.0, scale=scale))
    longer = random_chain(LENGTHS, 4, padding=0.0, scale=scale)
    emissions = torch.nn.functional.pad(longer.emissions.detach(), (0, 0, 0, 5), value=padding)
    for row, length in enumerate(LENGTHS):
        emissions[row, length:] = padding
    padded = answers(LinearChain(emissions.requires_grad_(), *longer.potentials[1:], longer.lengths))
    for name, value in plain.items():
        other = padded[name]
        if name in ("paths", "path"):
            assert not other[..., 9:].any()
            assert torch.equal(other[..., :9], value)
        elif other.ndim == 3 and other.shape[1] == 14:
            assert not other[:, 9:].any()
            torch.testing.assert_close(other[:, :9], value)
        else:
            torch.testing.assert_close(other, value)


class LargestTensor(TorchDispatchMode):
    """Notes how many numbers the largest result of any operation holds."""

    def __init__(self) -> None:
        super().__init__()
        self.largest = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for value in result if isinstance(result, (tuple, list)) else (result,):
            if isinstance(value, torch.Tensor):
                self.largest = max(self.largest, value.numel())
        return result


@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_no_step_holds_a_score_for_every_word_and_pair_of_tags(scale):
    batch, size, tags = 4, 40, 16
    chain = random_chain([size] * batch, tags, scale=scale, dtype=torch.float32)
    moments = gold_moments(torch.zeros(batch, size, dtype=torch.int64), chain.lengths, tags)
    with LargestTensor() as seen:
        torch.autograd.grad(cross_entropy(chain, moments).sum(), chain.potentials)
        torch.autograd.grad(chain.log_marginals().exp().sum(), chain.potentials)
        chain.moments()
    assert 0 < seen.largest < batch * size * tags * tags / 4


def test_every_question_runs_one_dynamic_program(programs):
    chain = random_chain([3, 2], 3)
    target = chain.moments()
    programs.clear()
    chain.score(torch.zeros(2, 3, dtype=torch.int64))
    assert programs == []
    cross_entropy(chain, target).sum().backward()
    assert programs == ["sweep"]
    chain.log_marginals().sum().backward()
    chain.moments()
    chain.log_partition().sum().backward()
    chain.viterbi()
    chain.kbest(2)
    assert programs == ["sweep", "sweep", "pull_back", "sweep", "sweep", "viterbi", "kbest"]


def test_autocast_and_fast_products_do_not_reach_the_chain():
    chain = random_chain(LENGTHS, 4, dtype=torch.float32)
    expected = answers(chain)
    paths = torch.arange(72).view(4, 2, 9) % 4
    weighted = path_moments(paths, torch.tensor([[0.3, 0.7]] * 4), chain.lengths, 4)
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = answers(chain)
            tags = torch.zeros(4, 9, dtype=torch.int64)
            moments = gold_moments(tags, chain.lengths, 4)
            inner = expected_score(chain.potentials, chain.lengths, moments)
            torch.testing.assert_close(inner.float(), chain.score(tags))
            again = path_moments(paths, torch.tensor([[0.3, 0.7]] * 4), chain.lengths, 4)
            assert torch.equal(again.pairs, weighted.pairs)
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(before)
    for name, value in expected.items():
        assert found[name].dtype == value.dtype
        assert torch.equal(found[name], value), name


def test_low_precision_emissions_are_raised_to_float32():
    chain = random_chain(LENGTHS, 4, dtype=torch.float32, padding=0.0)
    low = LinearChain(chain.emissions.bfloat16(), *chain.potentials[1:], chain.lengths)
    assert low.emissions.dtype == torch.float32
    exact = LinearChain(chain.emissions.bfloat16().double(), *chain.potentials[1:], chain.lengths)
    assert exact.start.dtype == torch.float64
    torch.testing.assert_close(low.log_partition().double(), exact.log_partition(), rtol=1e-6, atol=1e-6)


def test_the_same_input_gives_the_same_bits():
    for scale in (1.0, 1e3):
        one, two = (answers(random_chain(LENGTHS, 5, dtype=torch.float32, scale=scale)) for _ in range(2))
        assert all(torch.equal(one[name], two[name]) for name in one)


def test_losses_of_several_chains_may_wait_for_their_backward():
    chains = [random_chain(LENGTHS, 4, seed=seed) for seed in range(3)]
    alone = [answers(chain) for chain in chains]
    waiting = [(chain.log_partition(), chain.log_marginals()) for chain in chains]
    for chain, expected, (log_z, logs) in zip(chains, alone, waiting, strict=True):
        total = log_z.sum() + logs.sin().sum()
        for _ in range(2):  # the graph may be walked twice
            gradients = torch.autograd.grad(total, chain.potentials, retain_graph=True)
            for name, value in zip(["grad_e", "grad_t", "grad_b", "grad_d"], gradients, strict=True):
                torch.testing.assert_close(value, expected[name])


def test_moments_with_a_gradient_are_refused():
    chain, moments = random_chain([2], 2), random_chain([2], 2, seed=1).moments()
    with pytest.raises(ValueError, match="detach"):
        cross_entropy(chain, moments._replace(pairs=moments.pairs.requires_grad_()))


def test_threads_do_not_share_scratch_memory():
    chains = [random_chain([60, 31], 9, seed=seed) for seed in range(4)]
    expected = [chain.moments() for chain in chains]
    wrong = []

    def work(index: int) -> None:
        for _ in range(20):
            if not torch.equal(chains[index].moments().unary, expected[index].unary):
                wrong.append(index)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_inference_mode_leaves_nothing_behind_that_training_cannot_use():
    chain = random_chain(LENGTHS, 4)
    expected = answers(chain)
    found: list[Any] = []

    def work() -> None:  # a thread of its own has no scratch memory yet
        with torch.inference_mode():
            found.append(chain.moments().unary.clone())
            found.append(chain.viterbi()[1].clone())
        found.append(answers(chain))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert torch.equal(found[0], expected["unary"])
    assert torch.equal(found[1], expected["path"])
    assert torch.equal(found[2]["grad_e"], expected["grad_e"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"emissions": torch.zeros(2, 3)}, r"emissions must be \[B, L, N\], not \[2, 3\]"),
        ({"emissions": torch.zeros(2, 0, 4)}, "hold no scores"),
        ({"transitions": torch.zeros(4, 3)}, r"transitions must be \[4, 4\]"),
        ({"start": torch.zeros(5)}, r"start must be \[4\]"),
        ({"end": torch.zeros(4, 1)}, r"end must be \[4\]"),
        ({"end": torch.zeros(4, dtype=torch.int64)}, "end must be floating point"),
        ({"lengths": torch.tensor([3])}, r"lengths must be \[2\]"),
        ({"lengths": torch.tensor([3, 1], dtype=torch.int32)}, "lengths must be int64"),
        ({"lengths": torch.tensor([3, 0])}, r"lengths must be in 1\.\.3, not 0\.\.3"),
        ({"lengths": torch.tensor([4, 1])}, r"lengths must be in 1\.\.3, not 1\.\.4"),
    ],
)
def test_bad_input_is_named(change, message):
    right = {
        "emissions": torch.zeros(2, 3, 4),
        "transitions": torch.zeros(4, 4),
        "start": torch.zeros(4),
        "end": torch.zeros(4),
        "lengths": torch.tensor([3, 1]),
    }
    with pytest.raises(ValueError, match=message):
        LinearChain(**(right | change))


def test_bad_questions_are_named():
    chain = random_chain([3, 1], 4)
    with pytest.raises(ValueError, match="k must be 1 or more"):
        chain.kbest(0)
    with pytest.raises(ValueError, match="temperature must be above 0"):
        chain.tempered(0.0)
    with pytest.raises(ValueError, match=r"tags must be \[2, 3\]"):
        chain.score(torch.zeros(2, 4, dtype=torch.int64))
