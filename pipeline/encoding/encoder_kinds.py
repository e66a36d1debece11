"""Which kinds of encoder are supported, by `model_type` (the table is in docs/encoders.md)."""

from typing import Any

from transformers import CONFIG_MAPPING, MODEL_MAPPING, PreTrainedConfig

# Encoder-decoders whose encoder `transformers` can load alone.
ENCODER_ALONE = frozenset({"t5", "mt5", "umt5"})
# Their position ids start behind the padding id, so that as many positions are never used.
_OFFSET_POSITIONS = frozenset(
    {"roberta", "xlm-roberta", "camembert", "longformer", "mpnet", "data2vec-text", "xmod"}
    | {"ibert", "roberta-prelayernorm", "xlm-roberta-xl", "esm", "luke", "lilt", "layoutlmv3", "markuplm"}
)
_OF_ONE_TEXT = frozenset({"esm", "mpt"})  # a configuration inside theirs is no second model
_UNBOUNDED = 1 << 30


def refusal(config: PreTrainedConfig) -> str | None:
    """Why no tagger can be built on an encoder with this configuration, or None.

    Whether its network computes what a tagger needs is for `pipeline.model.encoder_check` to find.
    """
    kind = config.model_type
    if kind not in CONFIG_MAPPING or type(config) not in MODEL_MAPPING:
        return f"model_type {kind} has no model in `transformers`"
    if kind in ENCODER_ALONE:
        return None
    if config.is_encoder_decoder:
        return f"model_type {kind} has a decoder, and its encoder cannot be loaded alone"
    if kind == "funnel":
        return "model_type funnel shortens the sequence, so there is no hidden state for each piece"
    if kind == "xmod" and config.default_language is None:
        return f"model_type {kind} has weights for each language; set default_language in its config.json"
    model: Any = MODEL_MAPPING[type(config)]
    model = model[0] if isinstance(model, tuple) else model
    if model.main_input_name != "input_ids" or (config.sub_configs and kind not in _OF_ONE_TEXT):
        return f"model_type {kind} reads more than text"
    return None


def positions(config: PreTrainedConfig) -> int:
    """How many pieces an encoder has positions for; a large number where there is no bound."""
    most = getattr(config, "max_position_embeddings", None)
    if not isinstance(most, int) or most <= 0:  # -1 in XLNet, whose positions are relative
        return _UNBOUNDED
    unused = config.pad_token_id + 1 if config.model_type in _OFFSET_POSITIONS else 0
    return most - unused
