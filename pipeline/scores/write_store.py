"""Writing the score store (see `scores.store`): batches of scores → a sealed folder of Parquet shards."""

import math
import shutil
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from torch import Tensor

from pipeline import processes
from pipeline.errors import UserError
from pipeline.scores.shards import (
    DTYPES,
    ChainParameters,
    Header,
    Integers,
    Numbers,
    Origin,
    RowGroup,
    Shard,
    first_not_finite,
    repeated,
    shard_name,
    write_shard,
)
from pipeline.storage.sealed_folder import check, new_folder

ScoredBatch = tuple[Tensor, Tensor, Tensor]
"""Ids [B], lengths [B] in words and emissions [sum of lengths, N] of some sentences."""

_ROW_GROUP_BYTES = 1 << 20  # what a writer holds in memory at a time


class FinishedShards:
    """The shards that a stopped `write_scores` left in a folder.

    Attributes:
        folder: holds each shard in a sealed folder of its own.
        shards: by number.
        held: [sentences] whether a shard holds the sentence of that id.
    """

    def __init__(self, folder: Path, sentences: int) -> None:
        """Read them; raises UserError where one is damaged or holds an id that is not below `sentences`."""
        self.folder = folder
        self.shards: dict[int, Shard] = {}
        for place in sorted(folder.glob("[0-9]*")):
            for name in check(place):
                shard = Shard(place / name)
                self.shards[shard.number] = shard
        self.held = np.zeros(sentences, bool)
        for shard in self.shards.values():
            if shard.header.sentences != sentences:
                raise shard.refusal(f"has {shard.header.sentences} sentences, not {sentences}")
            for group, _ in shard.row_groups():
                self.held[group.ids] = True

    def place(self, number: int) -> Path:
        """The folder of shard `number`."""
        return self.folder / f"{number:05d}"


class OwnShards(NamedTuple):
    """The shards of a store that this process writes.

    numbers: of the shards, ascending.
    elsewhere: [sentences] whether another process writes the shard of the sentence of that id.
    """

    numbers: list[int]
    elsewhere: npt.NDArray[np.bool_]


def write_scores(
    folder: Path,
    batches: Iterable[ScoredBatch],
    *,
    origin: Origin,
    parameters: ChainParameters,
    sentences: int,
    shard_sentences: int = 20_000,
    dtype: str = "float32",
    finished: FinishedShards | None = None,
    own: OwnShards | None = None,
) -> None:
    """Write a sealed store of `sentences` sentences, or nothing at all.

    Memory holds one batch and one row group (1 MiB), whatever the length of the corpus.

    Args:
        folder: where the store goes; an older one there is replaced when the new one is whole.
        batches: in any order of ids; together the ids are 0 … sentences − 1, each once.
        origin: what the scores were made from; N = len(origin.tags).
        parameters: the teacher's CRF, finite.
        sentences: how many sentences will come, at least 1.
        shard_sentences: sentences in each shard but the last.
        dtype: float32 (kept to the bit) or float16 (rounded; a value outside its range is refused).
        finished: the shards of a stopped call for the same store. What they hold is skipped in `batches`, and
            further shards go into their folder, which the caller deletes afterwards.
        own: the shards of this process: each process writes its own into the folder of `finished`, and the
            first then puts the store together. None: this process alone writes all that are not finished.

    Raises:
        UserError: NaN, inf or a value outside the dtype's range (names the sentence), finished shards of
            another store, or a full disk.
        ValueError: shapes, ids or the number of sentences contradict each other.
    """
    if sentences < 1:
        raise UserError(f"{folder}: no sentences to store; give the split {origin.split!r} at least one")
    for name, value in parameters._asdict().items():
        if not value.isfinite().all():
            raise UserError(f"{folder}: the teacher's CRF {name} holds NaN or inf; train it again")
    header = Header(origin, parameters, dtype, sentences, math.ceil(sentences / shard_sentences))
    shards = finished.shards if finished else {}
    for shard in shards.values():
        if shard.header.as_json() != header.as_json():
            raise UserError(
                f"{shard.path}: belongs to another dump; remove {shard.path.parents[1]} and run `dvc repro`"
            )
    together = own is not None
    if own is None:
        own = OwnShards([n for n in range(header.shards) if n not in shards], np.zeros(sentences, bool))
    held = own.elsewhere | finished.held if finished else own.elsewhere
    groups = _cut(_checked(batches, header, held), shard_sentences)
    with new_folder(folder) if processes.is_first() else nullcontext(folder) as aside:
        for number in own.numbers:
            count = min(shard_sentences, sentences - number * shard_sentences)
            with new_folder(finished.place(number)) if finished else nullcontext(aside) as place:
                path = place / shard_name(number, header.shards)
                write_shard(path, header, number, _row_groups(groups, count))
        next(groups, None)  # a sentence too many is refused there
        if together:
            processes.wait()
        if finished and processes.is_first():
            _copy_all(finished, header.shards, aside)


def _copy_all(finished: FinishedShards, shards: int, folder: Path) -> None:
    """Copy all shards of a store to its folder, when the last of them is finished."""
    for number in range(shards):
        name = shard_name(number, shards)
        try:
            shutil.copyfile(finished.place(number) / name, folder / name)
        except FileNotFoundError:
            raise UserError(
                f"{finished.place(number)}: was removed before the run ended; run it again"
            ) from None


def _checked(
    batches: Iterable[ScoredBatch], header: Header, held: npt.NDArray[np.bool_]
) -> Iterator[RowGroup]:
    """Yield the batches as arrays of the stored type, without the sentences that are `held` [sentences].

    Raises as `write_scores` does.
    """
    tags, seen = len(header.origin.tags), held.copy()
    for batch in batches:
        ids, lengths = (tensor.cpu().numpy().astype(np.int64) for tensor in batch[:2])
        emissions = batch[2]
        if ids.shape != lengths.shape or emissions.shape != (lengths.sum(), tags) or (lengths < 1).any():
            shapes = f"ids {ids.shape}, lengths {lengths.shape}, emissions {tuple(emissions.shape)}"
            raise ValueError(f"{shapes} contradict each other with {tags} tags and {lengths.sum()} words")
        if ((ids < 0) | (ids >= header.sentences)).any():
            raise ValueError(f"an id is outside 0 … {header.sentences - 1}")
        new = ~held[ids]
        exact = emissions.detach().float().cpu().numpy()[np.repeat(new, lengths)]
        ids, lengths = ids[new], lengths[new]
        if seen[ids].any() or len(repeated(ids)):
            raise ValueError("an id came twice")
        seen[ids] = True
        yield RowGroup(ids, lengths, _stored(exact, ids, lengths, header.dtype))
    if not seen.all():
        raise ValueError(f"{int(seen.sum())} sentences came, {header.sentences} were announced")


def _stored(exact: Numbers, ids: Integers, lengths: Integers, dtype: str) -> Numbers:
    """Emissions [words, N] in the stored type; raises UserError if that leaves a number not finite."""
    with np.errstate(over="ignore"):
        values: Numbers = exact.astype(DTYPES[dtype])
    bad = first_not_finite(values.reshape(-1), lengths, values.shape[1])
    if bad is None:
        return values
    if first_not_finite(exact.reshape(-1), lengths, values.shape[1]) == bad:
        raise UserError(f"sentence {ids[bad]}: the teacher's emissions hold NaN or inf; train it again")
    raise UserError(
        f"sentence {ids[bad]}: an emission is outside the range of {dtype}; set dump.dtype: float32"
    )


def _cut(batches: Iterable[RowGroup], shard_sentences: int) -> Iterator[RowGroup]:
    """Cut the batches so that none straddles two shards."""
    room = shard_sentences
    for ids, lengths, emissions in batches:
        while len(ids):
            take = min(len(ids), room)
            words = int(lengths[:take].sum())
            yield RowGroup(ids[:take], lengths[:take], emissions[:words])
            ids, lengths, emissions = ids[take:], lengths[take:], emissions[words:]
            room = room - take or shard_sentences


def _row_groups(groups: Iterator[RowGroup], sentences: int) -> Iterator[RowGroup]:
    """Take `sentences` sentences from `groups`, joined until a row group is full, and leave the rest."""
    pending: list[RowGroup] = []
    size = 0
    for group in groups:
        pending.append(group)
        sentences -= len(group.ids)
        size += group.emissions.nbytes
        if sentences == 0 or size >= _ROW_GROUP_BYTES:
            yield _join(pending)
            pending, size = [], 0
        if sentences == 0:
            break


def _join(pending: list[RowGroup]) -> RowGroup:
    return RowGroup(*map(np.concatenate, zip(*pending, strict=True)))
