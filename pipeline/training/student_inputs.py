"""What one student learns from: batches, and the loss that looks their targets up."""

from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.distillation.settings import Scheduled, Settings
from pipeline.encoding.batching import Batches
from pipeline.encoding.folds import fold_rows
from pipeline.scores.dump import origin_of
from pipeline.scores.store import ScoreStore
from pipeline.scores.unlabelled import open_unlabelled
from pipeline.training.loop import Loss
from pipeline.training.run import Inputs
from pipeline.training.settings import Student
from pipeline.training.student_loss import student_loss
from pipeline.training.targets import PartScores


@dataclass(frozen=True)
class TeacherFolders:
    """The folders of teachers and of their scores.

    teacher: trained on all training sentences.
    fold_teachers: `<fold>` is the teacher that has not seen this fold's sentences; not read with one fold.
    scores: `<fold>` is the store of this fold's sentences, by its teacher; with one fold by `teacher`.
    folds: how many there are.
    """

    teacher: Path
    fold_teachers: Path
    scores: Path
    folds: int

    def scoring(self, fold: int) -> Path:
        """The teacher whose scores the sentences of `fold` have."""
        return self.teacher if self.folds == 1 else self.fold_teachers / str(fold)

    @property
    def stores(self) -> list[Path]:
        """The store of each fold."""
        return [self.scores / str(fold) for fold in range(1, self.folds + 1)]


def labelled_parts(inputs: Inputs, folders: TeacherFolders) -> tuple[list[Batches], list[PartScores]]:
    """The training split fold by fold, and the scores of each.

    Raises:
        UserError: a folder is damaged, or a store was made from something else.
    """
    split = inputs.train
    parts, scores = [], []
    for fold, folder in enumerate(folders.stores, 1):
        rows = None if folders.folds == 1 else fold_rows(len(split.encoded), fold, folders.folds)
        origin = origin_of(inputs.encoded, folders.scoring(fold), fold=fold, folds=folders.folds)
        store = ScoreStore.open(folder, expect=origin)
        parts.append(split if rows is None else Batches(split.encoded, split.batch_size, rows))
        scores.append(PartScores(store, rows))
    return parts, scores


def student_inputs(
    method: str,
    own: Settings,
    student: Student,
    inputs: Inputs,
    folders: TeacherFolders,
    text: Path,
    unlabelled: Path,
) -> tuple[Inputs, Loss]:
    """The inputs, with the parts that the method's loss has targets for, and the loss on them.

    A method without a teacher's term learns from the labelled sentences alone, and reads no scores.

    Args:
        method: its name.
        own: its settings.
        student: those of the run.
        inputs: the labelled corpus.
        folders: the teachers' scores of it.
        text: what `encode_text` wrote.
        unlabelled: what `write_unlabelled` wrote for it.

    Raises:
        UserError: a folder is damaged or was made from something else.
    """
    scores: list[PartScores] = []
    if isinstance(own, Scheduled):
        parts, scores = labelled_parts(inputs, folders)
        if opened := open_unlabelled(text, unlabelled, inputs.train, folders.teacher):
            parts, scores = [*parts, opened[0]], [*scores, PartScores(opened[1])]
            inputs = replace(inputs, labelled_share=student.labelled_share)
        inputs = replace(inputs, parts=tuple(parts))
    return inputs, student_loss(method, own, scores, student.length(len(inputs.batches)))
