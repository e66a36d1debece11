"""The training run of a student, by one method and with one seed."""

from pathlib import Path

from pipeline.distillation.settings import Settings
from pipeline.encoding.encoded import Encoded
from pipeline.model.chain_tagger import ChainTagger
from pipeline.storage.sealed_folder import check
from pipeline.training.loop import reproducible
from pipeline.training.run import Inputs, Run, train_and_save
from pipeline.training.settings import Student
from pipeline.training.student_inputs import student_inputs
from pipeline.training.student_settings import student_settings
from pipeline.training.teacher_folders import TeacherFolders


def train_student(
    student: Student,
    method: str,
    settings: Settings,
    *,
    seed: int,
    encoded: Path,
    encoder: Path,
    folders: TeacherFolders,
    text: Path,
    code: Path,
    root: Path,
    out: Path,
    tensorboard: bool = False,
) -> None:
    """Train a student from the teachers' stored scores and the gold tags, and write the folder `out`.

    Args:
        student: of the run.
        method: its name.
        settings: the method's own, which come before those of `student`.
        seed: of the head, data order and dropout.
        encoded: the encoded corpus.
        encoder: the pretrained encoder.
        folders: the teachers, and their scores of the corpus and the text.
        text: unlabelled text, encoded, or a folder sealed empty.
        code: the hash of the code.
        root: of the project, where checkpoints lie.
        out: the folder to write.
        tensorboard: whether live metrics go to TensorBoard too.

    Raises:
        UserError, Interrupted: see training.loop.train.
    """
    check(encoder)
    student = student_settings(student, settings)
    inputs = Inputs.load(encoded, batch_size=student.batch_size, precision=student.precision)
    reproducible(seed)
    model = new_student(student, encoder, folders.teacher, inputs.train.encoded)
    inputs, loss = student_inputs(method, settings, student, inputs, folders, text)
    run = Run(
        method,
        settings.model_dump(mode="json"),
        seed,
        name=f"{method}-{seed}",
        label=f"{method}, seed {seed}",
        scored_by={"teachers": folders.teachers, "folds": folders.folds},
    )
    train_and_save(
        model,
        inputs,
        loss,
        student,
        run,
        depends_on=[code, encoder, folders.teacher, *folders.stores, text],
        tokenizer=encoder,
        root=root,
        out=out,
        tensorboard=tensorboard,
    )


def new_student(student: Student, encoder: Path, teacher: Path, encoded: Encoded) -> ChainTagger:
    """A new student: the first layers of the pretrained encoder or of the teacher, or a BiLSTM.

    Args:
        student: its settings; `network` and `init` say which.
        encoder: the folder of the student's pretrained encoder.
        teacher: the folder of the teacher.
        encoded: a split, for the tag set and the layout.

    Raises:
        UserError: the folder does not fit.
    """
    if student.network == "bilstm":
        return ChainTagger.from_embeddings(
            encoder, encoded, **student.bilstm.model_dump(), dropout=student.dropout
        )
    shape = student.model_dump(include={"layers", "dropout", "head"})
    if student.init == "teacher":
        return ChainTagger.from_teacher(teacher, **shape)
    return ChainTagger.from_encoder(encoder, encoded, **shape)
