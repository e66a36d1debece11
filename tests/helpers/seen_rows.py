"""Which sentences a model has seen, and how often."""

import pytest

from pipeline.chain import LinearChain
from pipeline.encoding.batching import Batch
from pipeline.model.chain_tagger import ChainTagger


def seen_rows(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A list to which the rows of all sentences that a model sees from now on are added."""
    rows: list[int] = []
    chain = ChainTagger.chain

    def noted(model: ChainTagger, batch: Batch) -> LinearChain:
        rows.extend(batch.ids.tolist())
        return chain(model, batch)

    monkeypatch.setattr(ChainTagger, "chain", noted)
    return rows
