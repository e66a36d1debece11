"""The group `time_epochs` of params.yaml."""

from typing import Literal

from pipeline.settings import Count, Group


class TimeEpochs(Group):
    """How much is timed, passes and batches in a pass (None: all), and with which encoders."""

    epochs: Count = 3
    batches: Count | None = 2
    shapes: Literal["encoder", "bert-base"] = "encoder"
