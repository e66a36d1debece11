"""`full_precision`: what it holds off inside, and that it leaves everything as it was."""

from collections.abc import Iterator

import pytest
import torch

from pipeline.chain.precision import full_precision


@pytest.fixture(params=["highest", "high", "medium"])
def products(request: pytest.FixtureRequest) -> Iterator[str]:
    """The precision of float32 products that a caller has set."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(request.param)
    yield request.param
    torch.set_float32_matmul_precision(before)


def test_products_inside_have_the_precision_of_their_operands(products):
    left, right = torch.randn(2, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert (left @ right).dtype == torch.bfloat16
        with full_precision("cpu"):
            assert torch.get_float32_matmul_precision() == "highest"
            found = left @ right
        assert (left @ right).dtype == torch.bfloat16
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), left.double() @ right.double(), rtol=1e-5, atol=1e-5)
    assert torch.get_float32_matmul_precision() == products


def test_an_error_inside_changes_nothing_outside(products):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        with pytest.raises(ZeroDivisionError), full_precision("cpu"):
            raise ZeroDivisionError
        assert torch.is_autocast_enabled("cpu")
    assert torch.get_float32_matmul_precision() == products


def test_autocast_of_another_device_is_not_touched():
    with torch.autocast("cpu", dtype=torch.bfloat16), full_precision("cuda"):
        assert torch.is_autocast_enabled("cpu")
