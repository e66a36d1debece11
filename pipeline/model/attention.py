"""Attention for training on a CPU, where PyTorch's has no fast kernel with dropout.

There `scaled_dot_product_attention` copies and scales queries and keys, draws a random number for each
attention weight on one core, and looks for rows without a key. Here the product of queries and keys is added
to the mask as it is computed, and dropout is as in `CpuDropout`.
"""

from typing import Any

import torch
from torch import Tensor, nn
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from pipeline.model.dropout import draws_for, dropped
from pipeline.model.padding import known_mask

_NAME = "cpu_dropout"  # under which `transformers` finds this attention


def use_cpu_attention(encoder: Any) -> None:
    """Have an encoder of `transformers` compute attention by `cpu_attention`, if it takes PyTorch's now."""
    if encoder.config._attn_implementation == "sdpa":
        encoder.set_attn_implementation(_NAME)


def cpu_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **others: Any,
) -> tuple[Tensor, None]:
    """Attention as `sdpa_attention_forward` of `transformers` computes it, which does so where this cannot.

    Args:
        module: the layer.
        query: [B, heads, L, D]; key and value too.
        attention_mask: [B or 1, heads or 1, L or 1, L]: True at what is attended to, or a number to add;
            None: all is.
        dropout: probability with which a weight becomes 0.
        scaling: of the product of queries and keys; None: 1 / √D.
        others: what an encoder of another kind may give; then this function computes nothing.

    Returns:
        [B, L, heads, D], and None in the place of the weights.
    """
    plain = query.shape == key.shape == value.shape and all(
        one is None or one is False for one in others.values()
    )
    bidirectional = attention_mask is not None or getattr(module, "is_causal", True) is False
    if query.device.type != "cpu" or not draws_for(dropout) or not plain or not bidirectional:
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout, scaling=scaling, **others
        )
    batch, heads, length, size = query.shape
    with torch.autocast("cpu", enabled=False):  # which would compute the weights in float32
        scores = torch.baddbmm(
            _addend(attention_mask, query).expand(batch, heads, length, length).flatten(0, 1),
            query.flatten(0, 1),
            key.flatten(0, 1).transpose(1, 2),
            alpha=size**-0.5 if scaling is None else scaling,
        )
        weights = dropped(scores.softmax(-1), dropout)
        mixed = weights @ value.flatten(0, 1)
    return mixed.view(batch, heads, length, size).transpose(1, 2).contiguous(), None


def _addend(mask: Tensor | None, query: Tensor) -> Tensor:
    """A mask as numbers to add, of the type of `query`: the least one where nothing is attended to."""
    if mask is None:
        return query.new_zeros(1, 1, 1, 1)
    if mask.dtype != torch.bool:
        return mask.to(query.dtype)
    addend = torch.zeros(mask.shape, dtype=query.dtype)
    return addend.masked_fill_(~mask, torch.finfo(query.dtype).min)


ALL_ATTENTION_FUNCTIONS.register(_NAME, cpu_attention)
ALL_MASK_ATTENTION_FUNCTIONS.register(_NAME, known_mask)
