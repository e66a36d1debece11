"""The groups `teacher` and `student` of params.yaml."""

from typing import Literal

from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt

from pipeline.settings import Address, Group, Head, Precision, Seed, Share


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


class Student(Training):
    """The students' shape and training."""

    layers: PositiveInt
    init: Literal["pretrained", "teacher"] = "pretrained"
