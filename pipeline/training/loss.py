"""What a training step minimises."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from torch import Tensor

from pipeline.chain import LinearChain, Moments, cross_entropy, gold_moments
from pipeline.encoding.batching import Batch
from pipeline.errors import UserError

Loss = Callable[[LinearChain, Batch, int], Tensor]
"""(the student's chains, the batch, the step from 0) → the loss of each sentence [B]."""


@runtime_checkable
class LookupLoss(Protocol):
    """A loss that looks up what a step needs of the teacher ahead of the step, when its batch is laid out."""

    def look_up(self, batch: Batch, step: int) -> Batch:
        """The batch with what its targets are made of."""


def gold_of(batch: Batch, num_tags: int) -> Moments:
    """The moments of the batch's gold tags.

    Raises:
        UserError: the split has none.
    """
    if batch.tags is None:
        raise UserError(
            "the training split has no gold tags, which the loss needs; label it, or set the method's "
            "schedule: constant and weight: 1.0"
        )
    return gold_moments(batch.tags, batch.lengths, num_tags)


def gold_loss(chain: LinearChain, batch: Batch, step: int) -> Tensor:
    """Negative log-likelihood of the gold tags, for each sentence [B]: how the teacher learns."""
    return cross_entropy(chain, gold_of(batch, chain.num_tags))
