"""The stock token classifiers of `transformers`: a softmax tagger has the parts of one and is saved so."""

from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn
from transformers import (
    MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING,
    AutoModelForTokenClassification,
    PreTrainedConfig,
    PreTrainedModel,
)

from pipeline.encoding.pretrained import known_config, load_weights, new_model, refused
from pipeline.errors import UserError

KEY = "chain_tagger"
"""Where config.json of a stock folder holds what this project needs beside; `transformers` passes it over."""

# What a configuration says of one use of an encoder, and not of its shape.
_USE = (KEY, "_name_or_path", "architectures", "id2label", "label2id")


class Names(NamedTuple):
    """What a stock token classifier calls its parts.

    projection: a layer between encoder and dropout, as ModernBERT has it; most have none.
    """

    encoder: str
    projection: str | None
    emission: str


def shape_of(config: dict[str, Any]) -> dict[str, Any]:
    """An encoder's configuration without the folder that it came from and the labels that it was used for."""
    return {key: value for key, value in config.items() if key not in _USE}


def new(shape: dict[str, Any], tags: int) -> PreTrainedModel:
    """The token classifier over an encoder of this shape, with random weights.

    Raises:
        UserError: `transformers` has none, or one with other parts than encoder, dropout and linear layer.
    """
    config = known_config({**shape, "num_labels": tags}, "the encoder of a softmax tagger")
    if type(config) not in MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING:
        raise _unknown(config)
    model: PreTrainedModel = new_model(AutoModelForTokenClassification, config)
    names(model)
    return model


def has_projection(shape: dict[str, Any]) -> bool:
    """Whether the token classifier over an encoder of this shape has a layer between encoder and dropout.

    Raises:
        UserError: `transformers` has none of known parts, see `new`.
    """
    with torch.random.fork_rng(devices=[]), torch.device("meta"):
        return names(new(shape, 2)).projection is not None


def names(model: PreTrainedModel) -> Names:
    """How a stock model calls its parts.

    Raises:
        UserError: it has other parts.
    """
    encoder = model.base_model_prefix
    rest = {name: part for name, part in model.named_children() if name != encoder}
    linear = [name for name, part in rest.items() if isinstance(part, nn.Linear)]
    others = [name for name, part in rest.items() if not isinstance(part, nn.Linear | nn.Dropout)]
    if len(linear) != 1 or others not in ([], ["head"]):
        raise _unknown(model.config)
    return Names(encoder, others[0] if others else None, linear[0])


def write(
    folder: Path,
    shape: dict[str, Any],
    labels: tuple[str, ...],
    facts: dict[str, Any],
    *,
    encoder: nn.Module,
    projection: nn.Module | None,
    emission: nn.Linear,
) -> None:
    """Save these parts as the stock model that AutoModelForTokenClassification loads.

    Args:
        folder: where to.
        shape: see `shape_of`.
        labels: names of the emission layer's columns.
        facts: JSON that goes under KEY.
        encoder, projection, emission: the parts.
    """
    with torch.device("meta"):
        model = new(shape, len(labels))
    for name, part in zip(names(model), (encoder, projection, emission), strict=True):
        if name is not None:
            setattr(model, name, part)
    model.config.id2label = dict(enumerate(labels))
    model.config.label2id = {label: column for column, label in enumerate(labels)}
    setattr(model.config, KEY, facts)
    model.save_pretrained(folder)


def pretrained_projection(folder: Path, config: PreTrainedConfig, tags: int) -> nn.Module:
    """The projection that an encoder's folder brings along (ModernBERT's does); new where it brings none.

    Raises:
        UserError: the folder's weights do not fit the token classifier.
    """
    config.num_labels = tags
    with refused(f"{folder}: the encoder cannot be loaded"):
        model, _ = load_weights(AutoModelForTokenClassification, folder, config, ignore_mismatched_sizes=True)
    projection: nn.Module = getattr(model, str(names(model).projection))
    return projection


def _unknown(config: Any) -> UserError:
    return UserError(
        "teacher.head, student.head: `transformers` has no token classifier of encoder, dropout and one "
        f"linear layer for {config.model_type}, which softmax needs; set crf"
    )
