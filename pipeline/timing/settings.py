"""The group `time_epochs` of params.yaml."""

from typing import Literal

from pydantic import PositiveInt

from pipeline.settings import Group


class TimeEpochs(Group):
    """How much is timed, passes and batches in a pass (None: all), and with which encoders."""

    epochs: PositiveInt = 5
    batches: PositiveInt | None = None
    shapes: Literal["encoder", "bert-base"] = "encoder"
