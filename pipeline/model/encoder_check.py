"""Whether an encoder computes what a tagger needs; found out before anything is trained on it."""

import logging
from pathlib import Path

import torch
from torch import Tensor
from transformers import PreTrainedModel

from pipeline.encoding.encoded import InputLayout
from pipeline.encoding.pretrained import refused
from pipeline.errors import UserError
from pipeline.model.encoder import drop_pooler, load_encoder
from pipeline.model.first_layers import usable_layers

log = logging.getLogger(__name__)

_LONGEST = 1024  # pieces that are tried; a window may be longer
_SHORT = 11
_TOLERANCE = 1e-4  # of the largest hidden state; batches of other shapes differ by about 1e-6 of it


def check_encoder(folder: Path, layout: InputLayout) -> None:
    """Run the encoder in `folder` on random pieces, once with an input as long as the window (at most 1,024).

    Some kinds allow students of certain depths alone; a warning names these.

    Raises:
        UserError: its kind cannot be taken, an input as long as the window is an error, a sentence's hidden
            states depend on the padding beside it, or no layers can be left out.
    """
    encoder = load_encoder(folder)
    kind = f"{folder}: an encoder of the kind {encoder.config.model_type}"
    advice = "; choose another teacher.encoder"
    drop_pooler(encoder)
    encoder.eval()
    with refused(f"{kind} cannot be run on word pieces alone", advice):
        for long, short in ((min(layout.window, _LONGEST), _SHORT), (_SHORT + 2, _SHORT)):
            if not _same_beside_padding(encoder, layout, max(long, short), short):
                raise UserError(f"{kind} computes other hidden states beside padding{advice}")
        depth, usable = encoder.config.num_hidden_layers, usable_layers(encoder, folder)
    if depth > 1 and usable == [depth]:
        raise UserError(f"{kind} computes something else with fewer layers, so it has no student{advice}")
    if len(usable) < depth:
        log.warning(
            "%s: students may have %s of its layers; set student.layers to one of these",
            folder,
            ", ".join(map(str, usable)),
        )


@torch.inference_mode()
def _same_beside_padding(encoder: PreTrainedModel, layout: InputLayout, long: int, short: int) -> bool:
    """Whether an input of `short` pieces has the same hidden states alone and beside one of `long` pieces."""
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(encoder.config.vocab_size, (2, long), generator=generator)
    ids[ids == layout.pad] = layout.unknown
    mask = torch.ones_like(ids)
    ids[1, short:], mask[1, short:] = layout.pad, 0
    together = _hidden(encoder, ids, mask)
    alone = _hidden(encoder, ids[1:, :short], mask[1:, :short])
    if together.shape[:2] != ids.shape or alone.shape[:2] != (1, short):
        raise ValueError("it gives no hidden state for each piece")
    return bool((together[1, :short] - alone[0]).abs().max() <= _TOLERANCE * alone.abs().max())


def _hidden(encoder: PreTrainedModel, ids: Tensor, mask: Tensor) -> Tensor:
    hidden: Tensor = encoder(input_ids=ids, attention_mask=mask).last_hidden_state
    return hidden
