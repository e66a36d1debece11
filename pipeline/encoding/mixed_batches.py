"""Labelled and unlabelled sentences in one training run."""

import torch
from torch import Tensor

from pipeline.encoding.batching import Batch, Batches


class MixedBatches:
    """A labelled split and an unlabelled one, shuffled together; a batch is wholly of the one or the other.

    An id below the number of labelled sentences is the row of one of these, any other that number plus the
    row of an unlabelled sentence. A batch itself carries rows of its own split, and `tags` says which that
    is: they are None in an unlabelled one alone.
    """

    def __init__(self, labelled: Batches, unlabelled: Batches) -> None:
        if labelled.encoded.tags is None or unlabelled.encoded.tags is not None:
            raise ValueError("the first split must have tags, and the second none")
        self.labelled, self.unlabelled = labelled, unlabelled

    @property
    def sentences(self) -> int:
        """Sentences in an epoch."""
        return self.labelled.sentences + self.unlabelled.sentences

    def __len__(self) -> int:
        """Batches in an epoch."""
        return len(self.labelled) + len(self.unlabelled)

    def shuffled(self, seed: int) -> list[Tensor]:
        """Ids of all sentences in random batches of like length. The same for the same seed."""
        batches = self.labelled.shuffled(seed)
        batches += [ids + self.labelled.sentences for ids in self.unlabelled.shuffled(seed)]
        generator = torch.Generator().manual_seed(seed)
        return [batches[i] for i in torch.randperm(len(batches), generator=generator).tolist()]

    def batch(self, ids: Tensor) -> Batch:
        """Lay the sentences `ids` [B] out.

        Raises:
            ValueError: they are of both splits.
        """
        beyond = ids >= self.labelled.sentences
        if bool(beyond.all()):
            return self.unlabelled.batch(ids - self.labelled.sentences)
        if bool(beyond.any()):
            raise ValueError("a batch holds labelled and unlabelled sentences")
        return self.labelled.batch(ids)
