"""Cross-fitting: which sentences of the training split a fold's teacher scores, and which it learns from."""

import math

import torch
from torch import Tensor

from pipeline.errors import UserError, counted

BLOCK = 500
"""Neighbouring sentences that stay in one fold, as they are often of one document."""


def fold_rows(sentences: int, fold: int, folds: int) -> Tensor:
    """The rows of `fold` (from 1) of `folds`, ascending: every `folds`-th block of up to BLOCK sentences.

    Blocks are equally long, and all folds have as many, so that each teacher learns from as many sentences.

    Raises:
        UserError: there are fewer sentences than folds.
    """
    return _in_fold(sentences, fold, folds).nonzero().flatten()


def other_rows(sentences: int, fold: int, folds: int) -> Tensor:
    """The rows of all other folds, ascending; raises as `fold_rows`."""
    return (~_in_fold(sentences, fold, folds)).nonzero().flatten()


def _in_fold(sentences: int, fold: int, folds: int) -> Tensor:
    if sentences < folds:
        raise UserError(
            f"folds: {folds} for {counted(sentences, 'training sentence')}; choose at most as many folds"
        )
    blocks = folds * math.ceil(sentences / (folds * BLOCK))
    return torch.arange(sentences) * blocks // sentences % folds == fold - 1
