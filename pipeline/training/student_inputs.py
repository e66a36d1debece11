"""What one student starts from and learns from: the new model, batches, and the loss on them."""

from dataclasses import replace
from pathlib import Path

from pipeline.distillation.settings import Scheduled, Settings
from pipeline.encoding.encoded import Encoded
from pipeline.model.chain_tagger import ChainTagger
from pipeline.scores.dump import origin_of
from pipeline.scores.store import ScoreStore
from pipeline.scores.unlabelled import open_unlabelled
from pipeline.training.loop import Loss
from pipeline.training.run import Inputs
from pipeline.training.settings import Student
from pipeline.training.student_loss import student_loss


def student_model(student: Student, encoder: Path, teacher: Path, encoded: Encoded) -> ChainTagger:
    """A new student with the first layers of the pretrained encoder, or of the teacher.

    Args:
        student: its settings; `init` says which of the two.
        encoder: the folder of the pretrained encoder.
        teacher: the folder of the teacher.
        encoded: a split, for the tag set and the layout.

    Raises:
        UserError: the folder does not fit.
    """
    shape = student.model_dump(include={"layers", "dropout", "head"})
    if student.init == "teacher":
        return ChainTagger.from_teacher(teacher, **shape)
    return ChainTagger.from_encoder(encoder, encoded, **shape)


def student_inputs(
    method: str,
    own: Settings,
    student: Student,
    inputs: Inputs,
    teacher: Path,
    scores: Path,
    unlabelled: Path,
) -> tuple[Inputs, Loss]:
    """The inputs, with the unlabelled sentences where the method has a teacher's term, and the loss on them.

    Args:
        method: its name.
        own: its settings.
        student: those of the run.
        inputs: the labelled corpus.
        teacher: whose scores both stores must hold.
        scores: its scores of the training split.
        unlabelled: what `unlabelled.write_unlabelled` wrote, or a folder sealed empty.

    Raises:
        UserError: a folder is damaged or was made from something else.
    """
    store = ScoreStore.open(scores, expect=origin_of(inputs.encoded, teacher))
    text = open_unlabelled(unlabelled, inputs.train, teacher) if isinstance(own, Scheduled) else None
    more = None
    if text is not None:
        inputs, more = replace(inputs, unlabelled=text[0]), text[1]
    steps = len(inputs.batches) * student.epochs
    return inputs, student_loss(method, own, store, unlabelled=more, steps=steps, epochs=student.epochs)
