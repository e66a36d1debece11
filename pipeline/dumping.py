"""The teacher's one pass over a split: what goes into the score store."""

from collections.abc import Iterator
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor

from pipeline.batching import Batches
from pipeline.encoding import load
from pipeline.folder import check
from pipeline.model import ChainTagger
from pipeline.model_folder import WEIGHTS
from pipeline.progress import progress
from pipeline.scores import ChainParameters, Origin


def origin_of(encoded: Path, teacher: Path, split: str = "train") -> Origin:
    """What scores of `split` by `teacher` come from.

    Raises:
        UserError: a folder is damaged.
    """
    file = f"{split}.parquet"
    header = load(encoded / file)
    return Origin(
        tags=header.tag_set.tags,
        teacher=check(teacher)[WEIGHTS],
        corpus=check(encoded)[file],
        tokenizer=header.vocabulary.identity,
        split=split,
    )


def parameters_of(teacher: ChainTagger) -> ChainParameters:
    """The teacher's transitions [N, N], start [N] and end [N], on the CPU."""
    parameters = (teacher.transitions, teacher.start, teacher.end)
    return ChainParameters(*(parameter.detach().cpu() for parameter in parameters))


@torch.inference_mode()
def teacher_scores(
    teacher: ChainTagger, batches: Batches, accelerator: Accelerator
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yield ids [B], lengths [B] and emissions [words, N] of each batch, on the CPU."""
    teacher.eval().to(accelerator.device)
    with progress("dump", len(batches.encoded)) as meter:
        for ids in batches.in_order():
            batch = batches.batch(ids).to(accelerator.device)
            with accelerator.autocast():
                chain = teacher.chain(batch)
            yield ids, chain.lengths.cpu(), chain.emissions[chain.mask].cpu()
            meter.advance(len(ids))
