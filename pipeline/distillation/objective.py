"""A student's loss: the distillation loss and the gold loss, weighted by λ."""

from typing import Any, Protocol, cast

from torch import Tensor

from pipeline.chain import LinearChain, Moments, cross_entropy
from pipeline.distillation.registry import method_module
from pipeline.distillation.settings import Settings, Tempered

Target = LinearChain | Moments | Tensor
"""What a method keeps of the teacher: its chains, moments, or log probabilities [B, L, N] of words' tags."""


class Method(Protocol):
    """What a file in `methods/` defines beside its `Settings`.

    A method whose Settings have no schedule has no distillation loss, and neither function.
    """

    def targets(self, teacher: LinearChain, settings: Any, /) -> Target:
        """What the loss needs of the teacher's chains [B].

        Computed once per run, on the CPU, where the targets of all sentences fit into memory; else in each
        step, on the device of the batch.
        """

    def loss(self, student: LinearChain, target: Any, settings: Any, /) -> Tensor:
        """The distillation loss for each sentence [B]."""


def find_method(name: str) -> Method:
    """The method in `methods/<name>.py`.

    Raises:
        ModuleNotFoundError: there is none.
    """
    return cast(Method, method_module(name))


def objective(
    method: Method,
    settings: Settings,
    weight: float,
    *,
    student: LinearChain,
    target: Target | None,
    gold: Moments | None,
) -> Tensor:
    """λ · distillation loss + (1 - λ) · negative log-likelihood of the gold tags, for each sentence [B].

    Between λ = 0 and λ = 1 a method that mixes moments needs one log Z, not two, since the cross-entropy is
    linear in them:

        λ CE(μ_t) + (1-λ) CE(μ_gold) = CE(λ μ_t + (1-λ) μ_gold)

    With a temperature other than 1 the two terms have different chains, and two are needed.

    Args:
        method: gives the distillation loss.
        settings: of the method.
        weight: λ, from 0 to 1.
        student: its chains, of B sentences.
        target: what `method.targets` gave for these; not used where λ = 0.
        gold: the moments of their gold tags; not used where λ = 1.
    """
    if weight == 0.0:
        assert gold is not None
        return cross_entropy(student, gold)
    if weight == 1.0:
        return method.loss(student, target, settings)
    assert gold is not None
    if isinstance(settings, Tempered) and settings.mixes_moments and settings.temperature == 1.0:
        assert isinstance(target, Moments)
        return method.loss(student, target.mix(gold, weight), settings)
    return weight * method.loss(student, target, settings) + (1 - weight) * cross_entropy(student, gold)


def tempered_cross_entropy(student: LinearChain, moments: Moments, temperature: float) -> Tensor:
    """τ² (log Z(θ_s/τ) - ⟨θ_s/τ, μ⟩) for each sentence [B]; μ are the target's moments at temperature τ."""
    return temperature**2 * cross_entropy(student.tempered(temperature), moments)
