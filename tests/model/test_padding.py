"""What an encoder is told of padding changes no result, and spares or keeps its mask."""

from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModel
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, bidirectional_mask_function, sdpa_mask

from pipeline.model.padding import known_mask, known_padding

FULL = torch.ones(2, 4, dtype=torch.bool)
PADDED = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]], dtype=torch.bool)
SHAPE: dict[str, Any] = {"batch_size": 2, "q_length": 4, "kv_length": 4}


def asked(mask: torch.Tensor | None) -> dict[str, Any]:
    """As `transformers` asks for the mask of an encoder."""
    skip = {"allow_is_causal_skip": False, "allow_is_bidirectional_skip": True}
    return SHAPE | skip | {"attention_mask": mask, "mask_function": bidirectional_mask_function}


def test_inputs_without_padding_have_no_mask_and_theirs_is_not_looked_at() -> None:
    with known_padding(True):
        assert known_mask(**asked(FULL)) is None
        assert known_mask(**asked(PADDED)) is None


@pytest.mark.parametrize("mask", [FULL, PADDED])
def test_padded_inputs_have_the_whole_mask_without_a_look_at_it(mask: torch.Tensor) -> None:
    with known_padding(False):
        found = known_mask(**asked(mask))
    assert found is not None
    assert torch.equal(found, mask[:, None, None, :].expand(2, 1, 4, 4))


@pytest.mark.parametrize("mask", [FULL, PADDED, None])
def test_where_padding_is_not_known_the_mask_is_that_of_transformers(mask: torch.Tensor | None) -> None:
    expected = sdpa_mask(**asked(mask))
    outside = known_mask(**asked(mask))
    with known_padding(None):
        inside = known_mask(**asked(mask))
    for found in (outside, inside):
        assert (found is None) == (expected is None)
        assert found is None or expected is None or torch.equal(found, expected)


def test_what_was_known_before_is_known_again() -> None:
    with known_padding(True):
        with known_padding(False):
            assert known_mask(**asked(FULL)) is not None
        assert known_mask(**asked(PADDED)) is None
        with pytest.raises(ZeroDivisionError), known_padding(False):
            raise ZeroDivisionError
        assert known_mask(**asked(PADDED)) is None
    assert known_mask(**asked(PADDED)) is not None


def test_every_encoder_of_the_process_asks_here(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ALL_MASK_ATTENTION_FUNCTIONS["sdpa"] is known_mask
    sizes = {"hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 8, "num_hidden_layers": 1}
    torch.manual_seed(0)
    config = AutoConfig.for_model("bert", vocab_size=20, **sizes)
    encoder = AutoModel.from_config(config, attn_implementation="sdpa").eval()
    ids = torch.arange(8).view(2, 4)

    def states(mask: torch.Tensor, unpadded: bool | None) -> torch.Tensor:
        with torch.inference_mode(), known_padding(unpadded):
            found: torch.Tensor = encoder(input_ids=ids, attention_mask=mask.long()).last_hidden_state
        return found

    torch.testing.assert_close(states(FULL, True), states(FULL, None))
    padded = states(PADDED, None)
    torch.testing.assert_close(states(PADDED, False)[PADDED], padded[PADDED])
    assert not torch.allclose(states(PADDED, True)[PADDED], padded[PADDED])  # what it is told is what it does
