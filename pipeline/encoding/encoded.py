"""Words cut into word pieces, once per corpus, and stored on disk; what follows needs no tokenizer.

A split is two files: words and tags as Parquet, for evaluation, and what batches are made of as safetensors,
of which no more is read than a batch needs, so that memory does not grow with the corpus.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from itertools import chain
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import torch
from torch import Tensor

from pipeline.corpora.tagging import Sentence, TagSet
from pipeline.errors import UserError
from pipeline.storage.integer_writer import integer_writer
from pipeline.storage.ragged import Ragged, Rows
from pipeline.storage.ragged_file import UNREADABLE, StoredRagged, stored_integers

_METADATA = b"encoded"
_SENTENCES = 512  # that `read_sentences` reads at a time
_DTYPES = {
    "pieces": "int32",
    "piece_offsets": "int64",
    "first": "int32",
    "word_offsets": "int64",
    "tags": "int32",
}


@dataclass(frozen=True)
class InputLayout:
    """What of a tokenizer the layout of the encoder's input depends on.

    prefix, suffix: ids that every input starts and ends with, as [CLS] and [SEP].
    pad, unknown: ids of [PAD] and [UNK].
    window: pieces that one input may have, prefix and suffix included.
    overlap: pieces that neighbouring windows of a longer sentence share.
    identity: SHA-256 of the tokenizer.
    """

    prefix: tuple[int, ...]
    suffix: tuple[int, ...]
    pad: int
    unknown: int
    window: int
    overlap: int
    identity: str

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """The layout that was stored as JSON of its `dataclasses.asdict`.

        Raises:
            ValueError: `value` is no such object.
        """
        names = {field.name for field in fields(cls)}
        if not isinstance(value, dict) or value.keys() != names or not isinstance(value["identity"], str):
            raise ValueError("the input layout is damaged")
        ids = [value["prefix"], value["suffix"], [value[name] for name in ("pad", "unknown")]]
        sizes = [value["window"], value["overlap"]]
        if not all(isinstance(part, list) and all(map(_is_count, part)) for part in (*ids, sizes)):
            raise ValueError("the input layout is damaged")
        layout = cls(**value | {"prefix": tuple(value["prefix"]), "suffix": tuple(value["suffix"])})
        if layout.capacity < 1 or layout.overlap * 2 > layout.window:
            raise ValueError("the input layout has no room for text")
        return layout

    @property
    def capacity(self) -> int:
        """Pieces of text that one window holds."""
        return self.window - len(self.prefix) - len(self.suffix)


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


def save(tables: Iterator[pa.Table], path: Path, tag_set: TagSet, layout: InputLayout) -> None:
    """Write what `encode` gave: words and tags to the Parquet file `path`, numbers to a file beside it.

    The tag set, the layout and the hash of the words stand in the metadata of the Parquet file.

    Args:
        tables: one or more, of which one is held at a time; all their sentences have tags, or none has.
        path: the file to write.
        tag_set: of the split.
        layout: of the encoder's input.
    """
    facts = {"tag_set": tag_set.to_json(), "layout": asdict(layout)}
    schema = pa.schema([(name, pa.list_(pa.string())) for name in ("words", "tags")])
    table = next(tables)
    tagged = not table["tags"].null_count
    dtypes = _DTYPES if tagged else {name: dtype for name, dtype in _DTYPES.items() if name != "tags"}
    digest = WordsDigest()
    with (
        pq.ParquetWriter(path, schema, compression="zstd") as words,
        integer_writer(_numbers(path), dtypes) as numbers,
    ):
        numbers.add(piece_offsets=np.zeros(1), word_offsets=np.zeros(1))
        piece_end = word_end = 0
        for part in chain([table], tables):
            words.write_table(part.select(["words", "tags"]).replace_schema_metadata(None))
            digest.update(part["words"])
            encoded = as_tensors(part, tag_set, layout)
            pieces, first = encoded.pieces.in_memory(), encoded.first.in_memory()
            numbers.add(
                pieces=pieces.values.numpy(),
                piece_offsets=pieces.offsets[1:].numpy() + piece_end,
                first=first.values.numpy(),
                word_offsets=first.offsets[1:].numpy() + word_end,
            )
            if encoded.tags is not None:
                numbers.add(tags=encoded.tags.in_memory().values.numpy())
            piece_end, word_end = piece_end + len(pieces.values), word_end + len(first.values)
        words.add_key_value_metadata({_METADATA: json.dumps(facts | {"words": digest.hex()})})


def load(path: Path) -> Encoded:
    """Open a split that `save` wrote; its numbers are int32, and stay on disk.

    Raises:
        UserError: the file is not such a split.
    """
    with _reading(path):
        header = _header(path)
        numbers = stored_integers(_numbers(path))
        pieces = StoredRagged(numbers["pieces"], numbers["piece_offsets"])
        first = StoredRagged(numbers["first"], numbers["word_offsets"])
        tags = StoredRagged(numbers["tags"], numbers["word_offsets"]) if "tags" in numbers else None
        tag_set, layout = TagSet.from_json(header["tag_set"]), InputLayout.from_json(header["layout"])
    return Encoded(pieces=pieces, first=first, tags=tags, tag_set=tag_set, layout=layout)


class WordsDigest:
    """SHA-256 of sentences of words, however they are cut into tables."""

    def __init__(self) -> None:
        self._parts = hashlib.sha256(), hashlib.sha256(), hashlib.sha256()

    def update(self, words: pa.ChunkedArray) -> None:
        """Add sentences, a column of lists of strings."""
        sentences, lengths, text = self._parts
        for chunk in words.chunks:
            flat = chunk.flatten()
            sentences.update(chunk.value_lengths().cast(pa.int64()).to_numpy(zero_copy_only=False).tobytes())
            lengths.update(pc.binary_length(flat).cast(pa.int64()).to_numpy(zero_copy_only=False).tobytes())
            text.update("".join(flat.to_pylist()).encode())

    def hex(self) -> str:
        """The digest of all sentences so far."""
        return hashlib.sha256(b"".join(part.digest() for part in self._parts)).hexdigest()


def read_words_digest(path: Path) -> str:
    """The `WordsDigest` of a split that `save` wrote: the same for every tokenizer.

    Raises:
        UserError: the file is no such split.
    """
    with _reading(path):
        return str(_header(path)["words"])


def read_sentences(path: Path) -> Iterator[Sentence]:
    """The words and tags of a split that `save` wrote; some hundred sentences are in memory at a time."""
    with pq.ParquetFile(path, pre_buffer=False) as file:
        for some in file.iter_batches(_SENTENCES, columns=["words", "tags"], use_threads=False):
            for words, tags in zip(some["words"].to_pylist(), some["tags"].to_pylist(), strict=True):
                yield Sentence(tuple(words), tags and tuple(tags))


def read_words(path: Path) -> list[list[str]]:
    """The words of a split that `save` wrote."""
    words: list[list[str]] = pq.read_table(path, columns=["words"])["words"].to_pylist()
    return words


def read_tags(path: Path) -> list[list[str]]:
    """The gold tags of a split that `save` wrote, as strings: for evaluation."""
    tags: list[list[str]] = pq.read_table(path, columns=["tags"])["tags"].to_pylist()
    return tags


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Raise UserError for what a file that is no encoded split makes libraries raise."""
    try:
        yield
    except (*UNREADABLE, pa.ArrowException) as error:
        raise UserError(f"{path}: not an encoded split ({error}); run `dvc repro prepare`") from None


def _header(path: Path) -> Any:
    """What `save` wrote into the metadata of the Parquet file."""
    return json.loads(pq.read_metadata(path).metadata[_METADATA])


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _numbers(path: Path) -> Path:
    return path.with_suffix(".safetensors")


def _lists(offsets: Tensor, values: Tensor) -> pa.ListArray:
    return pa.ListArray.from_arrays(offsets.to(torch.int32).numpy(), values.to(torch.int32).numpy())


def _ragged(column: pa.ListArray, names: pa.Array | None = None) -> Ragged:
    """A list column as a ragged int64 tensor; strings become their index in `names`, or -1."""
    values = column.flatten()
    if names is not None:
        values = pc.fill_null(pc.index_in(values, names), -1)
    lengths = column.value_lengths().to_numpy().astype(np.int64)
    return Ragged.of(torch.from_numpy(values.to_numpy().astype(np.int64)), torch.from_numpy(lengths))
