"""K-best knowledge distillation (Kim & Rush 2016; Eq. 7): the teacher's K best tag sequences, weighted."""

from typing import Annotated, ClassVar

from pydantic import Field
from torch import Tensor

from pipeline.chain import LinearChain, Moments, path_moments
from pipeline.distillation.objective import tempered_cross_entropy
from pipeline.distillation.settings import Tempered


class Settings(Tempered):
    """`k`: number of tag sequences per sentence; decoding takes memory and time in proportion to it."""

    mixes_moments: ClassVar[bool] = True

    k: Annotated[int, Field(ge=1, le=1000)] = 3


def targets(teacher: LinearChain, settings: Settings) -> Moments:
    """Moments Σ_k w_k φ(y_k) of the K best sequences, w = softmax of their scores at temperature τ.

    Scores of long sentences are large, and their differences decide: they stay float64 up to the softmax.
    """
    chain = teacher.tempered(settings.temperature)
    wide = LinearChain(chain.emissions.double(), chain.transitions, chain.start, chain.end, chain.lengths)
    scores, paths = wide.kbest(settings.k)
    weights = scores.softmax(-1).to(chain.emissions.dtype)
    return path_moments(paths, weights, chain.lengths, chain.num_tags)


def loss(student: LinearChain, target: Moments, settings: Settings) -> Tensor:
    """Cross-entropy of the weighted sequences with the student, for each sentence [B]."""
    return tempered_cross_entropy(student, target, settings.temperature)
