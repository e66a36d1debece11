"""Whether an encoder can be computed in bfloat16; found out before a training run in it starts."""

from pathlib import Path

import torch
from transformers import PreTrainedModel

from pipeline.device import best_device
from pipeline.errors import UserError

_PIECES = 8


def check_bfloat16(encoder: PreTrainedModel, folder: Path, key: str) -> None:
    """Run the encoder on a few pieces in bfloat16, on the device that a run would take.

    Args:
        encoder: in evaluation mode.
        folder: where it comes from.
        key: of params.yaml, which sets the precision.

    Raises:
        UserError: an operation of the encoder cannot be computed in bfloat16.
    """
    device = best_device()
    encoder.to(device)  # type: ignore[arg-type]  # its decorator hides the signature
    ids = torch.arange(_PIECES, device=device).remainder(encoder.config.vocab_size)[None]
    try:
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16):
            encoder(input_ids=ids, attention_mask=torch.ones_like(ids))
    except RuntimeError as error:
        raise UserError(
            f"{key}: the encoder in {folder} ({encoder.config.model_type}) cannot be computed in bfloat16 "
            f"({error}); set {key}: float32"
        ) from None
