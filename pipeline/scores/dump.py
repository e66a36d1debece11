"""The teacher's one pass over a split: what goes into the score store."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor

from pipeline.encoding.batching import Batches
from pipeline.encoding.encoded import load, read_words_digest
from pipeline.errors import UserError
from pipeline.model.chain_tagger import ChainTagger
from pipeline.model.model_folder import WEIGHTS
from pipeline.model.tagger_config import read_layout
from pipeline.progress import progress
from pipeline.scores.settings import Dump
from pipeline.scores.store import ChainParameters, FinishedShards, Origin, write_scores
from pipeline.storage.sealed_folder import check, identity, new_folder


def origin_of(encoded: Path, teacher: Path, split: str = "train", *, fold: int = 1, folds: int = 1) -> Origin:
    """What scores of `split`, or of its sentences in `fold` of `folds`, by `teacher` come from.

    Raises:
        UserError: a folder is damaged, or `encoded` has no such split.
    """
    file = encoded / f"{split}.parquet"
    if file.name not in check(encoded):
        raise UserError(f"{file}: missing; remove {encoded} and run `dvc repro`")
    origin = origin_of_file(file, teacher)
    return origin if folds == 1 else replace(origin, split=f"{split}, fold {fold} of {folds}")


def origin_of_file(split: Path, teacher: Path) -> Origin:
    """`origin_of` for the split in a file, which is named after it; it is the same for every tokenizer.

    Args:
        split: the file; the folder around it need not be sealed.
        teacher: the folder of the model, or of imported scores (see scores.imported).

    Raises:
        UserError: the file is no encoded split, or `teacher` is damaged.
    """
    files = check(teacher)
    given = WEIGHTS not in files
    return Origin(
        tags=load(split).tag_set.tags,
        teacher=identity(teacher) if given else files[WEIGHTS],
        words=read_words_digest(split),
        tokenizer="none" if given else read_layout(teacher).identity,
        split=split.stem,
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
    """Write the scores of all sentences of `batches` to the store `out`, whose ids are their places there.

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
        UserError: the split was encoded by another tokenizer than the teacher's; and see scores.write_scores.
    """
    if batches.sentences == 0:
        with new_folder(out):
            return
    finished = FinishedShards(checkpoint, batches.sentences)
    teacher.check_pieces(batches.encoded.layout.identity)
    write_scores(
        out,
        _scores(teacher, batches, finished, accelerator),
        origin=origin,
        parameters=parameters_of(teacher),
        sentences=batches.sentences,
        shard_sentences=settings.shard_sentences,
        dtype=settings.dtype,
        finished=finished,
    )


def _scores(
    teacher: ChainTagger, batches: Batches, finished: FinishedShards, accelerator: Accelerator
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Ids [B], lengths [B] and emissions [words, N] of each batch that is not wholly finished, on the CPU."""
    teacher.eval().to(accelerator.device)
    done = int(finished.held.sum())
    with progress("dump", batches.sentences, done) as meter:
        if done:
            meter.say(f"dump: resumes after {done:,} of {batches.sentences:,} sentences ({finished.folder})")
        for ids in batches.in_order():
            places = batches.places(ids)
            new = len(ids) - int(finished.held[places.numpy()].sum())
            if new == 0:
                continue
            batch = batches.batch(ids).to(accelerator.device)
            with torch.inference_mode(), accelerator.autocast():
                chain = teacher.chain(batch)
            yield places, chain.lengths.cpu(), chain.emissions[chain.mask].cpu()
            meter.advance(new)
