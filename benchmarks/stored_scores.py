"""The teacher's scores that the pipeline made of the labelled sentences, as a training loss reads them."""

from pathlib import Path

from pipeline.storage.sealed_folder import filled
from pipeline.training.run import Inputs
from pipeline.training.student_inputs import labelled_parts
from pipeline.training.targets import PartScores
from pipeline.training.teacher_folders import TeacherFolders


def stored_scores(inputs: Inputs, data: Path) -> list[PartScores]:
    """The scores, of one teacher and one fold, in the folder `data` of a finished pipeline.

    Raises:
        UserError: a folder is damaged, or the store was made from something else.
    """
    teacher = data / "teacher"
    first = filled(data / "imported_scores", teacher)
    folders = TeacherFolders(teacher, first, data / "scoring_teachers", data / "scores")
    return labelled_parts(inputs, folders)[1]
