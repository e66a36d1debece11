"""Tag a split with a model."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from pipeline.chain import LinearChain
from pipeline.corpora.tagging import TagSet
from pipeline.encoding.batching import Batches
from pipeline.model.chain_tagger import ChainTagger

if TYPE_CHECKING:
    from accelerate import Accelerator


@torch.inference_mode()
def predict(model: ChainTagger, batches: Batches, accelerator: "Accelerator") -> list[list[str]]:
    """The best tag sequence (Viterbi) of every sentence of `batches`, in the split's order.

    Args:
        model: the tagger.
        batches: the split, or some of its sentences.
        accelerator: device and precision.

    Raises:
        UserError: the split was encoded by another tokenizer than the model was trained with.
    """
    predicted: list[list[str]] = [[]] * batches.sentences
    for rows, chain in chains(model, batches, accelerator):
        _, paths = chain.viterbi()
        places = batches.places(torch.tensor(rows)).tolist()
        for place, tags in zip(places, tag_names(paths, chain.lengths, model.tag_set), strict=True):
            predicted[place] = tags
    return predicted


def tag_names(paths: Tensor, lengths: Tensor, tag_set: TagSet) -> list[list[str]]:
    """The tags of B sentences, as many for each as it has words.

    Args:
        paths: [B, L], for each word the column of its tag.
        lengths: [B] words.
        tag_set: of the columns.
    """
    return [
        tag_set.names(path[:length]) for path, length in zip(paths.tolist(), lengths.tolist(), strict=True)
    ]


def chains(
    model: ChainTagger, batches: Batches, accelerator: "Accelerator"
) -> Iterator[tuple[list[int], LinearChain]]:
    """The chain of each batch of a split, with the rows of its sentences; the model is set to evaluate.

    Raises:
        UserError: the split was encoded by another tokenizer than the model was trained with.
    """
    model.check_pieces(batches.encoded.layout.identity)
    model.eval()
    for ids in batches.in_order():
        batch = batches.collate(ids).to(accelerator.device)
        with accelerator.autocast():
            chain = model.chain(batch)
        yield ids.tolist(), chain


def constrain(chain: LinearChain, tag_set: TagSet) -> LinearChain:
    """The chain with -inf as the score of what the scheme forbids.

    All other scores stay, so that its probabilities are those given a sequence that the scheme allows.
    """
    return chain.constrained(*map(torch.tensor, tag_set.allowed()))
