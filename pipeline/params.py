"""params.yaml as frozen, validated objects. No paths of the pipeline in it: those stand in dvc.yaml alone."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    create_model,
    model_validator,
)
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from pipeline.distillation.registry import method_names, method_settings
from pipeline.distillation.settings import Settings
from pipeline.errors import UserError

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Precision = Literal["auto", "bfloat16", "float32"]


class Group(BaseModel):
    """One group of parameters: frozen, and closed to keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Files(Group):
    """Where the splits come from; without `dev`, the end of `train` is held out."""

    train: str
    dev: str | None = None
    test: str


class Corpus(Group):
    """One entry of `corpora`."""

    files: Files
    checksums: dict[Literal["train", "dev", "test"], str] = {}
    counts: dict[Literal["train", "dev", "test"], tuple[PositiveInt, PositiveInt]] = {}
    hold_out: PositiveInt | None = None
    format: Literal["conll", "jsonl", "arrow"] = "conll"
    word: int = 0
    tag: int = -1
    scheme: Literal["iob1", "iob2", "bioes", "plain"] = "iob2"
    encoding: str = "utf-8"
    strict: bool = False

    @model_validator(mode="after")
    def _has_development(self) -> Self:
        if (self.files.dev is None) == (self.hold_out is None):
            raise ValueError("give either files.dev or hold_out")
        return self


class Source(Group):
    """One entry of `sources`: an encoder's address and the SHA-256 of its files."""

    source: str
    sha256: dict[str, str] = {}


class Prepare(Group):
    """How sentences are cut for the encoder, in word pieces."""

    window: Annotated[int, Field(ge=8)] = 512
    overlap: NonNegativeInt = 64


class Training(Group):
    """What teacher and students share: one optimisation run."""

    epochs: PositiveInt
    batch_size: PositiveInt = 32
    learning_rate: PositiveFloat
    head_learning_rate: PositiveFloat
    warmup: Share = 0.1
    weight_decay: NonNegativeFloat = 0.01
    dropout: Share = 0.1
    max_grad_norm: PositiveFloat = 1.0
    keep: Literal["best", "last"] = "best"
    precision: Precision = "auto"


class Teacher(Training):
    """The teacher's encoder and training."""

    encoder: str
    seed: int = 1


class Dump(Group):
    """How the teacher's scores are computed and stored."""

    batch_size: PositiveInt = 64
    dtype: Literal["float32", "float16"] = "float32"
    precision: Precision = "float32"
    shard_sentences: PositiveInt = 20_000


class Student(Training):
    """The students' shape and training."""

    layers: PositiveInt
    init: Literal["pretrained", "teacher"] = "pretrained"


class Evaluate(Group):
    """How the test split is tagged."""

    batch_size: PositiveInt = 64
    precision: Precision = "float32"


class TimeEpochs(Group):
    """How much is timed, passes and batches in a pass (None: all), and with which encoders."""

    epochs: PositiveInt = 5
    batches: PositiveInt | None = None
    shapes: Literal["encoder", "bert-base"] = "encoder"


_METHODS = {name: method_settings(name) for name in method_names()}
_ENTRIES: dict[str, Any] = {name: (settings, settings()) for name, settings in _METHODS.items()}
Distill = create_model("Distill", __base__=Group, **_ENTRIES)


class Params(Group):
    """The whole of params.yaml."""

    task: str
    methods: Annotated[tuple[str, ...], Field(min_length=1)]
    method: str
    seeds: Annotated[tuple[NonNegativeInt, ...], Field(min_length=1)]
    corpora: dict[str, Corpus]
    sources: dict[str, Source] = {}
    prepare: Prepare
    teacher: Teacher
    dump: Dump
    student: Student
    distill: Distill  # type: ignore[valid-type]  # one field per file in pipeline/distillation/methods
    evaluate: Evaluate
    time_epochs: TimeEpochs

    @property
    def corpus(self) -> Corpus:
        """The entry of `corpora` that `task` names."""
        return self.corpora[self.task]

    @property
    def encoder(self) -> Source:
        """Where `teacher.encoder` comes from: an entry of `sources`, or the address itself."""
        return self.sources.get(self.teacher.encoder, Source(source=self.teacher.encoder))

    def settings(self, method: str) -> Settings:
        """The entry `distill.<method>`, of the type that the method's own file defines."""
        settings: Settings = getattr(self.distill, method)
        return settings

    def student_of(self, method: str) -> Student:
        """The student's training with what `distill.<method>` sets for itself."""
        own = self.settings(method).model_dump(include={"epochs", "learning_rate"}, exclude_none=True)
        return self.student.model_copy(update=own)

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        _one_of("task", [self.task], self.corpora)
        _one_of("methods", self.methods, _METHODS)
        _one_of("method", [self.method], self.methods)
        for key, values in (("methods", self.methods), ("seeds", self.seeds)):
            if len(set(values)) < len(values):
                raise ValueError(f"{key}: names an entry twice")
        return self


def load_params(path: Path) -> Params:
    """Read and validate params.yaml.

    Raises:
        UserError: the file is missing or no YAML, or a key is unknown, missing or has a wrong value; the line
            names the key and the choices.
    """
    try:
        tree = YAML(typ="safe", pure=True).load(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); run from the project's root") from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
    try:
        return Params.model_validate_json(json.dumps(tree), strict=True)
    except (TypeError, ValueError) as error:
        raise UserError(f"{path}: {_one_line(error)}") from None


def _one_of(key: str, names: Iterable[str], choices: Iterable[str]) -> None:
    for name in names:
        if name not in choices:
            raise ValueError(f"{key}: there is no {name!r}; choose one of {', '.join(choices)}")


def _one_line(error: Exception) -> str:
    """The first complaint of a ValidationError: the key, what is wrong with it, the choices."""
    if not isinstance(error, ValidationError):
        return f"{error}; only text, numbers, lists and mappings are allowed"
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        message = f"unknown key; choose one of {', '.join(_known_keys(first['loc'][:-1]))}"
    elif first["type"] not in ("value_error", "missing"):
        message = f"{message}, not {json.dumps(first['input'])[:80]}"
    return f"{key}: {message}" if key else message


def _known_keys(location: tuple[int | str, ...]) -> list[str]:
    """The keys that the group at `location` takes."""
    group: Any = Params
    for part in location:
        if isinstance(group, type) and issubclass(group, BaseModel):
            group = group.model_fields[str(part)].annotation
        else:  # dict[str, Corpus]: whatever the key, the type is the second argument
            group = get_args(group)[1]
    return list(group.model_fields)
