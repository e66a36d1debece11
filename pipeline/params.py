"""params.yaml as frozen, validated objects. No paths of the pipeline in it: those stand in dvc.yaml alone."""

import json
from collections.abc import Iterable, Iterator
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
from pydantic_core import ErrorDetails

from pipeline.distillation.registry import method_names, method_settings
from pipeline.distillation.settings import Settings
from pipeline.errors import UserError
from pipeline.storage.yaml_file import read_yaml
from pipeline.wording import one_line

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]  # what every generator of random numbers takes
Precision = Literal["auto", "bfloat16", "float32"]
Head = Literal["crf", "softmax"]  # softmax: transitions, start and end scores are held at 0
Split = Literal["train", "dev", "test"]
Address = Annotated[str, Field(min_length=1)]
Checksum = Annotated[str, Field(pattern=r"^(md5:[0-9a-f]{32}|sha256:[0-9a-f]{64})$")]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]  # a dot would end the key that DVC looks up


class Group(BaseModel):
    """One group of parameters: frozen, and closed to keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Files(Group):
    """Where the splits come from; without `dev`, the end of `train` is held out."""

    train: Address
    dev: Address | None = None
    test: Address


class Corpus(Group):
    """One entry of `corpora`.

    word, tag: columns by number (conll; None is the first and the last) or by name (jsonl and dataset; None
        is tokens and ner_tags).
    separator: what stands between columns (conll); None is any run of spaces and tabs.
    names: of tags that are numbers (jsonl and dataset; a data set often tells them itself).
    """

    files: Files
    checksums: dict[Split, Checksum] = {}
    counts: dict[Split, tuple[PositiveInt, PositiveInt]] = {}
    hold_out: PositiveInt | None = None
    format: Literal["conll", "jsonl", "dataset"] = "conll"
    word: int | str | None = None
    tag: int | str | None = None
    separator: Annotated[str, Field(min_length=1)] | None = None
    names: tuple[str, ...] | None = None
    scheme: Literal["iob1", "iob2", "bioes", "plain"] = "iob2"
    encoding: str = "utf-8"
    strict: bool = False

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.files.dev is None) == (self.hold_out is None):
            raise ValueError("hold_out: give either it or files.dev")
        for key in ("checksums", "counts"):
            if "dev" in getattr(self, key) and self.files.dev is None:
                raise ValueError(f"{key}.dev: there is no files.dev; remove it")
        unused = {
            "conll": ("names",),
            "jsonl": ("separator",),
            "dataset": ("checksums", "separator", "encoding"),
        }
        for key in unused[self.format]:
            if getattr(self, key) != type(self).model_fields[key].default:
                raise ValueError(f"{key}: is not used with format {self.format}; remove it")
        kind, meaning = (int, "number") if self.format == "conll" else (str, "name")
        for key, column in (("word", self.word), ("tag", self.tag)):
            if column is not None and not isinstance(column, kind):
                raise ValueError(
                    f"{key}: must be a column's {meaning} with format {self.format}, not {column!r}"
                )
        return self


class Source(Group):
    """One entry of `sources`: an encoder's address and the SHA-256 of its files."""

    source: Address
    sha256: dict[str, Annotated[str, Field(pattern="^[0-9a-f]{64}$")]] = {}


class Prepare(Group):
    """How sentences are cut for the encoder, in word pieces."""

    window: Annotated[int, Field(ge=8)] = 512
    overlap: NonNegativeInt = 64


class Training(Group):
    """What teacher and students share: one optimisation run."""

    head: Head = "crf"
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

    encoder: Address
    seed: Seed = 1


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
Distill = create_model("Distill", __base__=Group, unlabelled=(Address | None, None), **_ENTRIES)


class Params(Group):
    """The whole of params.yaml."""

    task: str
    methods: Annotated[tuple[str, ...], Field(min_length=1)]
    method: str
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)]
    corpora: dict[Name, Corpus]
    sources: dict[str, Source] = {}
    prepare: Prepare
    teacher: Teacher
    dump: Dump
    student: Student
    distill: Distill  # type: ignore[valid-type]  # `unlabelled`, and one field per file in distillation/methods
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

    @property
    def unlabelled(self) -> str | None:
        """`distill.unlabelled`: where text without tags comes from, if there is any."""
        source: str | None = getattr(self.distill, "unlabelled")  # noqa: B009
        return source

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
        if (self.teacher.head, self.student.head) == ("crf", "softmax"):
            for name in self.methods:
                if _METHODS[name].matches_pairs:
                    raise ValueError(
                        f"methods: {name} matches a CRF's scores of pairs of tags, and student.head: softmax "
                        "has none; take it out, or set teacher.head: softmax too"
                    )
        return self


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
        raise UserError(f"{path}: {one_line(_complaint(error, tree), limit=500)}") from None


def _one_of(key: str, names: Iterable[str], choices: Iterable[str]) -> None:
    for name in names:
        if name not in choices:
            raise ValueError(f"{key}: there is no {name!r}; choose one of {', '.join(choices)}")


def _complaint(error: ValidationError, tree: dict[str, Any]) -> str:
    """The first complaint: the dotted key, what is wrong with it, the choices.

    An unknown key comes before a missing one, as it often is the other misspelt.
    """
    errors = sorted(error.errors(include_url=False), key=lambda e: e["type"] != "extra_forbidden")
    first = errors[0]
    location = list(_location(first, tree))
    key = ".".join(str(part) for part in location)
    kind = first["type"]
    if kind == "value_error":  # of a model_validator here; begins with the rest of the key
        return f"{key}.{first['ctx']['error']}".lstrip(".")
    if kind == "extra_forbidden":
        return f"{key}: unknown key; choose one of {', '.join(_known_keys(location[:-1]))}"
    if kind == "missing":
        return f"{key}: is missing; add it"
    if kind == "json_invalid":
        return "is nested too deeply; write it flatter"
    wishes = dict.fromkeys(_wish(e["msg"]) for e in errors if list(_location(e, tree)) == location)
    return f"{key}: must {' or '.join(wishes)}, not {json.dumps(first['input'], ensure_ascii=False)[:80]}"


def _wish(message: str) -> str:
    """What the value must do, in the words of YAML instead of pydantic's."""
    wish = message.partition(" should ")[2].partition(" after validation")[0]
    return wish.replace("a valid array", "a list").replace("an object", "a mapping")


def _location(error: ErrorDetails, tree: Any) -> Iterator[int | str]:
    """The keys to what `error` is about, without what pydantic adds (which of several types it tried)."""
    for part in error["loc"]:
        inside = isinstance(tree, dict) and part in tree
        if isinstance(tree, list) and isinstance(part, int) and part < len(tree):
            inside = True
        if inside or error["type"] == "missing":
            yield part
        if not inside:
            return
        tree = tree[part]


def _known_keys(location: list[int | str]) -> list[str]:
    """The keys that the group at `location` takes."""
    group: Any = Params
    for part in location:
        if isinstance(group, type) and issubclass(group, BaseModel):
            group = group.model_fields[str(part)].annotation
        else:  # dict[str, Corpus]: whatever the key, the type is the second argument
            group = get_args(group)[1]
    return list(group.model_fields)
