"""BERT-base's shape, with room for the corpus."""

from dataclasses import replace

import torch

from pipeline.encoding.batching import Batches
from pipeline.timing.shapes import BERT_BASE_LAYERS, bert_base


def test_bert_base_has_the_papers_shape_and_room_for_the_corpus(batches: Batches) -> None:
    with torch.device("meta"):
        live = bert_base(batches.encoded)
        student = bert_base(batches.encoded, layers=BERT_BASE_LAYERS, dropout=0.2)
    assert (live.encoder.config.num_hidden_layers, student.encoder.config.num_hidden_layers) == (12, 3)
    assert live.encoder.config.hidden_size == student.encoder.config.hidden_size == 768
    assert live.encoder.config.vocab_size == 30_522
    assert live.encoder.config.max_position_embeddings == 512
    assert student.dropout.p == 0.2
    assert live.tag_set == batches.encoded.tag_set


def test_bert_base_grows_to_a_larger_vocabulary(batches: Batches) -> None:
    pieces = batches.encoded.pieces.in_memory()
    pieces.values[0] = 40_000
    with torch.device("meta"):
        grown = bert_base(replace(batches.encoded, pieces=pieces), layers=1)
    assert grown.encoder.config.vocab_size == 40_001
