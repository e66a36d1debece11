"""The groups `teacher` and `student` of params.yaml."""

from typing import Literal, Self

from pydantic import model_validator

from pipeline.settings import Address, Count, Group, Head, NonNegative, Positive, Precision, Seed, Share
from pipeline.training.length import Length


class Training(Group):
    """What teacher and students share: one optimisation run."""

    head: Head = "crf"
    epochs: Count | None = None
    batch_size: Count = 32
    learning_rate: Positive
    head_learning_rate: Positive
    warmup: Share = 0.1
    weight_decay: NonNegative = 0.01
    dropout: Share = 0.1
    max_grad_norm: Positive = 1.0
    keep: Literal["best", "last"] = "best"
    precision: Precision = "auto"

    def length(self, batches: int) -> Length:
        """The length of a run in which a pass over all sentences has so many batches, and is an epoch."""
        assert self.epochs is not None
        return Length(batches * self.epochs, batches)


class Teacher(Training):
    """The teacher's encoder and training."""

    encoder: Address
    seed: Seed = 1
    epochs: Count


class Student(Training):
    """The students' shape and training.

    steps: instead of `epochs`; an epoch then is `evaluate_every` steps.
    labelled_share: of the batches; None is the share of the labelled sentences among all.
    patience: see Length.
    """

    layers: Count
    init: Literal["pretrained", "teacher"] = "pretrained"
    steps: Count | None = None
    labelled_share: Share | None = None
    evaluate_every: Count = 500
    patience: Count | None = None

    def length(self, batches: int) -> Length:
        """See Training."""
        if self.epochs is not None:
            return Length(batches * self.epochs, batches, self.patience)
        assert self.steps is not None
        return Length(self.steps, self.evaluate_every, self.patience)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.epochs is None) == (self.steps is None):
            raise ValueError("steps: give either it or epochs, and empty the other")
        if self.labelled_share is not None and self.steps is None:
            raise ValueError("labelled_share: is used with steps alone; empty it, or give steps, not epochs")
        return self
