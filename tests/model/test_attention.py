"""Attention on a CPU is that of `transformers`, but for the weights that dropout sets to 0."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close
from transformers import CONFIG_MAPPING, AutoModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from pipeline.model import attention
from pipeline.model.attention import cpu_attention, use_cpu_attention

KINDS = ("bert", "roberta", "distilbert", "electra", "albert", "xlm-roberta", "camembert")
OWN_ATTENTION = ("mpnet", "deberta-v2")  # kinds that call none of the attentions of `transformers`
SEEN = (torch.arange(5) < torch.tensor([5, 2, 3])[:, None])[:, None, None]
ADDED = torch.zeros(3, 1, 1, 5).masked_fill(~SEEN, -1e9)
MASKS = {
    "none": None,
    "of keys": SEEN,
    "of pairs": SEEN.expand(-1, 1, 5, -1),
    "added": ADDED,
    "added for each head": ADDED + torch.linspace(-1, 1, 150).view(3, 2, 5, 5),
}


class Layer(nn.Module):
    """A layer of an encoder, as far as attention reads it."""

    is_causal: Any = False
    num_key_value_groups: Any = 1


def query_key_value(heads: int = 2, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(0)
    query, key, value = torch.randn(3, 3, heads, 5, 4, dtype=dtype).unbind()
    return query.requires_grad_(), key.requires_grad_(), value.requires_grad_()


@pytest.fixture
def keeps_all(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Dropout keeps all weights, so that outputs can be compared; the probabilities that it was given."""
    asked: list[float] = []

    def whole(x: Tensor, p: float) -> Tensor:
        asked.append(p)
        return x

    monkeypatch.setattr(attention, "dropped", whole)
    return asked


@pytest.mark.parametrize("scaling", [None, 0.3])
@pytest.mark.parametrize("mask", MASKS)
def test_output_and_gradients_are_those_of_transformers(keeps_all, mask, scaling):
    ours, theirs = query_key_value(), query_key_value()
    found, weights = cpu_attention(Layer(), *ours, attention_mask=MASKS[mask], dropout=0.1, scaling=scaling)
    expected, _ = sdpa_attention_forward(Layer(), *theirs, attention_mask=MASKS[mask], scaling=scaling)
    assert keeps_all == [0.1]
    assert weights is None
    assert_close(found, expected)
    direction = torch.linspace(-1, 1, found.numel()).view_as(found)
    found.backward(direction)
    expected.backward(direction)
    for one, other in zip(ours, theirs, strict=True):
        assert_close(one.grad, other.grad)


def test_autocast_leaves_bfloat16(keeps_all):
    rounded = query_key_value(dtype=torch.bfloat16)
    query, key, value = (one.float() for one in rounded)
    with torch.autocast("cpu", torch.bfloat16):
        found, _ = cpu_attention(Layer(), *rounded, attention_mask=SEEN, dropout=0.1)
    exact, _ = sdpa_attention_forward(Layer(), query, key, value, attention_mask=SEEN)
    assert keeps_all == [0.1]
    assert found.dtype == torch.bfloat16
    assert_close(found.float(), exact, atol=2e-2, rtol=2e-2)


def test_weights_are_dropped_and_the_others_scaled():
    torch.manual_seed(0)
    length = 64
    alike, value = torch.zeros(4, 8, length, 4), torch.ones(4, 8, length, 4)
    mixed, _ = cpu_attention(Layer(), alike, alike, value, attention_mask=None, dropout=0.25)
    assert_close(float(mixed.mean()), 1.0, atol=0.01, rtol=0)
    assert_close(float(mixed[..., 0].var()), 0.25 / 0.75 / length, atol=0.001, rtol=0)


@pytest.mark.parametrize("changed", ["no dropout", "fewer key heads", "causal", "another argument"])
def test_what_it_cannot_do_is_left_to_transformers(keeps_all, changed):
    query, key, value = query_key_value()
    layer, mask = Layer(), None if changed == "causal" else SEEN
    layer.is_causal = changed == "causal"
    others = {"position_bias": torch.ones(3, 2, 5, 5)} if changed == "another argument" else {}
    dropout = 0.0 if changed == "no dropout" else 0.1
    if changed == "fewer key heads":
        key, value, layer.num_key_value_groups = key[:, :1], value[:, :1], 2
    found, expected = (
        of(layer, query, key, value, attention_mask=mask, dropout=dropout, **others)[0]
        for of in (seeded(cpu_attention), seeded(sdpa_attention_forward))
    )
    assert keeps_all == []
    assert torch.equal(found, expected)


def seeded(function: Any) -> Any:
    """The function, called with the same random numbers each time."""

    def call(*arguments: Any, **named: Any) -> Any:
        torch.manual_seed(2)
        return function(*arguments, **named)

    return call


def encoder_of(kind: str) -> Any:
    sizes = {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 32, "num_hidden_layers": 2}
    if kind == "distilbert":
        sizes = {"dim": 16, "n_heads": 2, "hidden_dim": 32, "n_layers": 2}
    values: dict[str, Any] = {
        **sizes,
        "attention_probs_dropout_prob": 0.1,
        "vocab_size": 50,
        "pad_token_id": 1,
    }
    torch.manual_seed(0)
    return AutoModel.from_config(CONFIG_MAPPING[kind](**values))


@pytest.mark.parametrize("kind", [*KINDS, *OWN_ATTENTION])
def test_an_encoder_computes_the_same_in_training(keeps_all, monkeypatch, kind):
    ids = torch.randint(2, 50, (3, 7), generator=torch.Generator().manual_seed(0))
    given = {"input_ids": ids, "attention_mask": (torch.arange(7) < torch.tensor([7, 4, 6])[:, None]).long()}
    encoder = encoder_of(kind)
    expected = encoder.eval()(**given).last_hidden_state
    expected.square().sum().backward()
    gradients = {name: one.grad for name, one in encoder.named_parameters() if one.grad is not None}
    encoder.zero_grad(set_to_none=True)
    config = encoder.config.to_json_string()

    use_cpu_attention(encoder)
    monkeypatch.setattr(nn.Dropout, "forward", lambda _, x: x)
    monkeypatch.setattr(nn.functional, "dropout", lambda x, *_, **__: x)
    found = encoder.train()(**given).last_hidden_state
    found.square().sum().backward()
    assert len(keeps_all) == (0 if kind in OWN_ATTENTION else 2)
    assert_close(found, expected)
    for name, gradient in gradients.items():
        assert_close(encoder.get_parameter(name).grad, gradient, atol=1e-5, rtol=1e-4)
    assert encoder.config.to_json_string() == config  # nothing of it is saved
