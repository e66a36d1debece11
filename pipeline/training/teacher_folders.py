"""Where the teachers of a run and their scores lie."""

from dataclasses import dataclass
from pathlib import Path

from pipeline.scores.scoring import scoring_teacher


@dataclass(frozen=True)
class TeacherFolders:
    """The folders of teachers and of their scores.

    teacher: trained on all training sentences, or given.
    first: `teacher`, or scores from elsewhere; as teacher 1 it scores the text, and all sentences if there is
        one fold.
    scoring_teachers: the others (see `scoring_teacher`).
    scores: `<number>/<fold>` is the store of the fold's sentences, by the teacher of this number.
    text_scores: `<number>` is the store of the unlabelled text; None where none is read.
    teachers: how many score each sentence.
    folds: how many there are.
    """

    teacher: Path
    first: Path
    scoring_teachers: Path
    scores: Path
    text_scores: Path | None = None
    teachers: int = 1
    folds: int = 1

    @property
    def numbers(self) -> range:
        """The numbers of the teachers, from 1."""
        return range(1, self.teachers + 1)

    def scoring(self, number: int, fold: int) -> Path:
        """The teacher of this number whose scores the sentences of `fold` have."""
        return scoring_teacher(self.first, self.scoring_teachers, number, fold, self.folds)

    def store(self, number: int, fold: int) -> Path:
        """The store of the sentences of `fold`, scored by the teacher of this number."""
        return self.scores / str(number) / str(fold)

    @property
    def text_scoring(self) -> list[Path]:
        """The teachers whose scores the unlabelled text has."""
        return [scoring_teacher(self.first, self.scoring_teachers, number, 1, 1) for number in self.numbers]

    @property
    def text_stores(self) -> list[Path]:
        """The stores of the unlabelled text, one for each teacher; none where no text is read."""
        return [] if self.text_scores is None else [self.text_scores / str(number) for number in self.numbers]

    @property
    def stores(self) -> list[Path]:
        """All stores."""
        folds = range(1, self.folds + 1)
        labelled = [self.store(number, fold) for number in self.numbers for fold in folds]
        return [*labelled, *self.text_stores]
