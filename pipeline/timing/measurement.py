"""Seconds of training steps by phase, all timed steps taking turns on the same batches."""

import time
from collections.abc import Sequence
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor

from pipeline.device import synchronize
from pipeline.encoding.batching import Batch
from pipeline.model.chain_tagger import ChainTagger
from pipeline.progress import progress
from pipeline.timing.timed_steps import TimedStep
from pipeline.training.loop import TrainingBatches
from pipeline.training.settings import Training
from pipeline.training.training_state import TrainingState

TEACHER_FORWARD, STUDENT_FORWARD, STUDENT_BACKWARD = "teacher_forward", "student_forward", "student_backward"

TURN = 20  # batches that one kind of step trains on before the next one does

Pass = dict[str, float]
"""Seconds of one pass by phase."""


class PhaseClock:
    """Seconds by phase; the device is idle at each boundary."""

    def __init__(self, device: torch.device) -> None:
        """Make a clock whose phases all have 0 seconds."""
        self.seconds: Pass = dict.fromkeys((TEACHER_FORWARD, STUDENT_FORWARD, STUDENT_BACKWARD), 0.0)
        self._device = device
        self._since = 0.0

    def start(self) -> None:
        """What follows counts."""
        synchronize(self._device)
        self._since = time.perf_counter()

    def lap(self, phase: str) -> None:
        """What was done since the last boundary belongs to `phase`."""
        synchronize(self._device)
        now = time.perf_counter()
        self.seconds[phase] += now - self._since
        self._since = now


def representative(batches: TrainingBatches, count: int | None) -> list[Tensor]:
    """`count` of an epoch's batches (ids [B] each; None: all), evenly spaced in the order of their size."""
    epoch = sorted(batches.shuffled(0), key=batches.count_pieces)
    count = min(count or len(epoch), len(epoch))
    return [epoch[(2 * place + 1) * len(epoch) // (2 * count)] for place in range(count)]


def measure(
    timed_steps: Sequence[TimedStep],
    model: ChainTagger,
    batches: Sequence[Batch],
    settings: Training,
    *,
    steps: int,
    passes: int,
    accelerator: Accelerator,
) -> list[list[Pass]]:
    """Train `model` over the batches, each kind of step in turn, `passes` times after one pass to warm up.

    A pass is cut into turns of a few batches, which all kinds of step take one after the other: all meet the
    machine as fast or slow as it is in the same seconds. Their order is rotated as the run goes on. Every
    turn starts from the same weights, and all its steps are the one in the middle of a run: λ is between 0
    and 1 under `linear`, and 1 under `last_epoch`. Laying the batches out is in no phase, as in the paper;
    the checks for NaN and the clipping of gradients are, as a run makes them.

    Args:
        timed_steps: what to measure.
        model: the student, on the accelerator's device.
        batches: on the accelerator's device.
        settings: of the optimiser.
        steps: of the run that the passes stand for.
        passes: how many count.
        accelerator: device and precision.

    Returns:
        The passes of each kind of step.
    """
    state = TrainingState(model.train(), settings, steps)
    weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    turns = [batches[start : start + TURN] for start in range(0, len(batches), TURN)]
    rounds = (passes + 1) * len(turns)
    clocks = [[PhaseClock(accelerator.device) for _ in range(passes + 1)] for _ in timed_steps]
    with progress("timing", rounds * len(timed_steps)) as meter:
        for number in range(rounds):
            first = number * len(timed_steps) // rounds
            for place in range(len(timed_steps)):
                which = (first + place) % len(timed_steps)
                timed_step, clock = timed_steps[which], clocks[which][number // len(turns)]
                model.load_state_dict(weights)
                for batch in turns[number % len(turns)]:
                    state.step = (steps - 1) // 2
                    _step(timed_step, state, batch, clock, accelerator)
                meter.advance(1, f"{timed_step.block} {timed_step.method}")
    return [[clock.seconds for clock in passes_of[1:]] for passes_of in clocks]


def _step(
    timed_step: TimedStep, state: TrainingState, batch: Batch, clock: PhaseClock, accelerator: Accelerator
) -> None:
    target: Any = None
    clock.start()
    if timed_step.teach is not None:
        target = timed_step.teach(batch)
        clock.lap(TEACHER_FORWARD)
    losses = state.forward(
        batch, lambda chain, batch, step: timed_step.loss(chain, batch, target, step), accelerator
    )
    clock.lap(STUDENT_FORWARD)
    state.optimise(losses, batch)
    clock.lap(STUDENT_BACKWARD)
