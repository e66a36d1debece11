"""Sentences of any number as one sequence: a few are held in memory, many stay in a file."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import overload

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.corpora.tagging import Sentence

IN_MEMORY = 50_000
"""Up to so many sentences are held in memory; a longer sequence lies in a file as a whole."""

ROWS = 10_000  # sentences of a row group, which is what is held while the file is read or written
_STRINGS = pa.list_(pa.string())
_SCHEMA = pa.schema([pa.field("words", _STRINGS, nullable=False), pa.field("tags", _STRINGS)])


def stored(sentences: Iterable[Sentence], path: Path) -> Sequence[Sentence]:
    """All of the sentences, in the file `path` if they are more than IN_MEMORY."""
    rest = iter(sentences)
    first = list(islice(rest, IN_MEMORY + 1))
    if len(first) <= IN_MEMORY:
        return first
    count = 0
    with pq.ParquetWriter(path, _SCHEMA, compression="zstd") as writer:
        for some in groups(chain(_emptied(first), rest)):
            columns = [[one.words for one in some], [one.tags for one in some]]
            writer.write_table(pa.table([pa.array(column, _STRINGS) for column in columns], schema=_SCHEMA))
            count += len(some)
    return StoredSentences(path, 0, count)


def groups(sentences: Iterable[Sentence]) -> Iterator[list[Sentence]]:
    """The sentences, ROWS at a time; at least one group, which is empty without any."""
    rest = iter(sentences)
    group = list(islice(rest, ROWS))
    while True:
        yield group
        if not (group := list(islice(rest, ROWS))):
            return


class StoredSentences(Sequence[Sentence]):
    """Sentences of a file that `stored` wrote, read again by each pass over them."""

    def __init__(self, path: Path, start: int, stop: int) -> None:
        """Take the sentences `start` to `stop` of the file."""
        self._path, self._start, self._stop = path, start, stop

    def __len__(self) -> int:
        """How many sentences there are."""
        return self._stop - self._start

    def __iter__(self) -> Iterator[Sentence]:
        """Read them, a row group at a time."""
        with pq.ParquetFile(self._path) as file:
            for group in range(self._start // ROWS, -(-self._stop // ROWS)):
                table = file.read_row_group(group, use_threads=False)
                first = group * ROWS
                table = table[max(self._start - first, 0) : self._stop - first]
                rows = zip(table["words"].to_pylist(), table["tags"].to_pylist(), strict=True)
                yield from (Sentence(tuple(words), tags and tuple(tags)) for words, tags in rows)

    @overload
    def __getitem__(self, place: int) -> Sentence: ...

    @overload
    def __getitem__(self, place: slice) -> "StoredSentences": ...

    def __getitem__(self, place: int | slice) -> "Sentence | StoredSentences":
        """A sentence, or several that follow each other."""
        if isinstance(place, slice):
            start, stop, step = place.indices(len(self))
            if step != 1:
                raise ValueError("only sentences that follow each other")
            return StoredSentences(self._path, self._start + start, self._start + max(start, stop))
        if not -len(self) <= place < len(self):
            raise IndexError(place)
        return next(iter(self[place % len(self) :]))


def _emptied(held: list[Sentence]) -> Iterator[Sentence]:
    """The sentences, each of which the list gives up."""
    held.reverse()
    while held:
        yield held.pop()
