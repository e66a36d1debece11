"""Losses that match what the teacher's layers give, too. No store has it: the teacher runs in every step."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from pipeline.chain import LinearChain
from pipeline.encoding.batching import Batch
from pipeline.errors import UserError
from pipeline.model.chain_tagger import ChainTagger
from pipeline.training.loss import LookupLoss, Loss


def layers_of(encoder: Any) -> nn.ModuleList:
    """The layers of an encoder.

    Raises:
        UserError: they are in no list of their own, as those of ALBERT, which share their weights.
    """
    for module in encoder.modules():
        if isinstance(module, nn.ModuleList) and len(module) == encoder.config.num_hidden_layers:
            return module
    raise UserError(f"{encoder.config.model_type}: its layers are in no list; take another teacher")


def evenly_spaced(layers: int, of: int) -> list[int]:
    """Every (of / layers)-th of `of` layers, from 0; the last one is among them."""
    return [(number + 1) * of // layers - 1 for number in range(layers)]


class Outputs:
    """What some modules gave in the last pass."""

    def __init__(self, modules: Sequence[nn.Module]) -> None:
        """Watch these modules."""
        self.found: dict[int, Tensor] = {}
        for number, module in enumerate(modules):
            module.register_forward_hook(partial(self._keep, number))

    def _keep(self, number: int, module: nn.Module, given: Any, output: Any) -> None:
        self.found[number] = output[0] if isinstance(output, tuple) else output


class Matched(ABC):
    """A loss plus the weighted difference of some modules' outputs, the student's to the teacher's."""

    def __init__(
        self,
        loss: Loss,
        student: ChainTagger,
        teacher: ChainTagger,
        weight: Callable[..., float],
        autocast: Callable[[], AbstractContextManager[Any]],
    ) -> None:
        """Watch the modules that are compared.

        Args:
            loss: of the method.
            student: in training.
            teacher: on the student's device, in evaluation mode.
            weight: of the difference, by `step`.
            autocast: the precision of the teacher's pass.

        Raises:
            UserError: an encoder has no such modules.
        """
        modules = self.watched(student.encoder, teacher.encoder)
        self.ours, self.theirs = (Outputs(side) for side in modules)
        self.loss, self.teacher, self.weight, self.autocast = loss, teacher, weight, autocast

    @abstractmethod
    def watched(self, student: Any, teacher: Any) -> tuple[list[nn.Module], list[nn.Module]]:
        """The modules of two encoders whose outputs are compared, as many of each."""

    @abstractmethod
    def difference(self, ours: Tensor, theirs: Tensor, mask: Tensor) -> Tensor:
        """Of outputs [V, P, H], over the pieces that `mask` [V, P] has; a number."""

    def __call__(self, chain: LinearChain, batch: Batch, step: int) -> Tensor:
        """The loss of each sentence [B]; the difference is the batch's mean."""
        with torch.no_grad(), self.autocast():
            self.teacher(batch.input_ids, batch.attention_mask, batch.word_index, batch.lengths)
        difference = sum(
            self.difference(ours, self.theirs.found[number], batch.attention_mask)
            for number, ours in self.ours.found.items()
        )
        return self.loss(chain, batch, step) + self.weight(step=step) * difference

    def look_up(self, batch: Batch, step: int) -> Batch:
        """See LookupLoss."""
        return self.loss.look_up(batch, step) if isinstance(self.loss, LookupLoss) else batch


class MatchedHiddenStates(Matched):
    """TinyBERT's mean squared difference (Jiao et al., 2020).

    Each of the student's layers is compared with one of the teacher's, evenly spaced.
    """

    def watched(self, student: Any, teacher: Any) -> tuple[list[nn.Module], list[nn.Module]]:
        """See Matched."""
        ours, theirs = layers_of(student), layers_of(teacher)
        return list(ours), [theirs[number] for number in evenly_spaced(len(ours), len(theirs))]

    def difference(self, ours: Tensor, theirs: Tensor, mask: Tensor) -> Tensor:
        """See Matched."""
        each = (ours.float() - theirs.float()).square().mean(-1)
        return (each * mask).sum() / mask.sum()


class MatchedRelations(Matched):
    """MiniLMv2's relations of queries, keys and values in the last layers (Wang et al., 2021).

    With a head's queries, keys or values A [P, d], its relation is softmax(A Aᵀ / √d), a distribution over
    pieces for each piece. The difference is KL(teacher ‖ student): the mean over heads and pieces, summed
    over queries, keys and values.
    """

    heads: int

    def watched(self, student: Any, teacher: Any) -> tuple[list[nn.Module], list[nn.Module]]:
        """See Matched."""
        self.heads = teacher.config.num_attention_heads
        return projections(student), projections(teacher)

    def difference(self, ours: Tensor, theirs: Tensor, mask: Tensor) -> Tensor:
        """See Matched."""
        student, teacher = (self._log_relations(one, mask) for one in (ours, theirs))
        divergence = (
            (teacher.exp() * (teacher - student)).masked_fill(~mask.bool()[:, None, None], 0.0).sum(-1)
        )
        return (divergence.mean(1) * mask).sum() / mask.sum()

    def _log_relations(self, output: Tensor, mask: Tensor) -> Tensor:
        """The logarithm of a relation [V, heads, P, P]; that of a piece outside of `mask` is -inf."""
        by_head = output.float().unflatten(-1, (self.heads, -1)).transpose(1, 2)
        related = by_head @ by_head.mT / by_head.shape[-1] ** 0.5
        return related.masked_fill(~mask.bool()[:, None, None], -torch.inf).log_softmax(-1)


def projections(encoder: Any) -> list[nn.Module]:
    """The modules that give the queries, keys and values of an encoder's last layer.

    Raises:
        UserError: they are not called so.
    """
    found = {name.rsplit(".", 1)[-1]: module for name, module in layers_of(encoder)[-1].named_modules()}
    try:
        return [found[name] for name in ("query", "key", "value")]
    except KeyError:
        kind = encoder.config.model_type
        raise UserError(f"{kind}: its layers have no query, key and value; take another teacher") from None
