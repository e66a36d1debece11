"""The encoder of a tagger: loaded from a folder or made anew, without decoder and without pooler."""

import re
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from transformers import PreTrainedConfig

from pipeline.encoding.encoder_kinds import refusal
from pipeline.encoding.pretrained import (
    encoder_class,
    encoder_prefix,
    known_config,
    load_weights,
    missing_weights,
    new_model,
    read_config,
    refused,
)
from pipeline.errors import UserError

_CALL_THE_POOLER = frozenset({"squeezebert", "layoutlm"})  # in every case; the others may have none


def load_encoder(folder: Path, config: PreTrainedConfig | None = None) -> Any:
    """The encoder in `folder` (of a tagger: its encoder); with a `config` of fewer layers, its first layers.

    Raises:
        UserError: it cannot be loaded, lacks weights, or is of a kind that no tagger can be built on.
    """
    config = config or read_config(folder)
    with refused(f"{folder}: the encoder cannot be loaded"):
        if reason := refusal(config):
            raise UserError(f"{folder}: {reason}; choose another encoder")
        prefix = encoder_prefix(folder)
        renamed = {"key_mapping": {f"^{re.escape(prefix)}": ""}} if prefix else {}
        encoder, missing = load_weights(encoder_class(config), folder, config, **renamed)
    if missing:
        raise missing_weights(folder, missing, "choose a full encoder")
    return encoder


def new_encoder(values: dict[str, Any]) -> Any:
    """An encoder with random weights and a configuration of these values.

    Raises:
        UserError: the values make no encoder.
    """
    config = known_config(values, "the encoder of a tagger")
    if reason := refusal(config):
        raise UserError(f"the encoder of a tagger: {reason}; choose another")
    return new_model(encoder_class(config), config)


class _NoPooler(nn.Module):
    """Takes the pooler's place in an encoder that calls it in every case."""

    def forward(self, hidden: Tensor) -> None:
        """None: nothing is computed."""


def drop_pooler(encoder: Any) -> None:
    """Remove the pooler: no tagger reads it, so its weights are neither trained nor saved."""
    if getattr(encoder, "pooler", None) is not None:
        called = encoder.config.model_type in _CALL_THE_POOLER
        encoder.register_module("pooler", _NoPooler() if called else None)
