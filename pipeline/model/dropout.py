"""Dropout for training on a CPU, where PyTorch draws a random number for each element, on one core.

That takes up to a quarter of a small student's step on two cores. Here 64 random bits are for four elements.
"""

import torch
from torch import Tensor, nn

from pipeline.model.replace_modules import replace_modules

_LEVELS = 1 << 16


class CpuDropout(nn.Dropout):
    """nn.Dropout with p rounded to 1 / 65,536; on another device than a CPU it is nn.Dropout itself."""

    def forward(self, x: Tensor) -> Tensor:
        """x [...], in training with each element 0 with probability p, the others divided by 1 - p."""
        if not self.training or x.device.type != "cpu" or not draws_for(self.p):
            return super().forward(x)
        return dropped(x, self.p)


def draws_for(p: float) -> bool:
    """Whether `dropped` has anything to draw: p is not rounded to 0 or 1."""
    return 0 < round(p * _LEVELS) < _LEVELS


def dropped(x: Tensor, p: float) -> Tensor:
    """x [...] on the CPU, each element 0 with probability p (see CpuDropout), the others divided by 1 - p."""
    zeroed = round(p * _LEVELS)
    draws = torch.empty((x.numel() + 3) // 4, dtype=torch.int64).random_(-(1 << 63), None)
    kept = draws.view(torch.int16)[: x.numel()].view(x.shape) >= zeroed - _LEVELS // 2
    return x * kept.to(x.dtype).mul_(_LEVELS / (_LEVELS - zeroed))


def use_cpu_dropout(model: nn.Module) -> None:
    """Put CpuDropout in the place of each nn.Dropout of the model."""

    def cheaper(module: nn.Module) -> nn.Module | None:
        if type(module) is not nn.Dropout or module.inplace:
            return None
        return CpuDropout(module.p).train(module.training)

    replace_modules(model, cheaper)
