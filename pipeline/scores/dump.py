"""The teacher's one pass over a split: what goes into the score store."""

import math
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor

from pipeline import processes
from pipeline.chain import length_mask
from pipeline.encoding.batching import Batch, Batches
from pipeline.encoding.prefetch import prefetch
from pipeline.encoding.split_file import load, read_words_digest
from pipeline.model.chain_tagger import ChainTagger
from pipeline.model.tagger_config import converts_labels, read_layout
from pipeline.progress import progress
from pipeline.scores.settings import Dump
from pipeline.scores.shards import ChainParameters, Origin
from pipeline.scores.write_store import FinishedShards, OwnShards, ScoredBatch, write_scores
from pipeline.storage.file_names import WEIGHTS
from pipeline.storage.sealed_folder import check, identity, write_empty


def origin_of(split: Path, teacher: Path, *, fold: int = 1, folds: int = 1) -> Origin:
    """What scores of a split, or of its sentences in `fold` of `folds`, by `teacher` come from.

    Args:
        split: the file, in a folder that has been checked; the origin is the same for every tokenizer.
        teacher: the folder of the model, or of imported scores (see scores.imported).
        fold: from 1.
        folds: how many.

    Raises:
        UserError: the file is no encoded split, or `teacher` is damaged.
    """
    files = check(teacher)
    imported = WEIGHTS not in files
    by_weights = not imported and not converts_labels(teacher)
    return Origin(
        tags=load(split).tag_set.tags,
        teacher=files[WEIGHTS] if by_weights else identity(teacher),
        words=read_words_digest(split),
        tokenizer="none" if imported else read_layout(teacher).identity,
        split=split.stem if folds == 1 else f"{split.stem}, fold {fold} of {folds}",
    )


def parameters_of(teacher: ChainTagger) -> ChainParameters:
    """The teacher's transitions [N, N], start [N] and end [N], on the CPU."""
    parameters = (teacher.transitions, teacher.start, teacher.end)
    return ChainParameters(*(parameter.detach().cpu() for parameter in parameters))


def dump_scores(
    teacher: ChainTagger,
    batches: Batches,
    accelerator: Accelerator,
    settings: Dump,
    *,
    origin: Origin,
    checkpoint: Path,
    out: Path,
) -> None:
    """Write the scores of all sentences of `batches` to the store `out`; an id is a position in `batches`.

    Several processes each write some of the shards; the store is the same, to the bit, as that of one.
    Without sentences, as where none is labelled, `out` is sealed empty.

    Args:
        teacher: the model.
        batches: the split, or a fold of it.
        accelerator: device and precision.
        settings: how the store is cut and written.
        origin: what the scores come from.
        checkpoint: the folder of finished shards; those of a stopped run are not computed again.
        out: the folder to write.

    Raises:
        UserError: the split was encoded by another tokenizer than the teacher's; and see store.write_scores.
    """
    if batches.sentences == 0:
        write_empty(out)
        return
    finished = FinishedShards(checkpoint, batches.sentences)
    teacher.check_pieces(batches.encoded.layout.identity)
    processes.wait()  # until all have read what is finished, nothing more is written
    own = _own_shards(batches, finished, settings.shard_sentences)
    write_scores(
        out,
        _scores(teacher, batches, settings.shard_sentences, finished, own, accelerator),
        origin=origin,
        parameters=parameters_of(teacher),
        sentences=batches.sentences,
        shard_sentences=settings.shard_sentences,
        dtype=settings.dtype,
        finished=finished,
        own=own,
    )


def _own_shards(batches: Batches, finished: FinishedShards, shard_sentences: int) -> OwnShards:
    """The shards that this process writes: about as much work for each process, the longest shards first."""
    sentences = batches.sentences
    todo = [n for n in range(math.ceil(sentences / shard_sentences)) if n not in finished.shards]
    if processes.count() == 1:
        return OwnShards(todo, np.zeros(sentences, bool))
    shard_of = np.zeros(sentences, np.int32)
    work = np.zeros(math.ceil(sentences / shard_sentences))  # pieces
    for number, ids in _cut_at_shards(batches, shard_sentences):
        shard_of[batches.places(ids).numpy()] = number
        work[number] += batches.count_pieces(ids)
    assigned, owner = np.zeros(processes.count()), {}
    for number in sorted(todo, key=lambda number: -work[number]):
        owner[number] = int(assigned.argmin())
        assigned[owner[number]] += work[number]
    others = [number for number in todo if owner[number] != processes.rank()]
    return OwnShards([number for number in todo if number not in others], np.isin(shard_of, others))


def _cut_at_shards(batches: Batches, shard_sentences: int) -> Iterator[tuple[int, Tensor]]:
    """Each batch in order, as the number of its shard and its ids.

    A batch that would end one shard and begin another is cut in two: no sentence is scored by two processes,
    and a resumed run scores none again.
    """
    start = 0
    for ids in batches.in_order():
        room = shard_sentences - start % shard_sentences
        for part in ids.tensor_split(tuple(range(room, len(ids), shard_sentences))):
            yield start // shard_sentences, part
            start += len(part)


def _scores(
    teacher: ChainTagger,
    batches: Batches,
    shard_sentences: int,
    finished: FinishedShards,
    own: OwnShards,
    accelerator: Accelerator,
) -> Iterator[ScoredBatch]:
    """The scores of each batch that is to be written, on the CPU; ids are positions in `batches`."""
    device = accelerator.device
    teacher.eval().to(device)
    done, total = int((finished.held & ~own.elsewhere).sum()), int((~own.elsewhere).sum())
    numbers = set(own.numbers)
    needed = (ids for number, ids in _cut_at_shards(batches, shard_sentences) if number in numbers)

    def lay_out(ids: Tensor) -> Batch:
        return batches.collate(ids).pinned(device)

    with progress("dump", total, done) as meter, closing(prefetch(needed, lay_out, device)) as ahead:
        if done:
            meter.say(f"dump: resumes after {done:,} of {total:,} sentences ({finished.folder})")
        for batch in ahead:
            with torch.inference_mode(), accelerator.autocast():
                chain = teacher.chain(batch.to(device))
                emissions = chain.emissions.cpu()
            words = length_mask(batch.lengths, emissions.shape[1])
            yield batches.places(batch.ids), batch.lengths, emissions[words]
            meter.advance(len(batch.ids))
