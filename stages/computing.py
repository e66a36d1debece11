"""The stages that compute: what bounds their memory, and whether several processes may share the work."""

from typing import NamedTuple


class Computing(NamedTuple):
    """A stage that computes.

    batch_size: the parameter that its memory grows with.
    several: whether it may run as several processes (see `stages.launch`).
    """

    batch_size: str
    several: bool = True


STAGES = {
    "teacher": Computing("teacher.batch_size"),
    "further_teacher": Computing("teacher.batch_size"),
    "fold_teacher": Computing("teacher.batch_size"),
    "dump": Computing("dump.batch_size"),
    "dump_text": Computing("dump.batch_size"),
    "distill": Computing("student.batch_size"),
    "time_epochs": Computing("student.batch_size", several=False),
    "evaluate": Computing("evaluate.batch_size", several=False),
}


def runs_as_several(stage: str) -> bool:
    """Whether the stage may run as several processes."""
    return stage in STAGES and STAGES[stage].several
