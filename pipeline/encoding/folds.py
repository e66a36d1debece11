"""Cross-fitting: which sentences of the training split a fold's teacher scores, and which it learns from."""

import torch
from torch import Tensor

BLOCK = 500
"""Neighbouring sentences that stay in one fold, as they are often of one document."""


def fold_rows(sentences: int, fold: int, folds: int) -> Tensor:
    """The rows of `fold` (from 1) of `folds`, ascending: every `folds`-th block of up to BLOCK sentences.

    Blocks are smaller where a fold would have less than one of them.
    """
    return _in_fold(sentences, fold, folds).nonzero().flatten()


def other_rows(sentences: int, fold: int, folds: int) -> Tensor:
    """The rows of all other folds, ascending."""
    return (~_in_fold(sentences, fold, folds)).nonzero().flatten()


def _in_fold(sentences: int, fold: int, folds: int) -> Tensor:
    block = max(1, min(BLOCK, sentences // folds))
    return torch.arange(sentences) // block % folds == fold - 1
