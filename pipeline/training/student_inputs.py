"""What one student learns from: batches, and the loss that looks their targets up."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from pipeline.distillation.settings import Scheduled, Settings
from pipeline.encoding.batching import Batches
from pipeline.encoding.folds import fold_rows
from pipeline.errors import UserError
from pipeline.scores.dump import origin_of, scoring_teacher
from pipeline.scores.store import ScoreStore
from pipeline.scores.unlabelled import open_unlabelled
from pipeline.training.loop import Loss
from pipeline.training.run import Inputs
from pipeline.training.settings import Student
from pipeline.training.student_loss import student_loss
from pipeline.training.targets import PartScores, teacher_chains

HELD_OUT, MOST_HELD_OUT = 0.05, 1000
"""Which share of the text chooses the best epoch where no sentence is labelled, and how many at most."""


@dataclass(frozen=True)
class TeacherFolders:
    """The folders of teachers and of their scores.

    teacher: trained on all training sentences.
    first: whose scores the first store has with one fold: `teacher`, or scores from elsewhere.
    scoring_teachers: `<number>/<fold>` is each further one (see `scores.dump.scoring_teacher`).
    scores: `<number>/<fold>` is the store of the fold's sentences, by the teacher of this number.
    teachers: how many score each sentence.
    folds: how many there are.
    """

    teacher: Path
    first: Path
    scoring_teachers: Path
    scores: Path
    teachers: int = 1
    folds: int = 1

    def scoring(self, number: int, fold: int) -> Path:
        """The teacher of this number whose scores the sentences of `fold` have."""
        return scoring_teacher(self.first, self.scoring_teachers, number, fold, self.folds)

    def store(self, number: int, fold: int) -> Path:
        """Its scores of them."""
        return self.scores / str(number) / str(fold)

    @property
    def stores(self) -> list[Path]:
        """All of them."""
        numbers, folds = range(1, self.teachers + 1), range(1, self.folds + 1)
        return [self.store(number, fold) for number in numbers for fold in folds]


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
        for number in range(1, folders.teachers + 1):
            scoring = folders.scoring(number, fold)
            origin = origin_of(inputs.encoded, scoring, fold=fold, folds=folders.folds)
            stores.append(ScoreStore.open(folders.store(number, fold), expect=origin))
        parts.append(split if rows is None else Batches(split.encoded, split.batch_size, rows))
        scores.append(PartScores(tuple(stores), rows))
    return parts, scores


def student_inputs(
    method: str, own: Settings, student: Student, inputs: Inputs, folders: TeacherFolders, unlabelled: Path
) -> tuple[Inputs, Loss]:
    """The inputs, with the parts that the method's loss has targets for, and the loss on them.

    A method without a teacher's term learns from the labelled sentences alone, and reads no scores.

    Args:
        method: its name.
        own: its settings.
        student: those of the run.
        inputs: the labelled corpus.
        folders: the teachers' scores of it.
        unlabelled: what `unlabelled.write_unlabelled` wrote, or a folder sealed empty.

    Raises:
        UserError: a folder is damaged or was made from something else.
    """
    scores: list[PartScores] = []
    if isinstance(own, Scheduled):
        parts, scores = labelled_parts(inputs, folders)
        if text := open_unlabelled(unlabelled, inputs.train, folders.teacher):
            if not parts:
                inputs, text = held_out(inputs, *text)
            parts, scores = [*parts, text[0]], [*scores, PartScores((text[1],))]
        inputs = replace(inputs, parts=tuple(parts))
        _check_pairs(method, own, student, scores)
    steps = len(inputs.batches) * student.epochs
    return inputs, student_loss(method, own, scores, steps=steps, epochs=student.epochs)


def held_out(inputs: Inputs, text: Batches, store: ScoreStore) -> tuple[Inputs, tuple[Batches, ScoreStore]]:
    """The inputs with the last sentences of the text as development, and the text without them.

    These are HELD_OUT of the text, at most MOST_HELD_OUT sentences and at least one. Their tags are the best
    ones (Viterbi) by the teacher's scores.

    Args:
        inputs: without a labelled sentence.
        text: all sentences without tags.
        store: the teacher's scores of them.

    Raises:
        UserError: there are fewer than two sentences.
    """
    sentences = len(text.encoded)
    if sentences < 2:
        raise UserError(
            "distill.unlabelled: has one sentence, and one more is needed to choose the best epoch; give more"
        )
    rows = torch.arange(sentences)
    count = min(MOST_HELD_OUT, max(1, int(HELD_OUT * sentences)))
    gold: list[list[str]] = [[] for _ in range(sentences)]
    for ids in rows[-count:].split(text.batch_size):
        chains = teacher_chains(store, ids)
        for row, path, length in zip(ids.tolist(), chains.viterbi()[1].tolist(), chains.lengths, strict=True):
            gold[row] = text.encoded.tag_set.names(path[:length])
    dev = Batches(text.encoded, text.batch_size, rows[-count:])
    rest = Batches(text.encoded, text.batch_size, rows[:-count])
    return replace(inputs, dev=dev, gold=gold, agreement=True), (rest, store)


def _check_pairs(method: str, own: Settings, student: Student, scores: list[PartScores]) -> None:
    """Refuse a softmax student of a method that matches the scores of pairs of tags, where there are any."""
    pairs = any(store.parameters.transitions.any() for part in scores for store in part.stores)
    if own.matches_pairs and student.head == "softmax" and pairs:
        raise UserError(
            f"student.head: softmax has no scores of pairs of tags, which {method} matches to those of the "
            f"teacher's CRF; set crf, or take {method} out of methods"
        )
