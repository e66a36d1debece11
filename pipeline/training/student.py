"""The training run of a student, by one method and with one seed."""

from pathlib import Path

from pipeline.distillation.settings import Settings
from pipeline.encoding.encoded import Encoded
from pipeline.model.chain_tagger import ChainTagger
from pipeline.storage.sealed_folder import check
from pipeline.training.loop import reproducible
from pipeline.training.run import Inputs, train_and_save
from pipeline.training.settings import Student
from pipeline.training.student_inputs import TeacherFolders, student_inputs


def train_student(
    student: Student,
    method: str,
    own: Settings,
    *,
    seed: int,
    encoded: Path,
    encoder: Path,
    folders: TeacherFolders,
    text: Path,
    unlabelled: Path,
    code: Path,
    root: Path,
    out: Path,
) -> None:
    """Train a student from the teachers' stored scores and the gold tags, and write the folder `out`.

    Args:
        student: of the run.
        method: its name.
        own: its settings.
        seed: of the head, data order and dropout.
        encoded: the encoded corpus.
        encoder: the pretrained encoder.
        folders: the teachers and their scores.
        text: text without tags, encoded, or a folder sealed empty.
        unlabelled: the teacher's scores of the text, or likewise.
        code: the hash of the code.
        root: of the project, where checkpoints lie.
        out: the folder to write.

    Raises:
        UserError, Interrupted: see training.loop.train.
    """
    check(encoder)
    inputs = Inputs.load(encoded, batch_size=student.batch_size, precision=student.precision)
    reproducible(seed)
    model = new_student(student, encoder, folders.teacher, inputs.train.encoded)
    inputs, loss = student_inputs(method, own, student, inputs, folders, text, unlabelled)
    train_and_save(
        model,
        inputs,
        loss,
        student,
        seed=seed,
        method=method,
        method_settings=own.model_dump(mode="json"),
        depends_on=[code, encoder, folders.teacher, *folders.stores, text, unlabelled],
        tokenizer=encoder,
        root=root,
        out=out,
    )


def new_student(student: Student, encoder: Path, teacher: Path, encoded: Encoded) -> ChainTagger:
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
