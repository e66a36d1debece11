"""The score store: what a teacher says about every word of a split, as sharded Parquet.

Emissions [words, N], transitions, start and end are sufficient for every distillation method, so a sentence
of L words costs L·N numbers. Columns: `id` (row of the sentence in the encoded corpus), `length` (words),
`emissions` (length·N numbers, word after word). Everything else stands as JSON in each shard's metadata.

Emissions are stored plain: Parquet then keeps the numbers of a row group as one run of bytes, which `batch`
gathers from through a memory map, so a corpus larger than memory can be trained on. `benchmarks/store.py`
measures what that costs against compression.
"""

import base64
import itertools
import json
import math
import mmap
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
from pipeline.folder import SEAL, check, new_folder

FORMAT = 1
DTYPES = {"float32": "<f4", "float16": "<f2"}
_METADATA = "score_store"
_ROW_GROUP_BYTES = 8 << 20  # what a writer and an opening reader hold in memory at a time

Ids = npt.NDArray[np.int64]
Lengths = npt.NDArray[np.int32]
Rows = npt.NDArray[Any]


@dataclass(frozen=True)
class Origin:
    """What the scores of a store were made from: the tag names in order, content hashes, and the split."""

    tags: tuple[str, ...]
    teacher: str
    corpus: str
    tokenizer: str
    split: str = "train"


class ChainParameters(NamedTuple):
    """The teacher's CRF in float32: transitions [N, N] (row previous, column current), start [N], end [N]."""

    transitions: Tensor
    start: Tensor
    end: Tensor


def shard_name(number: int, shards: int) -> str:
    """File name of shard `number` (from 0) out of `shards`."""
    return f"scores-{number:05d}-of-{shards:05d}.parquet"


def write_scores(
    folder: Path,
    batches: Iterable[tuple[Tensor, Tensor, Tensor]],
    *,
    origin: Origin,
    parameters: ChainParameters,
    sentences: int,
    shard_sentences: int = 20_000,
    dtype: str = "float32",
) -> None:
    """Write a sealed store of `sentences` sentences, or nothing at all.

    Memory holds one batch and one row group (8 MiB), whatever the length of the corpus.

    Args:
        folder: where the store goes; an older one there is replaced when the new one is whole.
        batches: (ids [B], lengths [B], emissions [sum of lengths, N]) in any order of ids; together the
            ids are 0 … sentences − 1, each once.
        origin: what the scores were made from; N = len(origin.tags).
        parameters: the teacher's CRF.
        sentences: how many sentences will come, at least 1.
        shard_sentences: sentences in each shard but the last.
        dtype: float32 (kept to the bit) or float16 (rounded; a value outside its range is refused).

    Raises:
        UserError: NaN, inf or a value outside the dtype's range (names the sentence), or a full disk.
        ValueError: shapes, ids or the number of sentences contradict each other.
    """
    _check_parameters(parameters, len(origin.tags), str(folder))
    if sentences < 1:
        raise UserError(f"{folder}: no sentences to store; give the split at least one")
    shards = math.ceil(sentences / shard_sentences)
    head = {
        "format": FORMAT,
        **asdict(origin),
        "dtype": dtype,
        "sentences": sentences,
        "shards": shards,
        **{name: _encode(getattr(parameters, name)) for name in ChainParameters._fields},
    }
    checked = _checked(batches, sentences, len(origin.tags), dtype)
    with new_folder(folder) as aside:
        groups = _row_groups(checked, shard_sentences)
        for shard, tables in itertools.groupby(groups, key=lambda group: group[0]):
            schema = _schema(dtype)
            with pq.ParquetWriter(
                aside / shard_name(shard, shards),
                schema,
                compression="none",
                use_dictionary=False,
                write_statistics=False,
                store_schema=False,
                # One page per row group, so that its numbers are one run of bytes.
                data_page_size=1 << 30,
                max_rows_per_page=1 << 30,
            ) as writer:
                writer.add_key_value_metadata({_METADATA: json.dumps({**head, "shard": shard})})
                for _, ids, lengths, values in tables:
                    writer.write_table(_table(schema, ids, lengths, values), row_group_size=len(ids))


class ScoreStore:
    """A verified store, open for reading; its numbers stay on disk.

    Attributes:
        origin: what the scores were made from.
        parameters: the teacher's CRF, float32.
        dtype: how emissions are stored (they are always returned as float32).
        lengths: [sentences] words of each sentence, int64, by id.
    """

    origin: Origin
    parameters: ChainParameters
    dtype: str
    lengths: Tensor

    @classmethod
    def open(cls, folder: Path, *, expect: Origin | None = None) -> "ScoreStore":
        """Open the store in `folder` after reading and verifying all of it, one row group at a time.

        Raises:
            UserError: the store was made from something else than `expect` (names both values), has
                another format, or a file of it is missing, extra, truncated, altered or holds NaN or inf,
                or an id is missing or there twice.
        """
        names = sorted(name for name in check(folder) if name != SEAL)
        if not names:
            raise UserError(f"{folder}: no score store (it has no shards); run `dvc repro dump`")
        return cls(folder, [_Shard(folder / name) for name in names], expect)

    def __init__(self, folder: Path, shards: "list[_Shard]", expect: Origin | None) -> None:
        """Use `ScoreStore.open`."""
        head = shards[0].head
        for number, shard in enumerate(shards):
            shard.check_head(head, number)
        if len(shards) != head["shards"]:
            raise UserError(
                f"{folder}: {len(shards)} shards of {head['shards']}; remove it and run `dvc repro dump`"
            )
        self.origin = shards[0].origin
        self.dtype = head["dtype"]
        self.parameters = shards[0].parameters
        if expect is not None:
            _check_origin(folder, self.origin, expect)
        # A sentence's numbers start at byte `_start` of shard `_shard`.
        self._shards = shards
        self._shard = np.zeros(head["sentences"], np.int32)
        self._start = np.zeros(head["sentences"], np.int64)
        lengths = np.zeros(head["sentences"], np.int64)
        for number, shard in enumerate(shards):
            for ids, group_lengths, start in shard.verify(lengths):
                lengths[ids] = group_lengths
                self._shard[ids] = number
                self._start[ids] = start
        if not lengths.all():
            raise UserError(
                f"{folder}: sentence {int(lengths.argmin())} is missing; remove it and run `dvc repro dump`"
            )
        self.lengths = torch.from_numpy(lengths)

    @property
    def tags(self) -> tuple[str, ...]:
        """The tag names, in the order of the columns of emissions."""
        return self.origin.tags

    @property
    def sentences(self) -> int:
        """How many sentences are stored; their ids are 0 … sentences − 1."""
        return len(self.lengths)

    def words(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Return emissions [sum of lengths, N] (float32) and lengths [B] of `ids` [B], in order."""
        lengths = self.lengths[ids]
        first = torch.cumsum(lengths, 0) - lengths
        within = torch.arange(int(lengths.sum())) - torch.repeat_interleave(first, lengths)
        size = np.dtype(DTYPES[self.dtype]).itemsize * len(self.tags)
        at = np.repeat(self._start[ids.numpy()], lengths.numpy()) + within.numpy() * size
        owner = np.repeat(self._shard[ids.numpy()], lengths.numpy())
        rows = np.empty(len(at), f"V{size}")
        for number in np.unique(owner):
            mine = owner == number
            rows[mine] = self._shards[number].gather(at[mine], size)
        values = rows.view(DTYPES[self.dtype]).astype(np.float32, copy=False)
        return torch.from_numpy(values).view(-1, len(self.tags)), lengths

    def batch(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Return emissions [B, L, N] (float32, 0 behind a sentence's end) and lengths [B] of `ids` [B]."""
        values, lengths = self.words(ids)
        longest = int(lengths.max()) if len(ids) else 0
        padded = values.new_zeros(len(ids), longest, len(self.tags))
        padded[torch.arange(longest) < lengths[:, None]] = values
        return padded, lengths


class _Shard:
    """One Parquet file of a store."""

    def __init__(self, path: Path) -> None:
        """Read the metadata of the shard at `path`."""
        self.path = path
        self._map: mmap.mmap | None = None
        try:
            schema = pq.read_schema(path)
            self.head: dict[str, Any] = json.loads(schema.metadata[_METADATA.encode()])
            version = self.head["format"]
        except (pa.ArrowException, OSError, ValueError, KeyError, TypeError):
            raise self._refuse("not a shard of a score store") from None
        if version != FORMAT:
            raise self._refuse(f"has format {version}, this program reads format {FORMAT}")
        try:
            self.origin = Origin(
                **{f.name: self.head[f.name] for f in fields(Origin)} | {"tags": tuple(self.head["tags"])}
            )
            tags = len(self.origin.tags)
            self.parameters = ChainParameters(
                _decode(self.head["transitions"], (tags, tags)),
                _decode(self.head["start"], (tags,)),
                _decode(self.head["end"], (tags,)),
            )
            same = schema.equals(_schema(self.head["dtype"]))
        except (ValueError, KeyError, TypeError):
            raise self._refuse("its metadata is damaged") from None
        if not same:
            raise self._refuse("its columns are not those of a score store")
        _check_parameters(self.parameters, tags, str(path))

    def _refuse(self, why: str) -> UserError:
        return UserError(f"{self.path}: {why}; remove {self.path.parent} and run `dvc repro dump`")

    def check_head(self, head: dict[str, Any], number: int) -> None:
        """Raise UserError unless this is shard `number` of the store whose first shard has `head`."""
        if self.path.name != shard_name(number, head["shards"]) or self.head["shard"] != number:
            raise self._refuse(
                f"is shard {self.head['shard']} of {self.head['shards']}, not {number} of {head['shards']}"
            )
        for key, value in head.items():
            if key != "shard" and self.head[key] != value:
                raise self._refuse(f"{key} differs from the first shard's ({self.head[key]!r}, {value!r})")

    def verify(self, seen: npt.NDArray[np.int64]) -> Iterator[tuple[Ids, Lengths, npt.NDArray[np.int64]]]:
        """Verify every row group and yield its (ids, lengths, byte where each sentence's numbers start).

        `seen` [sentences] is not 0 where an id has been read before.
        """
        tags = len(self.origin.tags)
        with pq.ParquetFile(self.path) as file, self.path.open("rb") as raw:
            for group in range(file.num_row_groups):
                try:
                    table = file.read_row_group(group)
                except (pa.ArrowException, OSError) as error:
                    raise self._refuse(f"cannot be read ({error})") from None
                ids, lengths, values, offsets = _columns(table)
                if ids.min() < 0 or ids.max() >= len(seen):
                    raise self._refuse(f"holds an id outside 0 … {len(seen) - 1}")
                seen_twice = ids[(seen[ids] != 0) | (np.bincount(ids, minlength=len(seen))[ids] > 1)]
                if len(seen_twice):
                    raise self._refuse(f"holds sentence {seen_twice[0]}, which is there twice")
                if lengths.min() < 1 or not np.array_equal(np.diff(offsets), lengths * np.int64(tags)):
                    raise self._refuse("lengths and emissions contradict each other")
                bad = _first_bad(values, lengths, tags)
                if bad is not None:
                    raise self._refuse(f"sentence {ids[bad]} holds NaN or inf")
                column = file.metadata.row_group(group).column(2)
                start = column.data_page_offset + column.total_compressed_size - values.nbytes
                raw.seek(start)
                if raw.read(values.nbytes) != values.tobytes():
                    raise self._refuse("its numbers are not stored plain")
                yield ids, lengths, start + (offsets[:-1] - offsets[0]) * values.itemsize

    def gather(self, at: npt.NDArray[np.int64], size: int) -> Rows:
        """Return the `size` bytes at each of the byte positions `at`."""
        if self._map is None:
            with self.path.open("rb") as file:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        everywhere = np.ndarray((len(self._map) - size + 1,), f"V{size}", self._map, strides=(1,))
        return everywhere[at]


def _schema(dtype: str) -> pa.Schema:
    number = pa.field("element", pa.from_numpy_dtype(np.dtype(DTYPES[dtype])), nullable=False)
    columns = {"id": pa.int64(), "length": pa.int32(), "emissions": pa.list_(number)}
    return pa.schema([pa.field(name, kind, nullable=False) for name, kind in columns.items()])


def _table(schema: pa.Schema, ids: Ids, lengths: Lengths, values: Rows) -> pa.Table:
    """One row group; values [sum of lengths, N]."""
    offsets = np.zeros(len(ids) + 1, np.int32)
    np.cumsum(lengths * values.shape[1], out=offsets[1:])
    lists = pa.ListArray.from_arrays(
        pa.array(offsets), pa.array(values.reshape(-1)), type=schema.field(2).type
    )
    return pa.table([pa.array(ids), pa.array(lengths), lists], schema=schema)


def _columns(table: pa.Table) -> tuple[Ids, Lengths, Rows, npt.NDArray[np.int64]]:
    """Ids, lengths, flat values and list offsets of a row group, as views of the Arrow buffers."""
    lists = table.column("emissions").combine_chunks()
    return (
        table.column("id").to_numpy(),
        table.column("length").to_numpy(),
        lists.values.to_numpy(),
        lists.offsets.to_numpy().astype(np.int64),
    )


def _checked(
    batches: Iterable[tuple[Tensor, Tensor, Tensor]], sentences: int, tags: int, dtype: str
) -> Iterator[tuple[Ids, Lengths, Rows]]:
    """Yield the batches as arrays of the stored types, or raise on the first that contradicts itself."""
    seen = np.zeros(sentences, bool)
    for ids_, lengths_, emissions in batches:
        ids = ids_.cpu().numpy().astype(np.int64)
        lengths = lengths_.cpu().numpy().astype(np.int32)
        if ids.shape != lengths.shape or emissions.shape != (lengths.sum(), tags) or (lengths < 1).any():
            raise ValueError(
                f"ids {ids.shape}, lengths {lengths.shape} and emissions {tuple(emissions.shape)} contradict"
            )
        if ((ids < 0) | (ids >= sentences)).any():
            raise ValueError(f"an id is outside 0 … {sentences - 1}")
        if seen[ids].any() or len(np.unique(ids)) != len(ids):
            raise ValueError("an id came twice")
        seen[ids] = True
        exact = emissions.detach().float().cpu().numpy()
        with np.errstate(over="ignore"):
            values = exact.astype(DTYPES[dtype])
        bad = _first_bad(values.reshape(-1), lengths, tags)
        if bad is not None:
            why = (
                "NaN or inf"
                if _first_bad(exact.reshape(-1), lengths, tags) == bad
                else "a value outside float16"
            )
            raise UserError(
                f"sentence {ids[bad]}: the teacher's emissions hold {why}; train it again or dump float32"
            )
        yield ids, lengths, values
    if not seen.all():
        raise ValueError(f"{int(seen.sum())} sentences came, {sentences} were announced")


def _row_groups(
    batches: Iterable[tuple[Ids, Lengths, Rows]], shard_sentences: int
) -> Iterator[tuple[int, Ids, Lengths, Rows]]:
    """Join the batches to row groups (shard, ids, lengths, values) that never straddle two shards."""
    pending: list[tuple[Ids, Lengths, Rows]] = []
    shard, room, size = 0, shard_sentences, 0
    for ids, lengths, values in batches:
        while len(ids):
            take = min(len(ids), room)
            words = int(lengths[:take].sum())
            pending.append((ids[:take], lengths[:take], values[:words]))
            ids, lengths, values = ids[take:], lengths[take:], values[words:]
            room -= take
            size += pending[-1][2].nbytes
            if room == 0 or size >= _ROW_GROUP_BYTES:
                yield shard, *_join(pending)
                pending, size = [], 0
            if room == 0:
                shard, room = shard + 1, shard_sentences
    if pending:
        yield shard, *_join(pending)


def _join(pending: list[tuple[Ids, Lengths, Rows]]) -> tuple[Ids, Lengths, Rows]:
    ids, lengths, values = zip(*pending, strict=True)
    return np.concatenate(ids), np.concatenate(lengths), np.concatenate(values)


def _first_bad(values: Rows, lengths: Lengths, tags: int) -> int | None:
    """Index of the first sentence with NaN or inf among flat values, or None."""
    finite = np.isfinite(values)
    if finite.all():
        return None
    return int(np.searchsorted(np.cumsum(lengths, dtype=np.int64) * tags, int(finite.argmin()), side="right"))


def _check_origin(folder: Path, found: Origin, expect: Origin) -> None:
    for field in fields(Origin):
        theirs, ours = getattr(found, field.name), getattr(expect, field.name)
        if theirs != ours:
            raise UserError(
                f"{folder}: made with {field.name} {theirs!r}, but {ours!r} is asked; run `dvc repro dump`"
            )


def _check_parameters(parameters: ChainParameters, tags: int, where: str) -> None:
    for name, shape in zip(ChainParameters._fields, ((tags, tags), (tags,), (tags,)), strict=True):
        value: Tensor = getattr(parameters, name)
        if value.shape != shape:
            raise ValueError(f"{name} has shape {tuple(value.shape)}, {tags} tags need {shape}")
        if not value.isfinite().all():
            raise UserError(f"{where}: the teacher's {name} hold NaN or inf; train it again")


def _encode(value: Tensor) -> str:
    """float32 as base64 of its little-endian bytes, row by row."""
    return base64.b64encode(value.detach().cpu().numpy().astype("<f4").tobytes()).decode()


def _decode(text: str, shape: tuple[int, ...]) -> Tensor:
    data = np.frombuffer(base64.b64decode(text, validate=True), "<f4").astype(np.float32)
    return torch.from_numpy(data.reshape(shape))
