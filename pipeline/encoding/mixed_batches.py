"""The parts of a run's training sentences: the folds of the labelled split, and unlabelled text."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import count

import torch
from torch import Tensor

from pipeline.encoding.batch_order import MixedOrder
from pipeline.encoding.batching import Batch, Batches
from pipeline.encoding.passes import passes


class MixedBatches:
    """Parts of the training sentences, shuffled together; a batch comes from one part, whose number it has.

    An id is the row of a sentence in its split plus the sizes of the splits of all parts before; the ids of a
    `Batch` are rows of its own split.
    """

    def __init__(self, parts: Sequence[Batches]) -> None:
        self.parts = tuple(parts)
        sizes = torch.tensor([len(part.encoded) for part in parts])
        self._ends = sizes.cumsum(0)
        self._first = self._ends - sizes

    def __len__(self) -> int:
        """Batches in an epoch."""
        return sum(map(len, self.parts))

    def shuffled(self, seed: int) -> MixedOrder:
        """Ids of all sentences in random batches of like length. The same for the same seed."""
        parts = [part.shuffled(seed) for part in self.parts]
        generator = torch.Generator().manual_seed(seed)
        return MixedOrder(parts, self._first.tolist(), torch.randperm(len(self), generator=generator))

    def stream(self, seed: int, start: int) -> Iterator[Tensor]:
        """See passes."""
        return passes(self, seed, start)

    def count_pieces(self, ids: Tensor) -> int:
        """Pieces of the sentences `ids` [B] together."""
        part = self._part(ids)
        return self.parts[part].count_pieces(ids - self._first[part])

    def collate(self, ids: Tensor) -> Batch:
        """Lay the sentences `ids` [B] out.

        Raises:
            ValueError: they are of two parts.
        """
        part = self._part(ids)
        return replace(self.parts[part].collate(ids - self._first[part]), part=part)

    def _part(self, ids: Tensor) -> int:
        """The number of the part that the ids are of."""
        parts = torch.bucketize(ids, self._ends, right=True)
        if bool((parts != parts[0]).any()):
            raise ValueError("a batch holds sentences of two parts")
        return int(parts[0])


class LabelledShareBatches(MixedBatches):
    """Labelled sentences and text, in a stream with a stated share of labelled batches."""

    def __init__(self, parts: Sequence[Batches], share: float) -> None:
        """Take the parts, of which the last is text, and the share of batches from the others."""
        super().__init__(parts)
        self._labelled = MixedBatches(parts[:-1])
        self._share = Fraction(repr(share))  # as 100 · 0.29 is below 29 in floating point

    def stream(self, seed: int, start: int) -> Iterator[Tensor]:
        """Ids of the batches from number `start` on; of the first n batches, ⌊n · share⌋ are labelled.

        Labelled sentences and text are each gone through in passes of their own.
        """
        before = int(start * self._share)
        labelled = self._labelled.stream(seed, before)
        text = self.parts[-1].stream(seed, start - before)
        for number in count(start):
            if int((number + 1) * self._share) > int(number * self._share):
                yield next(labelled)
            else:
                yield next(text) + self._first[-1]
