"""A student of this project, trained again as its folder says."""

import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from pipeline.errors import UserError
from pipeline.storage.file_names import HISTORY
from pipeline.storage.sealed_folder import check, filled
from pipeline.training.settings import Student


@dataclass(frozen=True)
class Recipe:
    """How a student was trained.

    own: the settings of its method, as JSON.
    """

    method: str
    own: dict[str, Any]
    seed: int
    student: Student

    @classmethod
    def of(cls, folder: Path) -> Self:
        """The recipe that the student's folder names.

        Raises:
            UserError: the folder is damaged, or holds no student of a run.
        """
        check(folder)
        made = json.loads((folder / HISTORY).read_text(encoding="utf-8")).get("made")
        if made is None or made["method"] == "teacher":
            raise UserError(f"{folder}: no student of a run; name data/students/METHOD/SEED")
        return cls(made["method"], made["settings"], made["seed"], Student(**made["training"]))

    @property
    def name(self) -> str:
        """Of the student, in tables."""
        return f"student, {self.method}" + (", BiLSTM" if self.student.network == "bilstm" else "")

    def as_json(self) -> dict[str, Any]:
        """What a result says of the student."""
        training = self.student.model_dump(mode="json")
        return {"method": self.method, "settings": self.own, "seed": self.seed, "training": training}

    def check_like_in_trainer(self) -> None:
        """Refuse a student that the Trainer of `transformers` cannot be compared with.

        Raises:
            UserError: it is no transformer, or was not trained by epochs.
        """
        if self.student.network != "transformer" or self.student.epochs is None:
            raise UserError(
                f"the first student's network is {self.student.network}, its epochs {self.student.epochs}; "
                "to compare with transformers, name one of student.network: transformer that was trained by "
                "epochs first"
            )

    def with_epochs(self, epochs: int) -> Self:
        """The recipe with another number of epochs, which the method's own would come before."""
        student = self.student.model_copy(update={"epochs": epochs, "steps": None})
        return replace(self, own=self.own | {"epochs": None}, student=student)


def train_again(recipe: Recipe, data: Path, counts: tuple[int, int], out: Path) -> dict[str, Any]:
    """Train the student once more, from what `data` holds, and write it to `out`.

    Args:
        recipe: of the student.
        data: what the pipeline made.
        counts: how many teachers score a sentence, and how many folds there are.
        out: the folder to write.
    """
    from pipeline.distillation.registry import method_settings
    from pipeline.training.student import train_student
    from pipeline.training.teacher_folders import TeacherFolders

    first = filled(data / "imported_scores", data / "teacher")
    places = (data / "scoring_teachers", data / "scores", data / "text_scores")
    with TemporaryDirectory() as root:
        train_student(
            recipe.student,
            recipe.method,
            method_settings(recipe.method)(**recipe.own),
            seed=recipe.seed,
            encoded=filled(data / "student_encoded", data / "encoded"),
            encoder=filled(data / "student_encoder", data / "encoder"),
            folders=TeacherFolders(data / "teacher", first, *places, *counts),
            text=filled(data / "student_text_encoded", data / "text_encoded"),
            code=data / "code" / "distill" / recipe.method,
            root=Path(root),
            out=out,
        )
    return {}


def epoch_seconds(student: Student, data: Path, rows: int, seed: int) -> dict[str, float]:
    """Seconds (`training_seconds`) of one epoch of the first `rows` training sentences, without development.

    From the gold tags, without a teacher.
    """
    import torch

    from pipeline.storage.checkpoint import Checkpoint
    from pipeline.training.loop import reproducible, train
    from pipeline.training.loss import gold_loss
    from pipeline.training.run import Inputs, speed_up_training
    from pipeline.training.student import new_student

    encoded = filled(data / "student_encoded", data / "encoded")
    encoder = filled(data / "student_encoder", data / "encoder")
    inputs = Inputs.load(
        encoded,
        batch_size=student.batch_size,
        precision=student.precision,
        rows=lambda count: torch.arange(min(rows, count)),
    )
    reproducible(seed)
    model = new_student(student, encoder, data / "teacher", inputs.train.encoded)
    speed_up_training(model, inputs)
    with TemporaryDirectory() as folder, Checkpoint.hold(Path(folder), "epoch") as checkpoint:
        began = time.perf_counter()
        train(
            model,
            inputs.batches,
            gold_loss,
            student.model_copy(update={"epochs": 1}),
            seed=seed,
            development=lambda: 0.0,
            accelerator=inputs.accelerator,
            checkpoint=checkpoint,
            label="student",
        )
        return {"training_seconds": time.perf_counter() - began}


def export(folder: Path, out: Path, int8: bool) -> dict[str, Any]:
    """Write the student's export."""
    from pipeline.exporting.onnx_folder import write_export

    write_export(folder, out, int8=int8)
    return {}
