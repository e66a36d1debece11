"""The shape of a BiLSTM survives its config.json, and is known there by its kind."""

import json
from typing import Any

import pytest
from transformers import AutoConfig

from pipeline.encoding.bilstm_config import BiLSTMConfig
from pipeline.encoding.pretrained import known_config

SHAPE: dict[str, Any] = {
    "vocab_size": 50,
    "embedding_size": 8,
    "hidden_size": 12,
    "num_hidden_layers": 2,
    "dropout": 0.25,
}


def test_every_value_of_the_shape_is_kept(tmp_path):
    BiLSTMConfig(**SHAPE).save_pretrained(tmp_path)
    values = json.loads((tmp_path / "config.json").read_text())
    assert values["model_type"] == "bilstm"
    assert values.items() >= SHAPE.items()
    for read in (BiLSTMConfig.from_pretrained(tmp_path), AutoConfig.from_pretrained(tmp_path)):
        assert isinstance(read, BiLSTMConfig)
        assert {name: getattr(read, name) for name in SHAPE} == SHAPE


def test_values_stand_in_the_order_of_the_documentation():
    config = BiLSTMConfig(*SHAPE.values())
    assert {name: getattr(config, name) for name in SHAPE} == SHAPE


def test_this_project_knows_it_by_its_kind():
    found = known_config({"model_type": "bilstm"} | SHAPE, "here")
    assert isinstance(found, BiLSTMConfig)
    assert found.hidden_size == 12


@pytest.mark.parametrize("name", ["id2label", "architectures"])
def test_what_every_configuration_has_is_taken_too(name):
    given: Any = {"id2label": {0: "O", 1: "B-PER"}, "architectures": ["BiLSTM"]}[name]
    assert getattr(BiLSTMConfig(**SHAPE | {name: given}), name) == given
