"""An encoded split on disk.

It is two files: words and tags as Parquet, for evaluation, and what batches are made of as safetensors, of
which no more is read than a batch needs, so that memory does not grow with the corpus.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.corpora.tagging import Sentence, TagSet
from pipeline.encoding.encoded import Encoded, as_tensors
from pipeline.encoding.input_layout import InputLayout
from pipeline.errors import UserError
from pipeline.storage.integer_writer import integer_writer
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
    """The words and tags of a split that `save` wrote; some hundred sentences are in memory at a time.

    Raises:
        UserError: the file is no such split.
    """
    with _reading(path), pq.ParquetFile(path, pre_buffer=False) as file:
        for some in file.iter_batches(_SENTENCES, columns=["words", "tags"], use_threads=False):
            for words, tags in zip(some["words"].to_pylist(), some["tags"].to_pylist(), strict=True):
                yield Sentence(tuple(words), tags and tuple(tags))


def read_column(path: Path, name: Literal["words", "tags"]) -> list[list[str]]:
    """The words, or the gold tags, of every sentence of a split that `save` wrote.

    The tags of unlabelled text are None: read those of labelled splits only.

    Raises:
        UserError: the file is no such split.
    """
    with _reading(path):
        column: list[list[str]] = pq.read_table(path, columns=[name])[name].to_pylist()
    return column


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


def _numbers(path: Path) -> Path:
    return path.with_suffix(".safetensors")
