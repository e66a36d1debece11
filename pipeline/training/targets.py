"""What a method keeps of the teacher for every sentence, computed from the score store."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from pipeline.chain import LinearChain, Moments
from pipeline.chain.moments import length_mask
from pipeline.distillation.mean_target import mean_target
from pipeline.distillation.objective import Method, Target
from pipeline.distillation.settings import Settings
from pipeline.progress import progress
from pipeline.scores.store import ScoreStore
from pipeline.storage.ragged import Ragged

TABLES = 256 << 20
"""Bytes of all tables together. What has no room is computed whenever a batch asks for it."""

_CHUNK = 256  # sentences whose targets are computed together
_NUMBER = 4  # bytes

LookUp = Callable[[Tensor, torch.device], Target]
"""(rows of their split [B], device) → the targets of these sentences, there."""


class PartScores(NamedTuple):
    """The teachers' scores of one part of the training sentences (see `MixedBatches`).

    stores: of the same n sentences, one by each teacher.
    rows: [n] of these sentences in their split, ascending; None: all of it.
    """

    stores: tuple[ScoreStore, ...]
    rows: Tensor | None = None


def teacher_chains(store: ScoreStore, ids: Tensor) -> LinearChain:
    """The teacher's chains of the sentences `ids` [B], as stored."""
    emissions, lengths = store.batch(ids)
    return LinearChain(emissions, *store.parameters, lengths)


def targets_of(
    stores: Sequence[ScoreStore], ids: Tensor, device: torch.device, method: Method, settings: Settings
) -> Target:
    """The method's targets of the sentences `ids` [B], as a mean over the teachers, computed on `device`."""
    return mean_target([method.targets(teacher_chains(store, ids).to(device), settings) for store in stores])


def target_look_ups(scores: Sequence[PartScores], method: Method, settings: Settings) -> list[LookUp]:
    """What gives the targets of a batch of each part.

    The targets of a part are computed here, once, and kept in a table, if it fits into TABLES beside those of
    the parts before: W·N numbers for W words where a target is one tensor per word, and S·N² more for S
    sentences where it is moments. Else, and where targets are the chains themselves (method `efficient`),
    they come from the store whenever they are asked for, so that memory does not grow with the sentences. The
    last bits of a target depend on which sentences are computed together.
    """
    found, room = [], TABLES
    for part in scores:
        table = _table(part.stores, method, settings, room)
        if table is None:
            by_id = _computed(part.stores, method, settings)
        else:
            by_id, size = table
            room -= size
        found.append(by_id if part.rows is None else _by_row(by_id, part.rows))
    return found


def _by_row(by_id: LookUp, rows: Tensor) -> LookUp:
    return lambda ids, device: by_id(torch.searchsorted(rows, ids), device)


def _computed(stores: Sequence[ScoreStore], method: Method, settings: Settings) -> LookUp:
    """Targets by the sentences' ids in the stores, computed on the device that asks for them."""

    @torch.no_grad()
    def look_up(ids: Tensor, device: torch.device) -> Target:
        return targets_of(stores, ids, device, method, settings)

    return look_up


def _table(
    stores: Sequence[ScoreStore], method: Method, settings: Settings, room: int
) -> tuple[LookUp, int] | None:
    """Targets by the sentences' ids in the stores, computed now, and their bytes; None if they do not fit."""
    tags, lengths = len(stores[0].tags), stores[0].lengths
    size = int(lengths.sum()) * tags * _NUMBER
    if size > room:
        return None
    order = lengths.argsort(stable=True)
    words: list[Tensor] = []
    pairs: list[Tensor] = []
    with progress("targets", len(order)) as meter, torch.no_grad():
        for ids in order.split(_CHUNK):
            target = targets_of(stores, ids, torch.device("cpu"), method, settings)
            if isinstance(target, LinearChain):
                return None
            if isinstance(target, Moments):
                if not pairs:
                    size += len(order) * tags**2 * _NUMBER
                if size > room:
                    return None
                pairs.append(target.pairs)
                target = target.unary
            words.append(target[length_mask(lengths[ids], target.shape[1])])
            meter.advance(len(ids))
    row = order.argsort()
    by_word = Ragged.of(torch.cat(words), lengths[order])
    by_sentence = torch.cat(pairs) if pairs else None

    def look_up(ids: Tensor, device: torch.device) -> Target:
        unary = by_word.padded(row[ids])[0]
        target = unary if by_sentence is None else Moments(unary, by_sentence[row[ids]])
        return target.to(device)

    return look_up, size
