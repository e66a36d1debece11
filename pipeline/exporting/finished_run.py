"""A distilled student with all that its run left behind, checked to belong together."""

from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.corpora.settings import Corpus
from pipeline.distillation.settings import Settings
from pipeline.encoding.encoder_config import CONFIG
from pipeline.encoding.pretrained import known_config
from pipeline.errors import UserError
from pipeline.evaluation.settings import Evaluate
from pipeline.fetching.settings import Source
from pipeline.model.model_folder import HISTORY, WEIGHTS
from pipeline.model.tagger_config import tagger_values
from pipeline.reporting.outcomes import Outcome, read_history, read_json, read_outcome
from pipeline.scores.settings import Dump
from pipeline.storage.sealed_folder import check
from pipeline.training.settings import Student, Teacher


@dataclass(frozen=True)
class RunSettings:
    """The groups of params.yaml that a run of one method had.

    task: the name of `corpus`.
    encoder: where `teacher.encoder` comes from.
    student: with what the method sets for itself.
    method: the entry `distill.<method>`.
    seeds: of the method's students.
    """

    task: str
    corpus: Corpus
    encoder: Source
    teacher: Teacher
    dump: Dump
    student: Student
    method: Settings
    evaluate: Evaluate
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class FinishedRun:
    """A student and its figures.

    method, seed: which one it is.
    settings: those of the run.
    made: how the student says that it was made (see runs.train_and_save).
    config: what the student's config.json says, in ChainTaggerConfig's terms.
    layers: of its encoder.
    kept: the epoch, from 1, whose weights it has.
    outcomes: on the test set, of all the method's seeds that were scored; this student's is among them.
    teacher: likewise, the teacher's.
    """

    method: str
    seed: int
    settings: RunSettings
    made: dict[str, Any]
    config: dict[str, Any]
    layers: int
    kept: int
    outcomes: dict[int, Outcome]
    teacher: Outcome

    @property
    def head(self) -> str:
        """The student's: crf or softmax."""
        return str(self.config["head"])

    @property
    def outcome(self) -> Outcome:
        """This student's."""
        return self.outcomes[self.seed]


def read_run(model: Path, scored: Path, settings: RunSettings, methods: Container[str]) -> FinishedRun:
    """Read the student in `…/METHOD/SEED` and its figures in the folder `scored`, `…/METHOD/SEED` too.

    The teacher's figures stand in `../../teacher` of `scored`, other seeds' beside it.

    Raises:
        UserError: one of the folders is missing or damaged, is no student or not its figures, or `settings`
            are not those that the student was trained with.
    """
    method, seed = student_name(model, methods)
    if student_name(scored, methods) != (method, seed):
        raise UserError(f"{scored}: is of another student than {model}; name data/eval/{method}/{seed}")
    if not model.is_dir():
        raise UserError(f"{model}: missing; run `dvc repro distill@{method}-{seed}`")
    check(model)
    target = f"distill@{method}-{seed}"
    config = tagger_values(read_json(model / CONFIG, target=target))
    epochs = read_history(model, target=target)
    history = read_json(model / HISTORY, target=target, numbers=("kept",))
    kept = int(history["kept"])
    made = _checked(history.get("made"), model, method, seed, settings)
    outcomes = {
        other: read_outcome(scored.parent / str(other), target=f"evaluate@{method}-{other}")
        for other in sorted({seed, *settings.seeds})
        if other == seed or (scored.parent / str(other)).is_dir()
    }
    measured = (outcomes[seed].metrics["megabytes"], outcomes[seed].metrics.get("development_f1"))
    if measured != ((model / WEIGHTS).stat().st_size / 1e6, epochs[kept - 1]["development_f1"]):
        raise UserError(f"{scored}: was not measured on {model}; run `dvc repro evaluate@{method}-{seed}`")
    layers = known_config(config["encoder"], str(model)).num_hidden_layers
    teacher = read_outcome(scored.parent.parent / "teacher", target="evaluate_teacher")
    return FinishedRun(method, seed, settings, made, config, layers, kept, outcomes, teacher)


def _checked(made: Any, model: Path, method: str, seed: int, settings: RunSettings) -> dict[str, Any]:
    """How the student was made, which must be what its path and `settings` say."""
    if not isinstance(made, dict):
        raise UserError(f"{model / HISTORY}: does not say how it was made; run `dvc repro -f distill`")
    if (made["method"], made["seed"]) != (method, seed):
        raise UserError(f"{model}: was made by {made['method']} with seed {made['seed']}; name it so")
    groups = (
        ("student", made["training"], settings.student),
        (f"distill.{method}", made["settings"], settings.method),
    )
    for group, found, given in groups:
        for key, said in given.model_dump(mode="json").items():
            if said != found.get(key):
                raise UserError(
                    f"{group}.{key}: {said}, but {model} was made with {found.get(key)}; give its own "
                    "parameters with --params"
                )
    return made


def student_name(folder: Path, methods: Container[str]) -> tuple[str, int]:
    """Method and seed, the last two parts of a folder's path.

    Raises:
        UserError: they are none of `methods` and a number.
    """
    *_, method, seed = ("", "", *folder.absolute().parts)
    if method not in methods or not (seed.isascii() and seed.isdigit()):
        raise UserError(f"{folder}: is no student's; name one METHOD/SEED, as data/students/efficient/1")
    return method, int(seed)
