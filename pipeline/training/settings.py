"""The groups `teacher` and `student` of params.yaml."""

from typing import Literal

from pydantic import Field

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


class Student(Training):
    """The students' shape and training."""

    layers: Count
    init: Literal["pretrained", "teacher"] = "pretrained"
