"""Whether an encoder can be computed in the precision of a training run; found out before it starts."""

from pathlib import Path

import torch
from transformers import PreTrainedModel

from pipeline.device import best_device, is_bfloat16
from pipeline.errors import UserError
from pipeline.settings import Precision

_PIECES = 8


def check_precision(encoder: PreTrainedModel, folder: Path, precision: Precision, key: str) -> None:
    """Run the encoder on a few pieces, in bfloat16 if a run with this precision on this machine would.

    Args:
        encoder: in evaluation mode.
        folder: where it comes from.
        precision: of the run.
        key: of params.yaml, which sets it.

    Raises:
        UserError: an operation of the encoder cannot be computed in bfloat16.
    """
    if not is_bfloat16(precision):
        return
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
