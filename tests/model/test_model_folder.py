"""A finished tagger's folder is whole: it tags again as before, and a damaged one is refused by name."""

import json
from dataclasses import asdict

import pytest
import torch

from pipeline.device import accelerator
from pipeline.encoding.batching import Batches
from pipeline.encoding.encoded import load
from pipeline.encoding.tokenization import input_layout, load_tokenizer
from pipeline.errors import UserError
from pipeline.model.model_folder import HISTORY, load_model, save_model
from pipeline.model.prediction import predict
from pipeline.storage.sealed_folder import check
from tests.helpers import tiny_inputs
from tests.helpers.tiny_encoders import KINDS
from tests.helpers.tiny_inputs import same_bits, tagger, write_split


@pytest.mark.parametrize("kind", KINDS)
def test_the_folder_tags_as_the_model_did(kind, encoder, tmp_path):
    encoded = write_split(tmp_path / "split.parquet", tiny_inputs.sentences(9), encoder(kind))
    model = tagger(encoder(kind), encoded)
    save_model(tmp_path / "model", model, encoder(kind), tiny_inputs.HISTORY)
    again = load_model(tmp_path / "model")

    assert same_bits(again.state_dict(), model.state_dict())
    batches = Batches(encoded, 4)
    with torch.inference_mode():
        batch = batches.batch(torch.arange(4))
        assert torch.equal(again.chain(batch).emissions, model.chain(batch).emissions)
    before, after = (predict(tagger, batches, accelerator("float32")) for tagger in (model, again))
    assert after == before
    tokenizer = load_tokenizer(tmp_path / "model")
    layout = input_layout(tokenizer, encoder(kind), window=40, overlap=6)
    assert layout == encoded.layout


def test_the_history_lies_beside_the_weights(teacher):
    assert json.loads((teacher / HISTORY).read_text()) == asdict(tiny_inputs.HISTORY)
    assert {"config.json", "model.safetensors", "tokenizer.json", HISTORY} <= set(check(teacher))


def test_the_same_model_is_the_same_folder(bert, corpus, tmp_path):
    for name in "ab":
        tiny_inputs.write_teacher(tmp_path / name, bert, corpus)
    assert check(tmp_path / "a") == check(tmp_path / "b")


def test_a_folder_that_fails_leaves_the_older_model(bert, corpus, tmp_path):
    folder = tiny_inputs.write_teacher(tmp_path / "model", bert, corpus)
    before = check(folder)
    model = tagger(bert, load(corpus / "train.parquet"), seed=9)
    with pytest.raises(UserError, match="no usable tokenizer"):
        save_model(folder, model, tmp_path / "nowhere", tiny_inputs.HISTORY)
    assert check(folder) == before


@pytest.mark.parametrize("file", ["model.safetensors", "config.json", "tokenizer.json"])
def test_a_damaged_model_is_refused_by_name(file, bert, corpus, tmp_path):
    folder = tiny_inputs.write_teacher(tmp_path / "model", bert, corpus)
    content = (folder / file).read_bytes()
    (folder / file).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(UserError, match=f"{folder / file}: damaged"):
        load_model(folder)
