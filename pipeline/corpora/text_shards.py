"""Unlabelled sentences on disk: words in Parquet shards, written and read some thousand at a time."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.corpora.tagging import Words
from pipeline.errors import UserError, one_line

ROWS = 10_000
"""Sentences of a row group, which is what a writer and a reader hold in memory."""

GROUPS = 100  # row groups of a shard
_SCHEMA = pa.schema([pa.field("words", pa.list_(pa.string()), nullable=False)])


def write_shards(groups: Iterable[Sequence[Words]], folder: Path) -> None:
    """Write `text-00000.parquet`, … to `folder`; each of `groups` becomes a row group."""
    with ExitStack() as shard:
        for number, group in enumerate(groups):
            if number % GROUPS == 0:
                shard.close()
                path = folder / f"text-{number // GROUPS:05d}.parquet"
                writer = shard.enter_context(pq.ParquetWriter(path, _SCHEMA, compression="zstd"))
            writer.write_table(pa.table([pa.array(group, _SCHEMA.field(0).type)], schema=_SCHEMA))


def read_shards(folder: Path) -> Iterator[pa.ListArray]:
    """The words of the sentences that `write_shards` wrote, one row group at a time.

    Raises:
        UserError: a file is no such shard.
    """
    for path in sorted(folder.glob("*.parquet")):
        try:
            with pq.ParquetFile(path) as file:
                for group in range(file.num_row_groups):
                    yield file.read_row_group(group, use_threads=False)["words"].combine_chunks()
        except (pa.ArrowException, OSError, KeyError) as error:
            raise UserError(f"{path}: cannot be read ({one_line(error)}); run `dvc repro text`") from None
