"""What one student learns from: batches, and the loss that looks their targets up."""

from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.distillation.settings import Scheduled, Settings
from pipeline.encoding.batching import Batches
from pipeline.encoding.folds import fold_rows
from pipeline.scores.dump import origin_of, scoring_teacher
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
    """The training split fold by fold, and the scores of each.

    Raises:
        UserError: a folder is damaged, or a store was made from something else.
    """
    split = inputs.train
    parts, scores = [], []
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
            parts, scores = [*parts, text[0]], [*scores, PartScores((text[1],))]
        inputs = replace(inputs, parts=tuple(parts))
    steps = len(inputs.batches) * student.epochs
    return inputs, student_loss(method, own, scores, steps=steps, epochs=student.epochs)
