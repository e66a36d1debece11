"""Encoded sentences → batches: length buckets, padded tensors; a long sentence is laid out in its windows."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from pipeline.device import on_device, pinned
from pipeline.encoding.batch_order import BatchOrder
from pipeline.encoding.encoded import Encoded
from pipeline.encoding.input_layout import InputLayout
from pipeline.encoding.passes import passes
from pipeline.encoding.windows import cut_windows, plan_windows
from pipeline.storage.ragged import Ragged

POOL = 64  # batches that are sorted by length together: large enough to pad little, small enough to mix
_SENTENCES_AT_ONCE = 1 << 20  # that are looked at together
_LONG_SENTENCES_AT_ONCE = 1 << 12  # of several windows, that are read together


@dataclass(frozen=True, eq=False)
class Batch:
    """B sentences, laid out as V ≥ B encoder inputs of P pieces.

    ids: [B] row of each sentence in its split.
    input_ids, attention_mask: [V, P]; a sentence longer than the encoder's window has several inputs.
    word_index: [B, L] where each word's first piece stands among the V·P pieces.
    lengths: [B] words.
    tags: [B, L] tag ids, 0 at padding; None for unlabelled text.
    part: the number of the part that the batch comes from, where `MixedBatches` has several.
    at_once: inputs that are trained on together; of a sentence with more, each part is computed twice.
    unpadded: whether all inputs have P pieces, so that the encoder need not ask the mask; None: not known.
    target_inputs: what the targets are computed from, if it was looked up when the batch was laid out.
    """

    ids: Tensor
    input_ids: Tensor
    attention_mask: Tensor
    word_index: Tensor
    lengths: Tensor
    tags: Tensor | None
    part: int = 0
    at_once: int | None = None
    unpadded: bool | None = None
    target_inputs: Any = None

    def to(self, device: torch.device) -> "Batch":
        """The same batch on another device; `ids` keep theirs, which is that of the tables they index."""
        return replace(on_device(self, device), ids=self.ids)

    def pinned(self, device: torch.device) -> "Batch":
        """The same batch in memory from which it gets to `device` without a wait."""
        return replace(pinned(self, device), ids=self.ids)


class Batches:
    """A split, ready to be cut into batches of up to `batch_size` sentences.

    Sentences of several windows make batches of their own, the same in every epoch: of up to `batch_size`
    windows, or of one sentence if it has more, which a model reads in parts (`Batch.at_once`). All epochs
    have the same number of batches. In memory are the sizes of the sentences, four bytes each.
    """

    def __init__(self, encoded: Encoded, batch_size: int, rows: Tensor | None = None) -> None:
        """Take the split `encoded`, or of its sentences the `rows` [n] alone, in ascending order."""
        self.encoded = encoded
        self.batch_size = batch_size
        self.rows = rows
        sizes = encoded.pieces.lengths.int()
        self._sizes = sizes if rows is None else sizes[rows]
        self._capacity = encoded.layout.capacity
        self._long, self._long_starts = self._long_batches()
        self._long_count = len(self._long_starts) - 1  # batches

    def __len__(self) -> int:
        """Batches in an epoch."""
        short = self.sentences - len(self._long)
        return self._long_count + -(-short // self.batch_size)

    @property
    def sentences(self) -> int:
        """Sentences in an epoch."""
        return len(self._sizes)

    def places(self, ids: Tensor) -> Tensor:
        """Positions of the sentences `ids` [B] among those of an epoch."""
        return ids if self.rows is None else torch.searchsorted(self.rows, ids)

    def count_pieces(self, ids: Tensor) -> int:
        """Pieces of the sentences `ids` [B] together."""
        return int(self._sizes[self.places(ids)].sum())

    def in_order(self) -> Iterator[Tensor]:
        """Ids of all sentences, longest first, batch by batch: for tagging."""
        yield from BatchOrder(self._long, self._long_starts, torch.arange(self._long_count))
        rest = torch.empty(0, dtype=torch.int64)
        for size in self._sizes.bincount().nonzero().flatten().flip(0).tolist():
            if size <= self._capacity:
                same = (self._sizes == size).nonzero().flatten()
                *batches, rest = torch.cat([rest, self._ids(same)]).split(self.batch_size)
                yield from batches
        yield from self._split(rest)

    def shuffled(self, seed: int) -> BatchOrder:
        """Ids of all sentences in random batches of like length: for training. The same for the same seed."""
        generator = torch.Generator().manual_seed(seed)
        ids = torch.randperm(self.sentences, generator=generator, dtype=torch.int32)
        short = 0  # sentences of one window, which come first; all is done in place
        for some in ids.split(_SENTENCES_AT_ONCE):
            kept = some[self._sizes[some] <= self._capacity]
            ids[short : short + len(kept)] = kept
            short += len(kept)
        for pool in ids[:short].split(POOL * self.batch_size):
            pool.copy_(self._ids(pool[self._sizes[pool].argsort(stable=True)].long()))
        ids[short:] = self._long
        starts = torch.cat([torch.arange(0, short, self.batch_size), short + self._long_starts])
        order = torch.randperm(len(self), generator=generator)  # in which those of several windows are first
        return BatchOrder(ids, starts, (order - self._long_count) % len(self))

    def stream(self, seed: int, start: int) -> Iterator[Tensor]:
        """See passes."""
        return passes(self, seed, start)

    def collate(self, ids: Tensor) -> Batch:
        """Lay the sentences `ids` [B] out."""
        layout, pieces = self.encoded.layout, self.encoded.pieces.take(ids)
        first, lengths = _padded(self.encoded.first.take(ids))
        plan = plan_windows(first.long(), lengths, pieces.lengths, layout)
        sizes = plan.bounds[:, 1] - plan.bounds[:, 0]
        start = pieces.offsets[:-1].repeat_interleave(plan.counts) + plan.bounds[:, 0]
        inputs, _ = _padded(Ragged.of(pieces.slices(start, sizes), sizes))
        input_ids, attention_mask = _with_special(inputs, sizes, layout)

        row = (plan.counts.cumsum(0) - plan.counts)[:, None] + plan.word_window
        word_index = row * input_ids.shape[1] + len(layout.prefix) + plan.word_offset
        tags = None if self.encoded.tags is None else _padded(self.encoded.tags.take(ids))[0].long()
        return Batch(
            ids,
            input_ids,
            attention_mask,
            word_index,
            lengths,
            tags,
            at_once=self.batch_size,
            unpadded=bool(attention_mask.all()),
        )

    def _ids(self, places: Tensor) -> Tensor:
        """The inverse of `places`."""
        return places if self.rows is None else self.rows[places]

    def _split(self, order: Tensor) -> list[Tensor]:
        return list(order.split(self.batch_size)) if len(order) else []

    def _long_batches(self) -> tuple[Tensor, Tensor]:
        """Ids of the sentences of several windows, int32, longest first, and where their batches start.

        The starts [B + 1] begin with 0 and end with the number of these sentences.
        """
        order = (self._sizes > self._capacity).nonzero().flatten()
        order = order[self._sizes[order].argsort(descending=True, stable=True)]
        starts, room = [], 0
        for place, windows in enumerate(self._window_counts(order)):
            if windows > room:
                starts.append(place)
                room = self.batch_size
            room -= windows
        return self._ids(order).int(), torch.tensor([*starts, len(order)])

    def _window_counts(self, places: Tensor) -> Iterator[int]:
        """How many windows each of the sentences at `places` [n] has, read some at a time."""
        for some in places.split(_LONG_SENTENCES_AT_ONCE):
            first = self.encoded.first.take(self._ids(some))
            offsets, pieces = first.offsets.tolist(), first.values.tolist()
            for (start, stop), size in zip(pairwise(offsets), self._sizes[some].tolist(), strict=True):
                words = [*pieces[start:stop], size]
                yield len(cut_windows(words, self._capacity, self.encoded.layout.overlap))


def _padded(rows: Ragged) -> tuple[Tensor, Tensor]:
    """All rows [B, L] and their lengths [B]."""
    return rows.padded(torch.arange(len(rows)))


def _with_special(inputs: Tensor, sizes: Tensor, layout: InputLayout) -> tuple[Tensor, Tensor]:
    """Put prefix and suffix around pieces [V, P] of the given sizes [V], and pad: ids and attention mask."""
    before, after = len(layout.prefix), len(layout.suffix)
    rows = len(inputs)
    position = torch.arange(before + inputs.shape[1] + after)
    ids = torch.cat(
        [
            torch.tensor(layout.prefix).expand(rows, -1),
            inputs,
            torch.zeros(rows, after, dtype=inputs.dtype),
        ],
        1,
    ).to(torch.int64)
    ends = before + sizes[:, None]
    mask = position < ends + after
    for shift, piece in enumerate(layout.suffix):
        ids.scatter_(1, ends + shift, piece)
    ids[~mask] = layout.pad
    return ids, mask.to(torch.int64)
