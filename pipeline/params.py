"""params.yaml as a whole, composed of each package's settings: frozen, validated, closed to unknown keys.

It holds no paths of the pipeline: those stand only in dvc.yaml.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, create_model, model_validator

from pipeline.corpora.schemes import FileScheme
from pipeline.corpora.settings import Corpus, Unlabelled
from pipeline.distillation.registry import method_names, method_settings
from pipeline.distillation.settings import Scheduled, Settings
from pipeline.encoding.settings import Prepare
from pipeline.errors import UserError, one_line
from pipeline.evaluation.settings import Evaluate
from pipeline.fetching.settings import Source, encoder_source
from pipeline.params_complaint import complaint
from pipeline.scores.settings import Dump
from pipeline.settings import Count, Group, Head, Name, Precision, Seed
from pipeline.storage.yaml_file import read_yaml
from pipeline.timing.settings import TimeEpochs
from pipeline.training.settings import Live, Student, Teacher

_METHODS = {name: method_settings(name) for name in method_names()}
_ENTRIES: dict[str, Any] = {name: (settings, settings()) for name, settings in _METHODS.items()}
Distill = create_model("Distill", __base__=Group, **_ENTRIES)


class Params(Group):
    """The whole of params.yaml."""

    task: str
    methods: Annotated[tuple[str, ...], Field(min_length=1)]
    method: str
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)]
    teachers: Annotated[tuple[Count, ...], Field(min_length=1, max_length=100)] = (1,)
    folds: Annotated[tuple[Count, ...], Field(min_length=1, max_length=100)] = (1,)
    corpora: dict[Name, Corpus]
    unlabelled: Unlabelled
    sources: dict[str, Source] = Field(default={})
    prepare: Prepare
    teacher: Teacher
    dump: Dump
    student: Student
    distill: Distill  # type: ignore[valid-type]  # one field per file in distillation/methods
    evaluate: Evaluate
    time_epochs: TimeEpochs
    live: Live = Live()

    @property
    def corpus(self) -> Corpus:
        """The entry of `corpora` that `task` names."""
        return self.corpora[self.task]

    @property
    def encoder(self) -> Source:
        """Where the teacher's encoder comes from: `teacher.model` if there is one, else `teacher.encoder`."""
        return encoder_source(self.teacher.model, self.teacher.encoder, sources=self.sources)

    @property
    def teacher_labels(self) -> tuple[dict[str, str | None], FileScheme | None]:
        """`teacher.types` and `teacher.scheme`."""
        return self.teacher.types, self.teacher.scheme

    @property
    def student_encoder(self) -> Source | None:
        """Where `student.encoder` comes from; None: the students take the teacher's."""
        return encoder_source(self.student.encoder, sources=self.sources) if self.student.encoder else None

    @property
    def student_shape(self) -> tuple[str, int, int]:
        """The students' network, layers of a transformer, and width of a BiLSTM's embeddings."""
        return self.student.network, self.student.layers, self.student.bilstm.width

    @property
    def heads(self) -> tuple[Head, Head | None]:
        """The students' head, and the teacher's if it is trained here."""
        return self.student.head, None if self.teacher.model else self.teacher.head

    @property
    def starts(self) -> dict[str, Settings]:
        """The settings of each method of the run, in which `init` says what its students start from."""
        settings = {name: self.settings(name) for name in self.methods}
        return {
            name: own.model_copy(update={"init": own.init or self.student.init})
            for name, own in settings.items()
        }

    @property
    def precisions(self) -> dict[str, Precision]:
        """By its key, each precision in which an encoder of the run is computed."""
        teacher = {} if self.teacher.model else {"teacher.precision": self.teacher.precision}
        dump = {} if self.dump.scores else {"dump.precision": self.dump.precision}
        students = {"student.precision": self.student.precision}
        return teacher | dump | students | {"evaluate.precision": self.evaluate.precision}

    @property
    def counts(self) -> tuple[int, int]:
        """How many teachers score a sentence, and how many folds there are."""
        return len(self.teachers), len(self.folds)

    def folds_of(self, teacher: int, fold: int) -> int:
        """How many folds there are, of which `fold` is scored by `teacher`, both from 1.

        Raises:
            UserError: there is no such teacher or fold.
        """
        for key, number, numbers in (("teachers", teacher, self.teachers), ("folds", fold, self.folds)):
            if number not in numbers:
                raise UserError(
                    f"--item: params.yaml lists no {number} under `{key}`; choose one that is listed"
                )
        return len(self.folds)

    @property
    def text(self) -> Unlabelled:
        """The unlabelled text: of `unlabelled.files`, or else of the corpus's own `files.unlabelled`."""
        return self.unlabelled.or_own(self.corpus)

    @property
    def augmented(self) -> int:
        """`unlabelled.augmented`: augmented sentences per labelled one."""
        return self.unlabelled.augmented

    @property
    def imported_scores(self) -> str | None:
        """`dump.scores`: where scores from elsewhere come from, if there are any."""
        return self.dump.scores

    def settings(self, method: str) -> Settings:
        """The entry `distill.<method>`, of the type that the method's own file defines.

        Raises:
            UserError: there is no such method.
        """
        if method not in _METHODS:
            raise UserError(f"there is no method {method!r}; choose one of {', '.join(_METHODS)}")
        settings: Settings = getattr(self.distill, method)
        return settings

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        _one_of("task", [self.task], self.corpora)
        _one_of("methods", self.methods, _METHODS)
        _one_of("method", [self.method], self.methods)
        return self

    @model_validator(mode="after")
    def _teachers_and_folds_fit(self) -> Self:
        for key, numbers, one in (("teachers", self.teachers, "one"), ("folds", self.folds, "none")):
            if numbers != tuple(range(1, len(numbers) + 1)):
                raise ValueError(
                    f"{key}: must be numbered from 1, not {list(numbers)}; "
                    f"write [1, 2] for two, [1] for {one}"
                )
        if self.dump.scores and self.counts != (1, 1):
            raise ValueError("dump.scores: replaces one teacher; set teachers: [1] and folds: [1]")
        if len(self.teachers) > 1 and len(self.folds) > 1:
            raise ValueError("teachers: several teachers cannot have several folds; set folds: [1]")
        return self

    @model_validator(mode="after")
    def _no_entry_twice(self) -> Self:
        for key, values in (("methods", self.methods), ("seeds", self.seeds)):
            if len(set(values)) < len(values):
                raise ValueError(f"{key}: lists an entry twice")
        return self

    @model_validator(mode="after")
    def _one_length_is_given(self) -> Self:
        for name in self.methods:
            if self.student.steps is not None and self.settings(name).epochs is not None:
                raise ValueError(f"distill.{name}.epochs: student.steps is given; empty one of them")
        return self

    @model_validator(mode="after")
    def _teachers_layers_fit(self) -> Self:
        if not self.student.has_teachers_layers:
            misfit = "student.encoder" if self.student.encoder else "student.network: bilstm"
        elif None in self.teacher.types.values():
            misfit = "teacher.types with null, since the teacher has labels that the student has not"
        else:
            return self
        for name in self.methods:
            own = self.settings(name).init
            if (own or self.student.init) == "teacher":
                key = f"distill.{name}.init" if own else "student.init"
                raise ValueError(
                    f"{key}: `teacher` starts from the teacher's first layers, which do not fit {misfit}; "
                    f"set {key}: pretrained"
                )
        return self

    @model_validator(mode="after")
    def _heads_fit(self) -> Self:
        trained_here = self.teacher.model is None and self.dump.scores is None
        if trained_here and (self.teacher.head, self.student.head) == ("crf", "softmax"):
            for name in self.methods:
                if _METHODS[name].matches_transitions:
                    raise ValueError(
                        f"methods: {name} matches the teacher's transitions, and student.head: softmax "
                        "has none; remove it, or set teacher.head: softmax too"
                    )
        return self

    @model_validator(mode="after")
    def _given_teacher_fits(self) -> Self:
        if self.teacher.model is None:
            for key, value in (("types", self.teacher.types), ("scheme", self.teacher.scheme)):
                if value:
                    raise ValueError(f"teacher.{key}: is not used without teacher.model; remove it")
        elif self.counts != (1, 1):
            key = "teachers" if len(self.teachers) > 1 else "folds"
            raise ValueError(
                f"{key}: cross-fitting and several teachers need teachers trained here; set folds and "
                "teachers to [1], or leave teacher.model empty"
            )
        return self

    @model_validator(mode="after")
    def _share_has_text(self) -> Self:
        if self.student.labelled_share is not None and not (self.text.files or self.augmented):
            raise ValueError(
                "student.labelled_share: is used only with unlabelled text; empty it, or see unlabelled"
            )
        return self

    @model_validator(mode="after")
    def _learns_from_text_alone(self) -> Self:
        """Without labelled sentences nothing may need a gold tag."""
        if self.corpus.files.train is not None:
            return self
        missing = f"corpora.{self.task}.files.train: is missing; add it, or"
        if self.teacher.model is None:
            raise ValueError(f"{missing} name an existing teacher under teacher.model")
        if self.unlabelled.sentences in (0, 1):  # some are development
            raise ValueError(f"{missing} set unlabelled.sentences to more than 1")
        if not self.text.files:
            raise ValueError(f"{missing} give unlabelled text under unlabelled.files")
        if self.augmented:
            raise ValueError(
                f"unlabelled.augmented: corpora.{self.task} has no files.train to augment; set 0"
            )
        if self.student.labelled_share is not None:
            raise ValueError(
                f"student.labelled_share: corpora.{self.task} has no files.train, so that no batch is "
                "labelled; empty it"
            )
        for name in self.methods:
            self._check_without_gold_tags(name)
        return self

    def _check_without_gold_tags(self, method: str) -> None:
        settings = self.settings(method)
        if not isinstance(settings, Scheduled):
            raise ValueError(
                f"methods: {method} learns from gold tags, and corpora.{self.task} has no files.train; "
                "remove it"
            )
        if (settings.schedule, settings.weight) != ("constant", 1.0):
            raise ValueError(
                f"distill.{method}.schedule: must be constant and weight 1.0, as corpora.{self.task} has "
                "no files.train, so that there are no gold tags to learn from; set both"
            )


def load_params(path: Path) -> Params:
    """Read and validate params.yaml.

    Raises:
        UserError: the file is missing or no YAML, or a key is unknown, missing or has a wrong value; the line
            names the key and the choices.
    """
    tree = read_yaml(path)
    if not isinstance(tree, dict):
        raise UserError(
            f"{path}: holds no groups of parameters; it must have {', '.join(Params.model_fields)}"
        )
    try:
        return Params.model_validate_json(json.dumps(tree), strict=True)
    except ValidationError as error:
        raise UserError(f"{path}: {one_line(complaint(error, tree, Params), limit=500)}") from None


def _one_of(key: str, names: Iterable[str], choices: Iterable[str]) -> None:
    for name in names:
        if name not in choices:
            raise ValueError(f"{key}: there is no {name!r}; choose one of {', '.join(choices)}")
