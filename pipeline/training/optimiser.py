"""What the optimiser is told: the parameters' groups, and the learning rate of each step."""

import math
from typing import Any

from pipeline.model.chain_tagger import ChainTagger
from pipeline.training.settings import Training


def learning_rate_scale(step: int, steps: int, warmup: float) -> float:
    """Share of the learning rate at `step` (from 0): up over the first `warmup` of `steps`, then down."""
    rise = round(steps * warmup)
    if step < rise:
        return (step + 1) / rise
    return (steps - step) / (steps - rise)


def share_without_gradient(settings: Training, steps: int, taken: int) -> float:
    """What AdamW leaves of a matrix of the encoder that gets no gradient, after `taken` of `steps` steps."""
    rates = (
        settings.learning_rate * learning_rate_scale(step, steps, settings.warmup) for step in range(taken)
    )
    return math.prod(1 - rate * settings.weight_decay for rate in rates)


def parameter_groups(model: ChainTagger, settings: Training) -> list[dict[str, Any]]:
    """The encoder's matrices decay; biases, norms and the head do not; the head has its own learning rate."""
    head = {id(parameter) for parameter in model.head_parameters}
    encoder = [parameter for parameter in model.parameters() if id(parameter) not in head]
    return [
        {
            "params": [parameter for parameter in encoder if parameter.ndim > 1],
            "lr": settings.learning_rate,
            "weight_decay": settings.weight_decay,
        },
        {
            "params": [parameter for parameter in encoder if parameter.ndim <= 1],
            "lr": settings.learning_rate,
            "weight_decay": 0.0,
        },
        {"params": model.head_parameters, "lr": settings.head_learning_rate, "weight_decay": 0.0},
    ]
