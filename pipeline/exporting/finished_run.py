"""A student with the metrics and settings of its run, checked to belong together."""

from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.corpora.settings import Corpus, Unlabelled
from pipeline.distillation.settings import Settings
from pipeline.encoding.pretrained import known_config
from pipeline.errors import UserError
from pipeline.evaluation.settings import Evaluate
from pipeline.fetching.settings import Source
from pipeline.model.tagger_config import tagger_values
from pipeline.reporting.stage_outputs import (
    SavedEvaluation,
    read_evaluation,
    read_history,
    read_output,
    run_again,
)
from pipeline.reporting.summary import check_same_test_set
from pipeline.scores.settings import Dump
from pipeline.storage.file_names import CONFIG, HISTORY, WEIGHTS
from pipeline.storage.sealed_folder import check
from pipeline.training.settings import Student, Teacher

_DESCRIBED = {"head", "encoder", "tag_set", "input_layout"}  # what a card reads of config.json
_MADE = {"method", "seed", "settings", "training", "teachers", "folds"}  # and of `made` in history.json


@dataclass(frozen=True)
class RunSettings:
    """The settings of a run of one method.

    task: the name of `corpus`.
    encoder: where `teacher.encoder` comes from.
    student_encoder: where `student.encoder` comes from; None: the students have the teacher's.
    text, augmented: unlabelled text, and augmented sentences per labelled one.
    student: with the epochs and learning rate of the method, where it has its own.
    method: the entry `distill.<method>`.
    seeds: of the method's students.
    teachers, folds: how many the scores come from.
    """

    task: str
    corpus: Corpus
    encoder: Source
    student_encoder: Source | None
    teacher: Teacher
    dump: Dump
    text: Unlabelled
    augmented: int
    student: Student
    method: Settings
    evaluate: Evaluate
    seeds: tuple[int, ...]
    teachers: int
    folds: int


@dataclass(frozen=True)
class FinishedRun:
    """A student with its metrics.

    method, seed: those that name it.
    settings: those of the run.
    made: the entry `made` of the student's history.json (see training.run.train_and_save).
    config: the student's config.json, as ChainTaggerConfig has it.
    layers: of its encoder.
    epochs: of its training.
    kept: which of them, from 1, the weights are of.
    evaluations: of the method's students on the test set by seed, this one among them.
    teacher: the teacher's evaluation on the test set.
    """

    method: str
    seed: int
    settings: RunSettings
    made: dict[str, Any]
    config: dict[str, Any]
    layers: int
    epochs: int
    kept: int
    evaluations: dict[int, SavedEvaluation]
    teacher: SavedEvaluation

    @property
    def head(self) -> str:
        """The student's head: crf or softmax."""
        return str(self.config["head"])

    @property
    def evaluation(self) -> SavedEvaluation:
        """This student's evaluation on the test set."""
        return self.evaluations[self.seed]


def read_run(model: Path, evaluated: Path, settings: RunSettings, methods: Container[str]) -> FinishedRun:
    """The run of the student in the folder `model`, whose metrics are in the folder `evaluated`.

    Both end in METHOD/SEED. The teacher's metrics are in `../../teacher` of `evaluated`. Students of other
    seeds count if they lie beside `model`, and their metrics beside `evaluated`.

    Raises:
        UserError: a folder is missing or damaged, is no student or has the metrics of another one,
            `settings` are not those that a student was trained with, or the test sets differ.
    """
    method, seed = student_name(model, methods)
    if student_name(evaluated, methods) != (method, seed):
        raise UserError(
            f"{evaluated}: has the metrics of a student other than {model}; name data/eval/{method}/{seed}"
        )
    target = f"distill@{method}-{seed}"
    if not model.is_dir():
        raise UserError(f"{model}: missing; run `dvc repro {target}`")
    check(model)
    config = tagger_values(read_output(model / CONFIG, target=target))
    if missing := _DESCRIBED - config.keys():
        raise UserError(f"{model / CONFIG}: has no {min(missing)}; {run_again(target)}")
    student = _read_student(model, evaluated, method, seed, settings)
    evaluations = {seed: student.evaluation}
    for other in settings.seeds:
        beside, scored = model.parent / str(other), evaluated.parent / str(other)
        if other != seed and beside.is_dir() and scored.is_dir():
            evaluations[other] = _read_student(beside, scored, method, other, settings).evaluation
    teacher = read_evaluation(evaluated.parent.parent / "teacher", target="evaluate_teacher")
    check_same_test_set(teacher, {method: evaluations})
    layers = known_config(config["encoder"], str(model)).num_hidden_layers
    return FinishedRun(
        method, seed, settings, student.made, config, layers,
        student.epochs, student.kept, dict(sorted(evaluations.items())), teacher,
    )  # fmt: skip


class _Student(NamedTuple):
    """What the files of one student say; the fields are those of `FinishedRun`."""

    made: dict[str, Any]
    epochs: int
    kept: int
    evaluation: SavedEvaluation


def _read_student(model: Path, evaluated: Path, method: str, seed: int, settings: RunSettings) -> _Student:
    """How the student in the folder `model` was made, and its evaluation, checked to belong together.

    Raises:
        UserError: they do not, or `settings` are not those that the student was trained with.
    """
    target = f"distill@{method}-{seed}"
    epochs = read_history(model, target=target)
    history = read_output(model / HISTORY, target=target, numbers=("kept",))
    kept = int(history["kept"])
    if not 1 <= kept <= len(epochs):
        raise UserError(f"{model / HISTORY}: has no epoch {kept}; {run_again(target)}")
    made = _checked(history.get("made"), model, method, seed, settings)
    evaluation = read_evaluation(evaluated, target=f"evaluate@{method}-{seed}")
    measured = (evaluation.metrics["megabytes"], evaluation.metrics.get("development_f1"))
    if measured != ((model / WEIGHTS).stat().st_size / 1e6, epochs[kept - 1]["development_f1"]):
        raise UserError(f"{evaluated}: was not measured on {model}; run `dvc repro evaluate@{method}-{seed}`")
    return _Student(made, len(epochs), kept, evaluation)


def _checked(made: Any, model: Path, method: str, seed: int, settings: RunSettings) -> dict[str, Any]:
    """The entry `made` of history.json, checked against the path and `settings`.

    Raises:
        UserError: they differ.
    """
    if not isinstance(made, dict) or not made.keys() >= _MADE:
        again = run_again(f"distill@{method}-{seed}")
        raise UserError(f"{model / HISTORY}: does not say how it was made; {again}")
    if (made["method"], made["seed"]) != (method, seed):
        raise UserError(f"{model}: was made by {made['method']} with seed {made['seed']}; rename it")
    groups = (
        ("student", made["training"], settings.student),
        (f"distill.{method}", made["settings"], settings.method),
    )
    for group, found, given in groups:
        for key, value in given.model_dump(mode="json", exclude={"encoder"}).items():  # as train_and_save
            # train_and_save keeps the last of all epochs, whatever these say, where development has no span.
            if value != found.get(key) and (key, found.get(key)) not in (
                ("keep", "last"),
                ("patience", None),
            ):
                raise UserError(
                    f"{group}.{key}: {value}, but {model} was made with {found.get(key)}; give its "
                    f"params.yaml with --params, or run `dvc repro evaluate@{method}-{seed}`"
                )
    for key, count in (("teachers", settings.teachers), ("folds", settings.folds)):
        if made[key] != count:
            raise UserError(
                f"{key}: lists {count}, but {model} was made with {made[key]}; give its "
                f"params.yaml with --params, or run `dvc repro evaluate@{method}-{seed}`"
            )
    return made


def student_name(folder: Path, methods: Container[str]) -> tuple[str, int]:
    """Method and seed of a student, the last two parts of its folder's path.

    Raises:
        UserError: they are none of `methods` and a number.
    """
    *_, method, seed = ("", "", *folder.absolute().parts)
    if method not in methods or not (seed.isascii() and seed.isdigit()):
        raise UserError(
            f"{folder}: is not a student's folder; name METHOD/SEED, such as data/students/efficient/1"
        )
    return method, int(seed)
