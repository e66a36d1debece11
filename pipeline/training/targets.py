"""What a method keeps of the teacher for every sentence, computed from the score store."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

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

TABLE_BYTES = 256 << 20
"""Bytes of all tables together. What has no room is computed whenever a batch asks for it."""

_CHUNK = 256  # sentences whose targets are computed together, at most
_CHUNK_WORDS = _CHUNK * 128  # of these sentences, each padded to the longest
_BYTES_PER_NUMBER = 4


class TargetSource(Protocol):
    """What gives the targets of a batch, in two halves: a worker may fetch ahead of the step."""

    def fetch(self, ids: Tensor) -> Any:
        """What the targets of the sentences in rows `ids` [B] of their split are computed from."""

    def compute(self, inputs: Any) -> Target:
        """The targets from what `fetch` gave, on the device on which that is by now."""


class PartScores(NamedTuple):
    """The teachers' scores of one part of the training sentences (see `MixedBatches`).

    stores: of the same n sentences, one by each teacher.
    rows: [n] of these sentences in their split, ascending; None: all of it.
    """

    stores: tuple[ScoreStore, ...]
    rows: Tensor | None = None

    def places(self, ids: Tensor) -> Tensor:
        """The ids in the stores of rows `ids` [B] of the split."""
        return ids if self.rows is None else torch.searchsorted(self.rows, ids)


def teacher_chains(store: ScoreStore, ids: Tensor) -> LinearChain:
    """The teacher's chains of the sentences `ids` [B], as stored: emissions [B, L, N] float32.

    Raises:
        UserError, OSError: see `ScoreStore.words`.
    """
    emissions, lengths = store.batch(ids)
    return LinearChain(emissions, *store.parameters, lengths)


def targets_of_teachers(chains: Sequence[LinearChain], method: Method, settings: Settings) -> Target:
    """The method's targets of some sentences, as a mean over the teachers' `chains`."""
    return mean_target([method.targets(chain, settings) for chain in chains])


def target_sources(scores: Sequence[PartScores], method: Method, settings: Settings) -> list[TargetSource]:
    """What gives the targets of a batch of each part.

    The targets of a part are computed here, once, and kept in a table, if it fits into TABLE_BYTES beside
    those of the parts before: W·N numbers for W words where a target is one tensor per word, and S·N² more
    for S sentences where it is moments. Else, and where targets are the chains themselves (method
    `efficient`), they come from the store whenever they are asked for, so that memory does not grow with the
    sentences. The last bits of a target depend on which sentences are computed together.
    """
    found: list[TargetSource] = []
    room = TABLE_BYTES
    for part in scores:
        table = _table(part, method, settings, room)
        found.append(_Computed(part, method, settings) if table is None else table)
        room -= 0 if table is None else table.nbytes
    return found


class _Computed:
    """Targets that are computed in the step, from the teachers' chains."""

    def __init__(self, part: PartScores, method: Method, settings: Settings) -> None:
        self._part, self._method, self._settings = part, method, settings

    def fetch(self, ids: Tensor) -> tuple[LinearChain, ...]:
        """The teachers' chains."""
        places = self._part.places(ids)
        return tuple(teacher_chains(store, places) for store in self._part.stores)

    @torch.no_grad()
    def compute(self, inputs: tuple[LinearChain, ...]) -> Target:
        """See TargetSource."""
        return targets_of_teachers(inputs, self._method, self._settings)


class _Table:
    """Targets that were computed at the start of the run.

    part: of which sentences.
    row: [S] where each sentence of the store stands in the table.
    words: what is kept of each word.
    pairs: [S, N, N] of each sentence's pairs, if anything.
    """

    def __init__(self, part: PartScores, row: Tensor, words: Ragged, pairs: Tensor | None) -> None:
        self._part, self._row, self._words, self._pairs = part, row, words, pairs
        self.nbytes = words.values.nbytes + (0 if pairs is None else pairs.nbytes)

    def fetch(self, ids: Tensor) -> Target:
        """The targets."""
        rows = self._row[self._part.places(ids)]
        unary = self._words.padded(rows)[0]
        return unary if self._pairs is None else Moments(unary, self._pairs[rows])

    def compute(self, inputs: Target) -> Target:
        """See TargetSource."""
        return inputs


def _chunks(order: Tensor, lengths: Tensor) -> Iterator[Tensor]:
    """`order` [S] in pieces whose targets are computed together; `lengths` [S] ascend."""
    start = 0
    while start < len(order):
        longest = int(lengths[min(start + _CHUNK, len(order)) - 1])
        size = max(1, min(_CHUNK, _CHUNK_WORDS // max(1, longest)))
        yield order[start : start + size]
        start += size


def _table(part: PartScores, method: Method, settings: Settings, room: int) -> _Table | None:
    """The table of a part; None if it has more than `room` bytes, or targets are chains."""
    stores, lengths = part.stores, part.stores[0].lengths
    tags = len(stores[0].tags)
    size = int(lengths.sum()) * tags * _BYTES_PER_NUMBER
    if size > room:
        return None
    order = lengths.argsort(stable=True)
    words: list[Tensor] = []
    pairs: list[Tensor] = []
    with progress("targets", len(order)) as meter, torch.no_grad():
        for ids in _chunks(order, lengths[order]):
            target = targets_of_teachers([teacher_chains(store, ids) for store in stores], method, settings)
            if isinstance(target, LinearChain):
                return None
            if isinstance(target, Moments):
                if not pairs:
                    size += len(order) * tags**2 * _BYTES_PER_NUMBER
                if size > room:
                    return None
                pairs.append(target.pairs)
                target = target.unary
            words.append(target[length_mask(lengths[ids], target.shape[1])])
            meter.advance(len(ids))
    by_word = Ragged.of(torch.cat(words), lengths[order])
    return _Table(part, order.argsort(), by_word, torch.cat(pairs) if pairs else None)
