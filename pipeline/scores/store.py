"""The score store: what a teacher says about every word of a split, as a sealed folder of Parquet shards.

Emissions [words, N], transitions, start and end are sufficient for every distillation method, so a sentence
of L words costs L·N numbers. Neither writing nor reading needs the whole of it in memory.
"""

from dataclasses import fields
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from pipeline.errors import UserError
from pipeline.scores.shards import DTYPES, ChainParameters, Header, Origin, Shard, repeated, shard_name
from pipeline.storage.ragged import Ragged
from pipeline.storage.sealed_folder import check

_OPEN_SHARDS = 32  # of a store; a process may have 256 files open on macOS, and a run several stores


class ScoreStore:
    """A verified store, open for reading; its numbers stay on disk.

    Attributes:
        origin: what the scores were made from.
        parameters: the teacher's CRF, float32.
        dtype: how emissions are stored (they are always returned as float32).
        lengths: [sentences] words of each sentence, int32, by id.
    """

    origin: Origin
    parameters: ChainParameters
    dtype: str
    lengths: Tensor

    @classmethod
    def open(cls, folder: Path, *, expect: Origin | None = None) -> "ScoreStore":
        """Open the store in `folder` after reading and verifying all of it, one row group at a time.

        Raises:
            UserError: the store was made from something else than `expect` (names both values), has another
                format, or a file of it is missing, extra, truncated, altered or holds NaN or inf, or an id
                is missing or there twice.
        """
        shards = [Shard(folder / name) for name in sorted(check(folder))]
        if not shards:
            raise UserError(f"{folder}: holds no scores; run `dvc repro`")
        return cls(folder, shards, expect)

    def __init__(self, folder: Path, shards: list[Shard], expect: Origin | None) -> None:
        """Use `ScoreStore.open`."""
        header = _common_header(folder, shards)
        self.origin, self.parameters, self.dtype = header.origin, header.parameters, header.dtype
        if expect is not None:
            _compare(folder, self.origin, expect)
        # A sentence's numbers start at byte `_start` of all shards'; shard n's begin at byte `_first[n]`.
        self._word_bytes = shards[0].word_bytes
        self._opened = lru_cache(_OPEN_SHARDS)(lambda number: shards[number].open_file())
        self._first = np.cumsum([0, *(shard.path.stat().st_size for shard in shards)])
        self._start = np.zeros(header.sentences, np.int64)
        lengths = np.zeros(header.sentences, np.int32)
        for number, shard in enumerate(shards):
            for group, starts in shard.row_groups():
                ids = group.ids
                twice = ids[lengths[ids] > 0] if lengths[ids].any() else repeated(ids)
                if len(twice):
                    raise shard.refusal(f"holds sentence {twice[0]}, which is there twice")
                lengths[ids], self._start[ids] = group.lengths, self._first[number] + starts
            pa.default_memory_pool().release_unused()  # otherwise Arrow keeps the memory of several shards
        if not lengths.all():
            raise UserError(
                f"{folder}: sentence {lengths.argmin()} is missing; remove it and run `dvc repro`"
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
        """Emissions [sum of lengths, N] (float32) and lengths [B] of `ids` [B] int64, in their order.

        Raises:
            UserError: a shard was removed or replaced after the store was opened.
            OSError: a shard has become shorter.
        """
        lengths = self.lengths[ids].long()
        starts = self._start[ids.numpy()]
        owners = np.searchsorted(self._first, starts, side="right") - 1
        places = zip(owners.tolist(), (starts - self._first[owners]).tolist(), lengths.tolist(), strict=True)
        content = bytearray().join(
            self._opened(owner).read(start, words * self._word_bytes) for owner, start, words in places
        )
        values = np.frombuffer(content, DTYPES[self.dtype]).astype(np.float32, copy=False)
        return torch.from_numpy(values).view(-1, len(self.tags)), lengths

    def batch(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Emissions [B, L, N] (float32, 0 behind a sentence's end) and lengths [B] of `ids` [B].

        Raises:
            UserError, OSError: see `words`.
        """
        return Ragged.of(*self.words(ids)).padded(torch.arange(len(ids)))


def _common_header(folder: Path, shards: list[Shard]) -> Header:
    """The header of all shards of the store in `folder`.

    Raises:
        UserError: a shard is missing, is another than its name says, or has another header.
    """
    header = shards[0].header
    plain = header.as_json()
    for number, shard in enumerate(shards):
        if (shard.path.name, shard.number) != (shard_name(number, header.shards), number):
            raise shard.refusal(f"is shard {shard.number}, found where {number} of {header.shards} should be")
        for key, value in shard.header.as_json().items():
            if value != plain[key]:
                raise shard.refusal(
                    f"has {key} {value!r:.80}, but {shards[0].path.name} has {plain[key]!r:.80}"
                )
    if len(shards) != header.shards:
        raise UserError(f"{folder}: holds {len(shards)} of {header.shards} shards; run `dvc repro`")
    return header


def _compare(folder: Path, found: Origin, expect: Origin) -> None:
    for field in fields(Origin):
        theirs, ours = getattr(found, field.name), getattr(expect, field.name)
        if theirs != ours:
            raise UserError(
                f"{folder}: its {field.name} is {theirs!r}, but {ours!r} is expected; run `dvc repro`"
            )
