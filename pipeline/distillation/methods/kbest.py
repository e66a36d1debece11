"""K-best knowledge distillation (Kim & Rush 2016; Eq. 7): the teacher's K best tag sequences, weighted."""

from typing import Annotated, ClassVar

from pydantic import Field
from torch import Tensor

from pipeline.chain import LinearChain, Moments, path_moments
from pipeline.distillation.objective import tempered_cross_entropy
from pipeline.distillation.settings import Tempered


class Settings(Tempered):
    """`k`: how many sequences; decoding takes memory and time in proportion to it."""

    mixes_moments: ClassVar[bool] = True

    k: Annotated[int, Field(ge=1, le=1000)] = 3


def targets(teacher: LinearChain, settings: Settings) -> Moments:
    """Moments Σ_k w_k φ(y_k) of the K best sequences, w = softmax of their scores at temperature τ."""
    chain = teacher.tempered(settings.temperature)
    scores, paths = chain.kbest(settings.k)
    return path_moments(paths, scores.softmax(-1), chain.lengths, chain.num_tags)


def loss(student: LinearChain, target: Moments, settings: Settings) -> Tensor:
    """Cross-entropy of the weighted sequences with the student, for each sentence [B]."""
    return tempered_cross_entropy(student, target, settings.temperature)
