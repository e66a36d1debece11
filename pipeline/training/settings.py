"""The groups `teacher`, `student` and `live` of params.yaml."""

from typing import Literal, Self

from pydantic import Field, model_validator

from pipeline.corpora.schemes import FileScheme
from pipeline.settings import Address, Count, Group, Head, NonNegative, Positive, Precision, Seed, Share


class Training(Group):
    """What teacher and students share: one optimisation run."""

    head: Head = "crf"
    epochs: Count
    batch_size: Count = 32
    learning_rate: Positive
    head_learning_rate: Positive
    warmup: Share = 0.1
    weight_decay: NonNegative = 0.01
    dropout: Share = 0.1
    max_grad_norm: Positive = 1.0
    keep: Literal["best", "last"] = "best"
    precision: Precision = "auto"


class Live(Group):
    """Where the figures of unfinished runs go, beside DVCLive."""

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


class BiLSTM(Group):
    """The shape of a student that is no transformer."""

    width: Count = 128
    hidden: Count = 256
    layers: Count = 1


class Student(Training):
    """The students' shape and training."""

    encoder: Address | None = None
    network: Literal["transformer", "bilstm"] = "transformer"
    layers: Count
    bilstm: BiLSTM = BiLSTM()
    init: Literal["pretrained", "teacher"] = "pretrained"

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.init == "teacher" and (self.encoder or self.network == "bilstm"):
            raise ValueError(
                "init: teacher takes the teacher's first layers, which do not fit student.encoder and "
                "student.network: bilstm; set student.init: pretrained"
            )
        if self.network == "bilstm" and self.head == "softmax":
            raise ValueError("head: softmax needs a transformer; set student.head: crf")
        return self
