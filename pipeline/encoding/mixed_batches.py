"""Several sets of sentences in one training run: the folds of the labelled split, and text without tags."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from pipeline.encoding.batching import Batch, Batches


class MixedBatches:
    """Sets of sentences, shuffled together; each batch comes from one set, whose number is its `part`.

    An id is the row of a sentence in its split plus the sizes of the splits of all sets before; the ids of a
    `Batch` are rows of its own split.
    """

    def __init__(self, parts: Sequence[Batches]) -> None:
        self.parts = tuple(parts)
        sizes = torch.tensor([len(part.encoded) for part in parts])
        self._ends = sizes.cumsum(0)
        self._first = self._ends - sizes

    @property
    def sentences(self) -> int:
        """Sentences in an epoch."""
        return sum(part.sentences for part in self.parts)

    def __len__(self) -> int:
        """Batches in an epoch."""
        return sum(map(len, self.parts))

    def shuffled(self, seed: int) -> list[Tensor]:
        """Ids of all sentences in random batches of like length. The same for the same seed."""
        batches = [
            ids + first
            for part, first in zip(self.parts, self._first.tolist(), strict=True)
            for ids in part.shuffled(seed)
        ]
        generator = torch.Generator().manual_seed(seed)
        return [batches[i] for i in torch.randperm(len(batches), generator=generator).tolist()]

    def size(self, ids: Tensor) -> int:
        """Pieces of the sentences `ids` [B] together."""
        part = self._part(ids)
        return self.parts[part].size(ids - self._first[part])

    def batch(self, ids: Tensor) -> Batch:
        """Lay the sentences `ids` [B] out.

        Raises:
            ValueError: they are of two sets.
        """
        part = self._part(ids)
        return replace(self.parts[part].batch(ids - self._first[part]), part=part)

    def _part(self, ids: Tensor) -> int:
        """Which set the ids are of."""
        parts = torch.bucketize(ids, self._ends, right=True)
        if bool((parts != parts[0]).any()):
            raise ValueError("a batch holds sentences of two sets")
        return int(parts[0])
