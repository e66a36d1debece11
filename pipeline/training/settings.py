"""The groups `teacher`, `student` and `live` of params.yaml."""

from typing import Literal

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
    """The teacher's encoder and training."""

    encoder: Address
    seed: Seed = 1


class Student(Training):
    """The students' shape and training."""

    layers: Count
    init: Literal["pretrained", "teacher"] = "pretrained"
