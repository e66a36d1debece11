"""What a student takes of an encoder: the first k layers, if they compute the same alone, or embeddings."""

import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedModel

from pipeline.encoding.pretrained import encoder_class, known_config, new_model
from pipeline.errors import UserError

_BY_LAYER = ("layer_types", "attention_window", "mlp_layer_types")  # one entry for each layer
_PIECES = 9
_TOLERANCE = 1e-4  # of the largest hidden state; batches of other shapes differ by about 1e-6 of it


def first_layers(config: PreTrainedConfig, layers: int, folder: Path) -> PreTrainedConfig:
    """The configuration of the first `layers` layers; `config` is that of the whole encoder, from `folder`.

    Raises:
        UserError: it has fewer.
    """
    depth = config.num_hidden_layers
    if layers > depth:
        raise UserError(f"student.layers: {layers}, but the encoder in {folder} has {depth}; lower it")
    values = config.to_dict()
    values[config.attribute_map.get("num_hidden_layers", "num_hidden_layers")] = layers
    for name in _BY_LAYER:
        if isinstance(values.get(name), list):
            values[name] = values[name][:layers]
    if "num_hidden_groups" in values:  # ALBERT: neighbouring layers share the weights of their group
        values["num_hidden_groups"] = math.ceil(layers * values["num_hidden_groups"] / depth)
    return known_config(values, str(folder))


def usable_layers(encoder: PreTrainedModel, folder: Path) -> list[int]:
    """Every k for which the first k layers, alone, give the encoder's own k-th hidden states.

    Some kinds derive from their depth what a layer computes, so that a shorter one computes something else.
    """
    states, last_norm = _hidden_states(encoder)
    return [
        layers
        for layers in range(1, encoder.config.num_hidden_layers + 1)
        if _agree(encoder, layers, states, last_norm, folder)
    ]


def check_first_layers(encoder: PreTrainedModel, layers: int, folder: Path) -> None:
    """Check that a student may have the first `layers` layers of the encoder in `folder`.

    Raises:
        UserError: there are fewer, or they compute something else when no more follow.
    """
    first_layers(encoder.config, layers, folder)
    if not _agree(encoder, layers, *_hidden_states(encoder), folder):
        usable = ", ".join(map(str, usable_layers(encoder, folder)))
        raise UserError(
            f"student.layers: cut to its first {layers} layers, the encoder in {folder} (kind "
            f"{encoder.config.model_type}) computes different hidden states; set one of {usable}"
        )


def check_embedding_width(encoder: PreTrainedModel, width: int, folder: Path) -> None:
    """Check that a BiLSTM may have the first `width` principal components of the encoder's embeddings.

    Raises:
        UserError: the embedding dimension is lower.
    """
    weight: Any = encoder.get_input_embeddings().weight
    dimension = weight.shape[1]
    if width > dimension:
        raise UserError(
            f"student.bilstm.width: {width} exceeds the embedding dimension of {folder}; set at most "
            f"{dimension}"
        )


def _agree(
    encoder: PreTrainedModel,
    layers: int,
    states: tuple[Tensor, ...],
    last_norm: nn.Module | None,
    folder: Path,
) -> bool:
    if layers == encoder.config.num_hidden_layers:
        return True
    try:
        part = _cut(encoder, first_layers(encoder.config, layers, folder))
        with torch.inference_mode():
            found = part(**_inputs(encoder)).last_hidden_state
            wanted = [states[layers]] if last_norm is None else [states[layers], last_norm(states[layers])]
    except Exception:  # a depth that the kind does not allow: libraries raise what they like
        return False
    return any(close(found, state) for state in wanted)


def _hidden_states(encoder: PreTrainedModel) -> tuple[tuple[Tensor, ...], nn.Module | None]:
    """The hidden states after each layer, and the norm behind the last one, if there is one."""
    outputs: dict[str, list[Any]] = {}
    named = {name: part for name, part in encoder.named_modules() if not list(part.children())}
    hooks = [
        part.register_forward_hook(
            lambda _, __, output, name=name: outputs.setdefault(name, []).append(output)
        )
        for name, part in named.items()
    ]
    training = encoder.training
    try:
        with torch.inference_mode():
            result = encoder.eval()(**_inputs(encoder), output_hidden_states=True)
    finally:
        encoder.train(training)
        for hook in hooks:
            hook.remove()
    last = [
        name
        for name, calls in outputs.items()
        if len(calls) == 1
        and isinstance(calls[0], Tensor)
        and torch.equal(calls[0], result.last_hidden_state)
    ]
    norms = [named[name] for name in last if not isinstance(named[name], nn.Dropout)]
    return result.hidden_states, norms[-1] if norms else None


def _cut(encoder: PreTrainedModel, config: PreTrainedConfig) -> nn.Module:
    """An encoder with this configuration and the weights and buffers of `encoder`, which it shares."""
    with torch.random.fork_rng(devices=[]), torch.device("meta"):
        part: Any = new_model(encoder_class(config), config)
    if hasattr(part, "pooler"):
        part.pooler = getattr(encoder, "pooler", None)
    modules = dict(encoder.named_modules())
    for name, module in part.named_modules():
        for kind in ("_parameters", "_buffers"):
            for key in getattr(module, kind):
                getattr(module, kind)[key] = getattr(modules[name], kind)[key]
    model: nn.Module = part.eval()
    return model


def _inputs(encoder: PreTrainedModel) -> dict[str, Tensor]:
    """One row of pieces, drawn at random from those behind the special ones where there are as many."""
    size = encoder.config.vocab_size
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(min(10, size - 1), size, (1, _PIECES), generator=generator).to(encoder.device)
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


def close(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors of hidden states agree, to _TOLERANCE of the largest."""
    return bool((one - other).abs().max() <= _TOLERANCE * other.abs().max())
