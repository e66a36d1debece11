"""Words cut into word pieces, once per corpus; what follows needs no tokenizer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor

from pipeline.corpora.tagging import Sentence, TagSet
from pipeline.encoding.input_layout import InputLayout
from pipeline.storage.ragged import Ragged, Rows


@dataclass(frozen=True)
class Encoded:
    """S sentences as pieces.

    pieces: the pieces of each sentence, without prefix and suffix.
    first: for every word, the position of its first piece in the sentence; as many as there are words.
    tags: ids in `tag_set` for every word, -1 for a tag that only this split has; None for unlabelled text.
    """

    pieces: Rows
    first: Rows
    tags: Rows | None
    tag_set: TagSet
    layout: InputLayout

    def __len__(self) -> int:
        return len(self.first)

    @property
    def lengths(self) -> Tensor:
        """Words of each sentence [S]."""
        return self.first.lengths


def encode(sentences: Sequence[Sentence], tokenizer: Any, layout: InputLayout) -> pa.Table:
    """`encode_words` of sentences."""
    words = pa.array([sentence.words for sentence in sentences], pa.list_(pa.string()))
    tags = pa.array([sentence.tags for sentence in sentences], pa.list_(pa.string()))
    return encode_words(words, tokenizer, layout, tags)


def encode_words(
    words: pa.ListArray, tokenizer: Any, layout: InputLayout, tags: pa.ListArray | None = None
) -> pa.Table:
    """Cut every word into pieces: a table of `words`, `tags` (null if unlabelled), `pieces` and `first`.

    Each distinct word is tokenized once, alone, which is what tokenizers do with split input. A word that
    yields no piece (a lone control character) becomes [UNK], so that no tag shifts.
    """
    distinct = pc.unique(words.flatten())
    ids = []  # tokenizers take no empty list
    if len(distinct):
        # verbose would warn of a word longer than the encoder's window; sentences are cut into windows.
        cut = tokenizer(
            distinct.to_pylist(), add_special_tokens=False, return_attention_mask=False, verbose=False
        )
        ids = cut["input_ids"]
    by_word = Ragged.of(
        torch.tensor([piece for word in ids for piece in word or [layout.unknown]], dtype=torch.int32),
        torch.tensor([max(1, len(word)) for word in ids], dtype=torch.int64),
    )
    rows = torch.from_numpy(
        pc.index_in(words.flatten(), distinct).to_numpy(zero_copy_only=False).astype(np.int64)
    )
    running = by_word.take(rows)
    word_offsets = torch.from_numpy(words.offsets.to_numpy().astype(np.int64))
    before = running.offsets  # pieces before each word, over all sentences
    piece_offsets = before[word_offsets]
    first = before[:-1] - piece_offsets[:-1].repeat_interleave(word_offsets.diff())
    return pa.table(
        {
            "words": words,
            "tags": pa.nulls(len(words), pa.list_(pa.string())) if tags is None else tags,
            "pieces": _lists(piece_offsets, running.values),
            "first": _lists(word_offsets, first),
        }
    )


def as_tensors(table: pa.Table, tag_set: TagSet, layout: InputLayout) -> Encoded:
    """The table that `encode` gave, as the batches read it."""
    tags = table["tags"].combine_chunks()
    return Encoded(
        pieces=_ragged(table["pieces"].combine_chunks()),
        first=_ragged(table["first"].combine_chunks()),
        tags=None if tags.null_count else _ragged(tags, pa.array(tag_set.tags)),
        tag_set=tag_set,
        layout=layout,
    )


def _lists(offsets: Tensor, values: Tensor) -> pa.ListArray:
    return pa.ListArray.from_arrays(offsets.to(torch.int32).numpy(), values.to(torch.int32).numpy())


def _ragged(column: pa.ListArray, names: pa.Array | None = None) -> Ragged:
    """A list column as a ragged int64 tensor; strings become their index in `names`, or -1."""
    values = column.flatten()
    if names is not None:
        values = pc.fill_null(pc.index_in(values, names), -1)
    lengths = column.value_lengths().to_numpy().astype(np.int64)
    return Ragged.of(torch.from_numpy(values.to_numpy().astype(np.int64)), torch.from_numpy(lengths))
