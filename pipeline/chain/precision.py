"""The precision of the chain's products: that of their operands."""

import contextlib
from collections.abc import Iterator

import torch


@contextlib.contextmanager
def full_precision(device: str) -> Iterator[None]:
    """No autocast, and no TF32 or bfloat16 inside float32 products, on this type of device."""
    precision = torch.get_float32_matmul_precision()
    autocast = torch.is_autocast_enabled(device)
    with torch.autocast(device, enabled=False) if autocast else contextlib.nullcontext():
        if precision == "highest":
            yield
            return
        torch.set_float32_matmul_precision("highest")
        try:
            yield
        finally:
            torch.set_float32_matmul_precision(precision)
