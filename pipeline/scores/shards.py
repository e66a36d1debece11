"""One Parquet file of the score store: its columns, its metadata, and where its numbers lie.

Columns: `id` (row of the sentence in the encoded corpus), `length` (words), `emissions` (length·N numbers,
word after word). Everything else stands as JSON in the file's metadata.

Emissions are stored plain and a row group is one page, so Parquet keeps the numbers of a row group as one run
of bytes at the end of its column. `ScoreStore` reads them from there; `Shard.row_groups` makes sure that it
may. `benchmarks/store.py` measures what that costs against compression.
"""

import base64
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

from pipeline.errors import UserError
from pipeline.storage.open_file import OpenFile

FORMAT = 2
DTYPES = {"float32": "<f4", "float16": "<f2"}
_KEY = "score_store"

Integers = npt.NDArray[np.int64]
Numbers = npt.NDArray[Any]


class RowGroup(NamedTuple):
    """S sentences as one row group holds them: ids [S], lengths [S] in words, emissions [words, N]."""

    ids: Integers
    lengths: Integers
    emissions: Numbers


@dataclass(frozen=True)
class Origin:
    """What the scores of a store were made from.

    tags: their names, in the order of the columns.
    teacher: SHA-256 of its weights; of its folder where it converts labels, as other types have the same
        weights; of the imported files.
    words: `encoded.WordsDigest` of the split.
    tokenizer: the identity of the one that cut the words for the teacher; "none" for imported scores.
    split: its name, and the fold if the store holds one alone.
    """

    tags: tuple[str, ...]
    teacher: str
    words: str
    tokenizer: str
    split: str = "train"


class ChainParameters(NamedTuple):
    """The teacher's CRF in float32: transitions [N, N] (row previous, column current), start [N], end [N]."""

    transitions: Tensor
    start: Tensor
    end: Tensor


@dataclass(frozen=True)
class Header:
    """What every shard of a store says alike."""

    origin: Origin
    parameters: ChainParameters
    dtype: str
    sentences: int
    shards: int

    def __post_init__(self) -> None:
        """Raise ValueError where the parts contradict each other."""
        tags = len(self.origin.tags)
        for name, value in self.parameters._asdict().items():
            shape = (tags, tags) if name == "transitions" else (tags,)
            if value.shape != shape or value.dtype != torch.float32:
                raise ValueError(
                    f"{name} is {value.dtype} {tuple(value.shape)}, {tags} tags need float32 {shape}"
                )
            if not value.isfinite().all():
                raise ValueError(f"{name} hold NaN or inf")
        if self.dtype not in DTYPES:
            raise ValueError(f"dtype {self.dtype!r} is not one of {', '.join(DTYPES)}")

    def as_json(self) -> dict[str, Any]:
        """Plain values; float32 as base64 of little-endian bytes, so that no bit is lost."""
        parameters = {
            name: base64.b64encode(value.detach().cpu().numpy().astype("<f4").tobytes()).decode()
            for name, value in self.parameters._asdict().items()
        }
        plain = {"dtype": self.dtype, "sentences": self.sentences, "shards": self.shards}
        return {
            "format": FORMAT,
            **asdict(self.origin),
            "tags": list(self.origin.tags),
            **plain,
            **parameters,
        }

    @classmethod
    def of_json(cls, plain: dict[str, Any]) -> "Header":
        """Inverse of `as_json`; raises KeyError, TypeError or ValueError on anything else."""
        origin = Origin(**{**{f.name: plain[f.name] for f in fields(Origin)}, "tags": tuple(plain["tags"])})
        flat = {
            name: np.frombuffer(base64.b64decode(plain[name], validate=True), "<f4").astype(np.float32)
            for name in ChainParameters._fields
        }
        flat["transitions"] = flat["transitions"].reshape(len(origin.tags), -1)
        parameters = ChainParameters(**{name: torch.from_numpy(value) for name, value in flat.items()})
        return cls(origin, parameters, plain["dtype"], int(plain["sentences"]), int(plain["shards"]))


def shard_name(number: int, shards: int) -> str:
    """File name of shard `number` (from 0) out of `shards`."""
    return f"scores-{number:05d}-of-{shards:05d}.parquet"


def write_shard(path: Path, header: Header, number: int, groups: Iterable[RowGroup]) -> None:
    """Write one shard; memory holds one of its row groups at a time."""
    schema = _schema(header.dtype)
    with pq.ParquetWriter(
        path,
        schema,
        compression="none",
        use_dictionary=False,
        write_statistics=False,
        store_schema=False,
        data_page_size=1 << 30,
        max_rows_per_page=1 << 30,
    ) as writer:
        writer.add_key_value_metadata({_KEY: json.dumps({**header.as_json(), "shard": number})})
        for ids, lengths, emissions in groups:
            offsets = np.zeros(len(ids) + 1, np.int32)
            np.cumsum(lengths * emissions.shape[1], out=offsets[1:])
            flat = pa.array(emissions.reshape(-1))
            lists = pa.ListArray.from_arrays(pa.array(offsets), flat, type=schema.field("emissions").type)
            columns = [pa.array(ids), pa.array(lengths.astype(np.int32)), lists]
            writer.write_table(pa.table(columns, schema=schema), row_group_size=len(ids))


class Shard:
    """A shard; its file is open only while `open_file` or `row_groups` is used.

    Attributes:
        path: the file.
        header: what it says about the whole store.
        number: which shard it says it is.
        word_bytes: bytes of one word's numbers.
    """

    def __init__(self, path: Path) -> None:
        """Read the metadata of the shard at `path`; raises UserError where it makes no sense."""
        self.path = path
        try:
            file = OpenFile(path)
            self._size, self._changed = file.size, file.changed
            schema = pq.read_schema(path)
            plain = json.loads(schema.metadata[_KEY.encode()])
            version = plain["format"]
        except (pa.ArrowException, OSError, ValueError, KeyError, TypeError):
            raise self.refusal("not a shard of a score store") from None
        if version != FORMAT:
            raise self.refusal(f"has format {version}, but this program reads format {FORMAT}")
        try:
            self.header, self.number = Header.of_json(plain), int(plain["shard"])
        except (ValueError, KeyError, TypeError) as error:
            raise self.refusal(f"its metadata is damaged ({error})") from None
        if not schema.equals(_schema(self.header.dtype)):
            raise self.refusal("its columns are not those of a score store")
        self.word_bytes = len(self.header.origin.tags) * np.dtype(DTYPES[self.header.dtype]).itemsize

    def refusal(self, why: str) -> UserError:
        """The error that says why this shard cannot be used."""
        return UserError(f"{self.path}: {why}; remove {self.path.parent} and run `dvc repro`")

    def open_file(self) -> OpenFile:
        """Open the file; raises UserError if it is gone, or is not the one whose metadata was read."""
        try:
            file = OpenFile(self.path)
        except FileNotFoundError:
            raise self.refusal("was removed while it was in use") from None
        if (file.size, file.changed) != (self._size, self._changed):
            raise self.refusal("was changed while it was in use")
        return file

    def row_groups(self) -> Iterator[tuple[RowGroup, Integers]]:
        """Read the shard one row group at a time and verify all that can be said of one alone.

        Yields:
            The row group and, for each of its sentences, the byte of the file where its numbers start.

        Raises:
            UserError: ids, lengths and numbers contradict each other, or a number is NaN or inf.
        """
        tags, sentences = len(self.header.origin.tags), self.header.sentences
        stored = self.open_file()
        with pq.ParquetFile(self.path, pre_buffer=False) as file:
            for group in range(file.num_row_groups):
                try:
                    table = file.read_row_group(group, use_threads=False)
                except (pa.ArrowException, OSError) as error:
                    raise self.refusal(f"cannot be read ({error})") from None
                ids = table.column("id").to_numpy()
                lengths = table.column("length").to_numpy().astype(np.int64)
                lists = table.column("emissions").combine_chunks()
                values, offsets = lists.flatten().to_numpy(), lists.offsets.to_numpy().astype(np.int64)
                if ids.min() < 0 or ids.max() >= sentences:
                    raise self.refusal(f"holds an id outside 0 … {sentences - 1}")
                if lengths.min() < 1 or not np.array_equal(np.diff(offsets), lengths * tags):
                    raise self.refusal("its lengths and emissions contradict each other")
                bad = first_not_finite(values, lengths, tags)
                if bad is not None:
                    raise self.refusal(f"sentence {ids[bad]} holds NaN or inf")
                column = file.metadata.row_group(group).column(2)
                start = column.data_page_offset + column.total_compressed_size - values.nbytes
                if stored.read(start, values.nbytes) != values.tobytes():
                    raise self.refusal("its numbers are not stored plain")
                starts = start + (offsets[:-1] - offsets[0]) * values.itemsize
                yield RowGroup(ids, lengths, values.reshape(-1, tags)), starts


def first_not_finite(values: Numbers, lengths: Integers, tags: int) -> int | None:
    """Index of the first sentence that holds NaN or inf, or None; values are flat, lengths [S] in words."""
    finite = np.isfinite(values)
    if finite.all():
        return None
    return int(np.searchsorted(np.cumsum(lengths) * tags, int(finite.argmin()), side="right"))


def _schema(dtype: str) -> pa.Schema:
    number = pa.field("element", pa.from_numpy_dtype(np.dtype(DTYPES[dtype])), nullable=False)
    columns = {"id": pa.int64(), "length": pa.int32(), "emissions": pa.list_(number)}
    return pa.schema([pa.field(name, kind, nullable=False) for name, kind in columns.items()])


def repeated(ids: Integers) -> Integers:
    """The ids that are there more than once."""
    ordered = np.sort(ids)
    return ordered[1:][ordered[1:] == ordered[:-1]]
