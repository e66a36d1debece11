"""What a model says of every word of a split, in one pass over it."""

from typing import NamedTuple

import torch
from accelerate import Accelerator

from pipeline.encoding.batching import Batches
from pipeline.model.chain_tagger import ChainTagger
from pipeline.model.prediction import chains, constrain, tag_names


class TaggedSplit(NamedTuple):
    """Tags and confidences of every sentence, in the split's order.

    predicted: the best tag sequence (Viterbi).
    allowed: the best of those that the scheme of the tags allows.
    confidences: the marginal probability P(y_l = predicted tag | sentence) of every word.
    """

    predicted: list[list[str]]
    allowed: list[list[str]]
    confidences: list[list[float]]


@torch.inference_mode()
def tag_split(model: ChainTagger, batches: Batches, accelerator: Accelerator) -> TaggedSplit:
    """Tag a split.

    Args:
        model: the tagger, on the accelerator's device.
        batches: the split.
        accelerator: device and precision.

    Raises:
        UserError: the split was encoded by another tokenizer than the model was trained with.
    """
    sentences = batches.sentences
    tagged = TaggedSplit([[]] * sentences, [[]] * sentences, [[]] * sentences)
    for rows, chain in chains(model, batches, accelerator):
        _, paths = chain.viterbi()
        _, allowed = constrain(chain, model.tag_set).viterbi()
        marginals = chain.moments().unary.gather(2, paths[..., None]).squeeze(2).clamp(0.0, 1.0)
        both = (tag_names(best, chain.lengths, model.tag_set) for best in (paths, allowed))
        for row, best, best_allowed, confidences in zip(rows, *both, marginals.tolist(), strict=True):
            tagged.predicted[row], tagged.allowed[row] = best, best_allowed
            tagged.confidences[row] = confidences[: len(best)]
    return tagged
