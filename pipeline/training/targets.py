"""What a method keeps of the teacher for every sentence, computed from the score store."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from pipeline.chain import LinearChain, Moments
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
    """The teacher's scores of one part of the training sentences (see `MixedBatches`).

    store: of n sentences.
    rows: [n] of these sentences in their split, ascending; None: all of it.
    """

    store: ScoreStore
    rows: Tensor | None = None


def teacher_chains(store: ScoreStore, ids: Tensor) -> LinearChain:
    """The teacher's chains of the sentences `ids` [B], as stored."""
    emissions, lengths = store.batch(ids)
    return LinearChain(emissions, *store.parameters, lengths)


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
        table = _table(part.store, method, settings, room)
        if table is None:
            by_id = _computed(part.store, method, settings)
        else:
            by_id, size = table
            room -= size
        found.append(by_id if part.rows is None else _by_row(by_id, part.rows))
    return found


def _by_row(by_id: LookUp, rows: Tensor) -> LookUp:
    return lambda ids, device: by_id(torch.searchsorted(rows, ids), device)


def _computed(store: ScoreStore, method: Method, settings: Settings) -> LookUp:
    """Targets by the sentences' ids in the store, computed on the device that asks for them."""

    @torch.no_grad()
    def look_up(ids: Tensor, device: torch.device) -> Target:
        return method.targets(teacher_chains(store, ids).to(device), settings)

    return look_up


def _table(store: ScoreStore, method: Method, settings: Settings, room: int) -> tuple[LookUp, int] | None:
    """Targets by the sentences' ids in the store, computed now, and their bytes; None if they do not fit."""
    tags = len(store.tags)
    size = int(store.lengths.sum()) * tags * _NUMBER
    if size > room:
        return None
    order = store.lengths.argsort(stable=True)
    words: list[Tensor] = []
    pairs: list[Tensor] = []
    with progress("targets", len(order)) as meter, torch.no_grad():
        for ids in order.split(_CHUNK):
            chains = teacher_chains(store, ids)
            target = method.targets(chains, settings)
            if isinstance(target, LinearChain):
                return None
            if isinstance(target, Moments):
                if not pairs:
                    size += len(order) * tags**2 * _NUMBER
                if size > room:
                    return None
                pairs.append(target.pairs)
                target = target.unary
            words.append(target[chains.mask])
            meter.advance(len(ids))
    row = order.argsort()
    by_word = Ragged.of(torch.cat(words), store.lengths[order])
    by_sentence = torch.cat(pairs) if pairs else None

    def look_up(ids: Tensor, device: torch.device) -> Target:
        unary = by_word.padded(row[ids])[0]
        target = unary if by_sentence is None else Moments(unary, by_sentence[row[ids]])
        return target.to(device)

    return look_up, size
