"""The epoch times of a run, from the folders that its stages wrote."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.encoding.batching import Batches
from pipeline.encoding.split_file import load
from pipeline.timing.epochs import epoch_times
from pipeline.timing.settings import TimeEpochs
from pipeline.timing.shapes import timed_models
from pipeline.training.loop import reproducible
from pipeline.training.run import Inputs, speed_up_training
from pipeline.training.settings import Student
from pipeline.training.student_inputs import labelled_parts
from pipeline.training.teacher_folders import TeacherFolders


def time_run(
    methods: Sequence[str],
    student: Student,
    settings: TimeEpochs,
    *,
    encoded: Path,
    student_encoded: Path,
    student_encoder: Path,
    folders: TeacherFolders,
) -> dict[str, Any]:
    """What `epoch_times` gives for the students of a run, on its labelled sentences.

    Args:
        methods: what to time.
        student: how the students are trained.
        settings: how much is measured, and with which encoders.
        encoded: the corpus for the teacher's encoder.
        student_encoded: the corpus for the students'; the same folder where theirs is the teacher's.
        student_encoder: the students' pretrained encoder.
        folders: the teachers, and their scores of the corpus.

    Raises:
        UserError: a folder is damaged, or a store was made from something else.
    """
    inputs = Inputs.load(student_encoded, batch_size=student.batch_size, precision=student.precision)
    parts, scores = labelled_parts(inputs, folders)
    inputs = replace(inputs, parts=tuple(parts))
    reproducible(seed=0)
    teacher, model = timed_models(settings, student, student_encoder, folders.teacher, inputs.train.encoded)
    speed_up_training(model, inputs)
    teacher_batches = None
    if student_encoded != encoded and settings.shapes == "encoder":
        teacher_batches = Batches(load(encoded / "train.parquet"), student.batch_size)
    return epoch_times(
        methods,
        inputs.batches,
        scores,
        teacher,
        model,
        student,
        settings,
        inputs.accelerator,
        teacher_batches=teacher_batches,
    )
