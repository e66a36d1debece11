"""What one student learns from: batches, and the loss that looks their targets up."""

from dataclasses import replace
from pathlib import Path

import torch

from pipeline.distillation.settings import Scheduled, Settings
from pipeline.encoding.batching import Batches
from pipeline.encoding.folds import fold_rows
from pipeline.errors import UserError
from pipeline.model.prediction import tag_names
from pipeline.scores.dump import origin_of
from pipeline.scores.store import ScoreStore
from pipeline.scores.text_scores import open_text_scores
from pipeline.training.loss import Loss
from pipeline.training.run import Inputs
from pipeline.training.settings import Student
from pipeline.training.student_loss import student_loss
from pipeline.training.student_settings import check_transitions
from pipeline.training.targets import PartScores, teacher_chains
from pipeline.training.teacher_folders import TeacherFolders

HELD_OUT = 0.05
"""The share of the text that chooses the best epoch where no sentence is labelled."""
MOST_HELD_OUT = 1000
"""How many sentences that are at most."""


def labelled_parts(inputs: Inputs, folders: TeacherFolders) -> tuple[list[Batches], list[PartScores]]:
    """The training split fold by fold, and the scores of each; nothing where no sentence is labelled.

    Raises:
        UserError: a folder is damaged, or a store was made from something else.
    """
    split = inputs.train
    parts: list[Batches] = []
    scores: list[PartScores] = []
    if not len(split.encoded):
        return parts, scores
    for fold in range(1, folders.folds + 1):
        rows = None if folders.folds == 1 else fold_rows(len(split.encoded), fold, folders.folds)
        stores = []
        for number in folders.numbers:
            scoring = folders.scoring(number, fold)
            origin = origin_of(inputs.encoded / "train.parquet", scoring, fold=fold, folds=folders.folds)
            stores.append(ScoreStore.open(folders.store(number, fold), expect=origin))
        parts.append(split if rows is None else Batches(split.encoded, split.batch_size, rows))
        scores.append(PartScores(tuple(stores), rows))
    return parts, scores


def student_inputs(
    method: str,
    settings: Settings,
    student: Student,
    inputs: Inputs,
    folders: TeacherFolders,
    text: Path,
) -> tuple[Inputs, Loss]:
    """The inputs, with the parts that the method's loss has targets for, and the loss on them.

    A method without a distillation loss learns from the labelled sentences alone, and reads no scores.

    Args:
        method: its name.
        settings: its own.
        student: those of the run.
        inputs: the labelled corpus.
        folders: the teachers' scores of it, and of the text.
        text: what `encode_text` wrote.

    Raises:
        UserError: a folder is damaged or was made from something else.
    """
    scores: list[PartScores] = []
    if isinstance(settings, Scheduled):
        parts, scores = labelled_parts(inputs, folders)
        if opened := open_text_scores(text, folders.text_stores, inputs.train, folders.text_scoring):
            sentences, stores = opened
            if not parts:
                inputs, sentences = held_out(inputs, sentences, stores)
            parts, scores = [*parts, sentences], [*scores, PartScores(stores)]
            inputs = replace(inputs, labelled_share=student.labelled_share)
        inputs = replace(inputs, parts=tuple(parts))
        if any(store.parameters.transitions.any() for part in scores for store in part.stores):
            check_transitions(method, settings, student.head)
    return inputs, student_loss(method, settings, scores, student.length(len(inputs.batches)))


def held_out(inputs: Inputs, text: Batches, stores: tuple[ScoreStore, ...]) -> tuple[Inputs, Batches]:
    """The inputs with the last sentences of the text as development, and the text without them.

    These are HELD_OUT of the text, at most MOST_HELD_OUT sentences and at least one. Their tags are the best
    ones (Viterbi) by the first teacher's scores.

    Args:
        inputs: without a labelled sentence.
        text: all unlabelled sentences.
        stores: the teachers' scores of them.

    Raises:
        UserError: there are fewer than two sentences.
    """
    sentences = len(text.encoded)
    if sentences < 2:
        raise UserError(
            "unlabelled.files: hold one sentence; two are needed, as one is the development set; give more"
        )
    rows = torch.arange(sentences)
    count = min(MOST_HELD_OUT, max(1, int(HELD_OUT * sentences)))
    gold: list[list[str]] = []  # of these alone: the text may be of any size
    for ids in rows[-count:].split(text.batch_size):
        chains = teacher_chains(stores[0], ids)
        gold += tag_names(chains.viterbi()[1], chains.lengths, text.encoded.tag_set)
    dev = Batches(text.encoded, text.batch_size, rows[-count:])
    rest = Batches(text.encoded, text.batch_size, rows[:-count])
    return replace(inputs, dev=dev, gold=gold, agreement=True), rest
