"""Whether an encoder computes what a tagger needs; found out before anything is trained on it."""

import logging
from pathlib import Path

import torch
from torch import Tensor
from transformers import PreTrainedModel

from pipeline.encoding.input_layout import InputLayout
from pipeline.encoding.pretrained import refused
from pipeline.errors import UserError
from pipeline.model.encoder import drop_pooler, load_encoder
from pipeline.model.first_layers import close, usable_layers

log = logging.getLogger(__name__)

_LONGEST = 1024  # pieces that are tried; a window may be longer
_SHORT = 11


def check_encoder(folder: Path, layout: InputLayout) -> None:
    """Run the encoder in `folder` on random pieces, once with an input as long as the window (at most 1,024).

    Some kinds allow only students of certain depths; a warning names these.

    Raises:
        UserError: its kind cannot be taken, an input as long as the window is an error, or a sentence's
            hidden states depend on the padding beside it.
    """
    encoder = load_encoder(folder)
    kind = f"{folder}: an encoder of the kind {encoder.config.model_type}"
    advice = "; choose another encoder"
    drop_pooler(encoder)
    encoder.eval()
    with refused(f"{kind} cannot be run on word pieces alone", advice):
        for long in (min(layout.window, _LONGEST), _SHORT + 2):
            if not _same_beside_padding(encoder, layout, max(long, _SHORT)):
                raise UserError(f"{kind} gives different hidden states when its input is padded{advice}")
        depth, usable = encoder.config.num_hidden_layers, usable_layers(encoder, folder)
    if len(usable) < depth:
        log.warning(
            "%s: students may have %s of its layers; set student.layers to one of these",
            folder,
            ", ".join(map(str, usable)),
        )


@torch.inference_mode()
def _same_beside_padding(encoder: PreTrainedModel, layout: InputLayout, long: int) -> bool:
    """Whether an input of _SHORT pieces has the same hidden states alone and beside one of `long` pieces."""
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(encoder.config.vocab_size, (2, long), generator=generator)
    ids[ids == layout.pad] = layout.unknown
    mask = torch.ones_like(ids)
    ids[1, _SHORT:], mask[1, _SHORT:] = layout.pad, 0
    together = _hidden(encoder, ids, mask)
    alone = _hidden(encoder, ids[1:, :_SHORT], mask[1:, :_SHORT])
    if together.shape[:2] != ids.shape or alone.shape[:2] != (1, _SHORT):
        raise ValueError("it gives no hidden state for each piece")
    return close(together[1, :_SHORT], alone[0])


def _hidden(encoder: PreTrainedModel, ids: Tensor, mask: Tensor) -> Tensor:
    hidden: Tensor = encoder(input_ids=ids, attention_mask=mask).last_hidden_state
    return hidden
