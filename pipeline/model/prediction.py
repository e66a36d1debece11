"""Tag a split with a model."""

import torch
from accelerate import Accelerator

from pipeline.encoding.batching import Batches
from pipeline.model.chain_tagger import ChainTagger


@torch.inference_mode()
def predict(model: ChainTagger, batches: Batches, accelerator: Accelerator) -> list[list[str]]:
    """The best tag sequence (Viterbi) of every sentence, in the split's order.

    Raises:
        UserError: the split was encoded by another tokenizer than the model was trained with.
    """
    model.check_pieces(batches.encoded.layout.identity)
    model.eval()
    names = model.tag_set.tags
    predicted: list[list[str]] = [[]] * len(batches.encoded)
    for ids in batches.in_order():
        batch = batches.batch(ids).to(accelerator.device)
        with accelerator.autocast():
            chain = model.chain(batch)
        _, paths = chain.viterbi()
        for row, path, length in zip(ids.tolist(), paths.tolist(), batch.lengths.tolist(), strict=True):
            predicted[row] = [names[tag] for tag in path[:length]]
    return predicted
