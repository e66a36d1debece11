"""Match emissions alone, as the released code of Lin et al. 2022 does by default (`struct_wo_trans`)."""

from typing import ClassVar

from torch import Tensor

from pipeline.chain import LinearChain
from pipeline.distillation.methods import efficient

targets = efficient.targets


class Settings(efficient.Settings):
    """As those of `efficient`; the student needs no transitions."""

    matches_transitions: ClassVar[bool] = False


def loss(student: LinearChain, target: LinearChain, settings: Settings) -> Tensor:
    """Mean squared difference of the emissions over the L·N of each sentence [B]."""
    emissions = (student.emissions - target.emissions).where(student.mask[..., None], 0.0)
    return emissions.square().sum((1, 2)) / (student.lengths * student.num_tags)
