"""The groups `teacher`, `student` and `live` of params.yaml."""

from typing import Literal, Self

from pydantic import Field, model_validator

from pipeline.corpora.schemes import FileScheme
from pipeline.settings import (
    Address,
    Count,
    Group,
    Head,
    Init,
    NonNegative,
    Positive,
    Precision,
    Seed,
    Share,
)
from pipeline.training.run_length import RunLength


class Training(Group):
    """What teacher and students share: one optimisation run."""

    head: Head = "crf"
    epochs: Count | None
    batch_size: Count = 32
    learning_rate: Positive
    head_learning_rate: Positive
    warmup: Share = 0.1
    weight_decay: NonNegative = 0.01
    dropout: Share = 0.1
    max_grad_norm: Positive = 1.0
    keep: Literal["best", "last"] = "best"
    precision: Precision = "auto"

    def length(self, batches: int) -> RunLength:
        """The length of a run in which a pass over all sentences has so many batches, and is an epoch."""
        assert self.epochs is not None
        return RunLength(batches * self.epochs, batches)


class Live(Group):
    """Where live metrics go, beside DVCLive."""

    tensorboard: bool = False


class Teacher(Training):
    """The teacher's encoder and training, or a model that is the teacher as it is.

    model: a token classifier or a tagger of this project; None: the teacher is trained here.
    types: the corpus's type for each of the model's that has another name; None: no span.
    scheme: of the model's labels; None: found out.
    """

    encoder: Address
    model: Address | None = None
    types: dict[str, str | None] = Field(default={})
    scheme: FileScheme | None = None
    seed: Seed = 1
    epochs: Count
    batch_size: Count = 16


class BiLSTM(Group):
    """The shape of a student that is no transformer."""

    width: Count = 128
    hidden: Count = 256
    layers: Count = 1


class Student(Training):
    """The students' shape and training.

    steps: instead of `epochs`; an epoch then is `evaluate_every` steps.
    labelled_share: of the batches; None is the share of the labelled sentences among all.
    patience: see RunLength.
    """

    encoder: Address | None = None
    network: Literal["transformer", "bilstm"] = "transformer"
    layers: Count
    bilstm: BiLSTM = BiLSTM()
    init: Init = "teacher"
    steps: Count | None = None
    labelled_share: Share | None = None
    evaluate_every: Count = 500
    patience: Count | None = None

    @property
    def has_teachers_layers(self) -> bool:
        """Whether it is made of layers of the teacher's encoder, so that the teacher's own fit."""
        return self.encoder is None and self.network == "transformer"

    def length(self, batches: int) -> RunLength:
        """See Training."""
        if self.epochs is not None:
            return RunLength(batches * self.epochs, batches, self.patience)
        assert self.steps is not None
        return RunLength(self.steps, self.evaluate_every, self.patience)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.epochs is None) == (self.steps is None):
            raise ValueError("steps: give either steps or epochs, and leave the other empty")
        if self.labelled_share is not None and self.steps is None:
            raise ValueError("labelled_share: is used only with steps; empty it, or give steps, not epochs")
        if self.network == "bilstm" and self.head == "softmax":
            raise ValueError("head: softmax needs a transformer; set student.head: crf")
        return self
