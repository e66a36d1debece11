"""A student's k layers give the encoder's own k-th hidden states, for every kind; others are refused."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AlbertModel, LongformerModel

from pipeline.errors import UserError
from pipeline.model.encoder import load_encoder
from pipeline.model.first_layers import check_first_layers, first_layers
from tests.helpers.tiny_encoders import write_encoder

IDS = torch.arange(10, 22)[None]


@pytest.mark.parametrize("layers", [1, 2, 3, 5, 6, 9])
def test_albert_keeps_the_groups_of_its_first_layers(layers: int, tmp_path: Path) -> None:
    folder = write_encoder(tmp_path / "albert", "albert", num_hidden_layers=12, num_hidden_groups=4)
    config = first_layers(load_encoder(folder).config, layers, folder)
    assert config.num_hidden_groups == math.ceil(layers / 3)
    whole = AlbertModel.from_pretrained(folder).eval()
    with torch.inference_mode():
        found = load_encoder(folder, config).eval()(IDS).last_hidden_state
        wanted = whole(IDS, output_hidden_states=True).hidden_states[layers]
    torch.testing.assert_close(found, wanted)


def test_layers_that_would_fall_into_other_groups_are_refused(tmp_path: Path) -> None:
    folder = write_encoder(tmp_path / "albert", "albert", num_hidden_layers=12, num_hidden_groups=4)
    with pytest.raises(
        UserError, match=r"student\.layers: cut to its first 4 layers, .*set one of 1, 2, 3, 5, 6"
    ):
        check_first_layers(load_encoder(folder), 4, folder)


def test_longformer_keeps_the_windows_of_its_first_layers(encoder: Any) -> None:
    folder = encoder("longformer")
    config = first_layers(load_encoder(folder).config, 2, folder)
    assert config.attention_window == [4, 4]
    with torch.inference_mode():
        found = load_encoder(folder, config).eval()(IDS).last_hidden_state
        whole = LongformerModel.from_pretrained(folder).eval()
        wanted = whole(IDS, output_hidden_states=True).hidden_states[2]
    torch.testing.assert_close(found, wanted)


def test_the_check_draws_no_random_number(bert: Path) -> None:
    """Training starts from the same numbers with it and without."""
    encoder = load_encoder(bert)
    before = torch.get_rng_state()
    check_first_layers(encoder, 1, bert)
    assert torch.equal(torch.get_rng_state(), before)
