"""What a method keeps of the teacher for every sentence, computed once per run from the score store."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from pipeline.chain import LinearChain, Moments
from pipeline.distillation.mean_target import mean_target
from pipeline.distillation.objective import Method, Target
from pipeline.distillation.settings import Settings
from pipeline.progress import progress
from pipeline.scores.store import ScoreStore
from pipeline.storage.ragged import Ragged

_CHUNK = 256  # sentences whose targets are computed together


class PartScores(NamedTuple):
    """The teachers' scores of one part of the training sentences (see `MixedBatches`).

    stores: of the same n sentences, one by each teacher.
    rows: [n] of these sentences in their split, ascending; None: all of it.
    """

    stores: tuple[ScoreStore, ...]
    rows: Tensor | None = None


def teacher_chains(store: ScoreStore, ids: Tensor) -> LinearChain:
    """A teacher's chains of the sentences `ids` [B], as stored."""
    emissions, lengths = store.batch(ids)
    return LinearChain(emissions, *store.parameters, lengths)


def targets_of(stores: Sequence[ScoreStore], ids: Tensor, method: Method, settings: Settings) -> Target:
    """The method's targets of the sentences `ids` [B], as a mean over the teachers."""
    return mean_target([method.targets(teacher_chains(store, ids), settings) for store in stores])


def tabulate(scores: PartScores, method: Method, settings: Settings) -> Callable[[Tensor], Target]:
    """Compute the targets of every sentence of a part; the result looks those of rows [B] of its split up.

    Chains themselves (method `efficient`) are not copied but read from the store. Moments take W·N + S·N²
    numbers for S sentences of W words, one tensor per word W·N.
    """
    look_up = _table(scores.stores, method, settings)
    rows = scores.rows
    return look_up if rows is None else lambda ids: look_up(torch.searchsorted(rows, ids))


def _table(stores: Sequence[ScoreStore], method: Method, settings: Settings) -> Callable[[Tensor], Target]:
    """`tabulate` by the sentences' ids in the store."""
    lengths = stores[0].lengths
    order = lengths.argsort(stable=True)
    words: list[Tensor] = []
    pairs: list[Tensor] = []
    with progress("targets", len(order)) as meter, torch.no_grad():
        for ids in order.split(_CHUNK):
            target = targets_of(stores, ids, method, settings)
            if isinstance(target, LinearChain):
                return lambda ids: targets_of(stores, ids, method, settings)
            if isinstance(target, Moments):
                pairs.append(target.pairs)
                target = target.unary
            words.append(target[torch.arange(target.shape[1]) < lengths[ids, None]])
            meter.advance(len(ids))
    row = order.argsort()
    by_word = Ragged.of(torch.cat(words), lengths[order])
    if not pairs:
        return lambda ids: by_word.padded(row[ids])[0]
    by_sentence = torch.cat(pairs)
    return lambda ids: Moments(by_word.padded(row[ids])[0], by_sentence[row[ids]])
