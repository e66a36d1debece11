"""Taggers of BERT-base's shape with random weights, for epoch times at the paper's size."""

from dataclasses import asdict

from transformers import BertConfig

from pipeline.encoding.encoded import Encoded
from pipeline.model.chain_tagger import ChainTagger
from pipeline.model.tagger_config import ChainTaggerConfig
from pipeline.settings import Head

BERT_BASE_LAYERS = 3  # of the paper's student; its teacher's are BertConfig's default


def bert_base(
    encoded: Encoded, *, layers: int | None = None, dropout: float = 0.1, head: Head = "crf"
) -> ChainTagger:
    """A tagger of BERT-base's shape with random weights, for which `encoded` is in range."""
    shape = BertConfig()
    largest = int(encoded.pieces.in_memory().values.max())
    config = BertConfig(
        vocab_size=max(shape.vocab_size, largest + 1, *_special(encoded)),
        max_position_embeddings=max(shape.max_position_embeddings, encoded.layout.window),
        num_hidden_layers=layers or shape.num_hidden_layers,
    )
    layout = asdict(encoded.layout)
    tag_set = encoded.tag_set.to_json()
    return ChainTagger(ChainTaggerConfig(config.to_dict(), tag_set, layout, dropout, head))


def _special(encoded: Encoded) -> list[int]:
    """The least sizes of a vocabulary that holds the special pieces."""
    of = encoded.layout
    return [piece + 1 for piece in (*of.prefix, *of.suffix, of.pad, of.unknown)]
