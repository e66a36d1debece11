"""The teacher's one pass over a split: what goes into the score store."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from accelerate import Accelerator
from torch import Tensor

from pipeline.encoding.batching import Batches
from pipeline.encoding.encoded import load
from pipeline.errors import UserError
from pipeline.model.chain_tagger import ChainTagger
from pipeline.model.model_folder import WEIGHTS
from pipeline.progress import progress
from pipeline.scores.settings import Dump
from pipeline.scores.store import ChainParameters, Origin, finished, write_scores
from pipeline.storage.sealed_folder import check


def origin_of(encoded: Path, teacher: Path, split: str = "train") -> Origin:
    """What scores of `split` by `teacher` come from.

    Raises:
        UserError: a folder is damaged, or `encoded` has no such split.
    """
    file = encoded / f"{split}.parquet"
    digests = check(encoded)
    if file.name not in digests:
        raise UserError(f"{file}: missing; remove {encoded} and run `dvc repro`")
    return origin_of_file(file, digests[file.name], teacher)


def origin_of_file(split: Path, digest: str, teacher: Path) -> Origin:
    """`origin_of` for the split in a file, which is named after it.

    Args:
        split: the file; the folder around it need not be sealed.
        digest: its SHA-256.
        teacher: the folder of the model.

    Raises:
        UserError: the file is no encoded split, or `teacher` is damaged.
    """
    header = load(split)
    return Origin(
        tags=header.tag_set.tags,
        teacher=check(teacher)[WEIGHTS],
        corpus=digest,
        tokenizer=header.layout.identity,
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
    """Write the scores of a whole split to the store `out`.

    Args:
        teacher: the model.
        batches: the split.
        accelerator: device and precision.
        settings: how the store is cut and written.
        origin: what the scores come from.
        checkpoint: a folder where finished shards wait; those of a stopped run are not computed again.
        out: the folder to write.

    Raises:
        UserError: the split was encoded by another tokenizer than the teacher's; and see scores.write_scores.
    """
    teacher.check_pieces(batches.encoded.layout.identity)
    write_scores(
        out,
        _scores(teacher, batches, finished(checkpoint, batches.sentences), accelerator),
        origin=origin,
        parameters=parameters_of(teacher),
        sentences=batches.sentences,
        shard_sentences=settings.shard_sentences,
        dtype=settings.dtype,
        checkpoint=checkpoint,
    )


def _scores(
    teacher: ChainTagger, batches: Batches, done: npt.NDArray[np.bool_], accelerator: Accelerator
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Ids [B], lengths [B] and emissions [words, N] of each batch not wholly `done` [S], on the CPU."""
    teacher.eval().to(accelerator.device)
    with progress("dump", batches.sentences, int(done.sum())) as meter:
        for ids in batches.in_order():
            new = len(ids) - int(done[ids.numpy()].sum())
            if new == 0:
                continue
            batch = batches.batch(ids).to(accelerator.device)
            with torch.inference_mode(), accelerator.autocast():
                chain = teacher.chain(batch)
            yield ids, chain.lengths.cpu(), chain.emissions[chain.mask].cpu()
            meter.advance(new)
