"""Dropout on a CPU: as often as asked, independent, in scale, and nn.Dropout's in all other respects."""

import pytest
import torch
from torch import nn

from pipeline.encoding.split_file import load
from pipeline.model.chain_tagger import ChainTagger
from pipeline.model.dropout import CpuDropout, use_cpu_dropout


@pytest.mark.parametrize("p", [0.1, 0.25, 0.5, 0.9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_elements_are_zero_as_often_as_asked_and_the_mean_stays(p, dtype):
    torch.manual_seed(0)
    count = 400_003
    y = CpuDropout(p)(torch.ones(count, dtype=dtype))
    deviation = (p * (1 - p) / count) ** 0.5
    assert abs(float((y == 0).float().mean()) - p) < 5 * deviation + 1e-5
    rounding = 1e-2 if dtype == torch.bfloat16 else 1e-4
    assert y[y != 0].unique().tolist() == [pytest.approx(1 / (1 - p), rel=rounding)]


def test_neighbours_are_independent():
    torch.manual_seed(0)
    zero = (CpuDropout(0.25)(torch.ones(1 << 20)) == 0).double()
    for distance in range(1, 9):
        both = float((zero[distance:] * zero[:-distance]).mean())
        assert abs(both - 0.25**2) < 5 * (0.0625 * 0.9375 / (1 << 20)) ** 0.5


@pytest.mark.parametrize("shape", [(), (0,), (1,), (3, 5), (2, 3, 7)])
def test_any_shape(shape):
    assert CpuDropout(0.5)(torch.ones(shape)).shape == shape


def test_the_seed_decides_and_two_calls_differ():
    dropout, x = CpuDropout(0.5), torch.ones(100)
    torch.manual_seed(3)
    one, two = dropout(x), dropout(x)
    torch.manual_seed(3)
    assert torch.equal(dropout(x), one)
    assert not torch.equal(one, two)


def test_the_gradient_is_that_of_the_kept_elements():
    x = torch.randn(50, requires_grad=True)
    y = CpuDropout(0.5)(x)
    y.sum().backward()
    assert x.grad is not None
    assert torch.equal(x.grad != 0, y != 0)
    torch.testing.assert_close(x.grad * x, y)


@pytest.mark.parametrize("p", [0.0, 1e-6, 1.0])
def test_the_ends_and_evaluation_are_those_of_pytorch(p):
    x = torch.randn(20)
    torch.manual_seed(0)
    y = CpuDropout(p)(x)
    torch.manual_seed(0)
    torch.testing.assert_close(y, nn.Dropout(p)(x), rtol=1e-5, atol=0)
    assert torch.equal(CpuDropout(0.5).eval()(x), x)


def test_every_dropout_of_a_tagger_is_replaced_and_no_weight(bert, corpus):
    model = ChainTagger.from_encoder(bert, load(corpus / "train.parquet"), dropout=0.3).eval()
    names = list(model.state_dict())
    before = {name: module.p for name, module in model.named_modules() if isinstance(module, nn.Dropout)}
    use_cpu_dropout(model)
    after = {name: module for name, module in model.named_modules() if isinstance(module, nn.Dropout)}
    assert len(before) > 3
    assert {name: module.p for name, module in after.items()} == before
    assert all(type(module) is CpuDropout and not module.training for module in after.values())
    assert list(model.state_dict()) == names
