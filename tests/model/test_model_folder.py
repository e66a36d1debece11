"""A finished tagger's folder is whole: it tags again as before, and a damaged one is refused by name."""

import errno
import json
import os
from dataclasses import asdict, replace

import pytest
import torch

from pipeline.device import accelerator
from pipeline.encoding.batching import Batches
from pipeline.encoding.settings import Prepare
from pipeline.encoding.split_file import load
from pipeline.encoding.tokenization import input_layout, load_tokenizer
from pipeline.errors import UserError
from pipeline.model.model_folder import load_model, load_model_and_tokenizer, save_model
from pipeline.model.prediction import predict
from pipeline.scores.dump import dump_scores
from pipeline.scores.settings import Dump
from pipeline.scores.shards import Origin
from pipeline.storage.file_names import HISTORY
from pipeline.storage.sealed_folder import check
from tests.helpers import tiny_inputs
from tests.helpers.tiny_corpus import TAG_SET
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
        batch = batches.collate(torch.arange(4))
        assert torch.equal(again.chain(batch).emissions, model.chain(batch).emissions)
    before, after = (predict(tagger, batches, accelerator("float32")) for tagger in (model, again))
    assert after == before
    tokenizer = load_tokenizer(tmp_path / "model")
    layout = input_layout(tokenizer, encoder(kind), Prepare(window=40, overlap=6))
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


def permuted(folder):
    """The folder without its seal, and with two pieces of its tokenizer exchanged."""
    (folder / "seal.json").unlink()
    path = folder / "tokenizer.json"
    state = json.loads(path.read_text())
    vocabulary = state["model"]["vocab"]
    vocabulary["ba"], vocabulary["ne"] = vocabulary["ne"], vocabulary["ba"]
    path.write_text(json.dumps(state))
    return folder


def test_a_folder_whose_tokenizer_was_exchanged_is_refused(bert, corpus, tmp_path):
    folder = permuted(tiny_inputs.write_teacher(tmp_path / "model", bert, corpus))
    with pytest.raises(UserError, match=f"{folder}: was trained with another tokenizer"):
        load_model_and_tokenizer(folder)


def test_a_split_of_another_tokenizer_is_refused(bert, corpus, tmp_path, encoder):
    folder = tiny_inputs.write_teacher(tmp_path / "model", bert, corpus)
    other = write_split(tmp_path / "split.parquet", tiny_inputs.sentences(3), encoder("distilbert"))
    layout = replace(other.layout, identity="0" * 64)
    for change in (predict, lambda *given: dump_emissions(*given, out=tmp_path / "scores")):
        with pytest.raises(UserError, match=f"{folder}: was trained with another tokenizer .*000000000000"):
            change(load_model(folder), Batches(replace(other, layout=layout), 2), accelerator("float32"))


def dump_emissions(model, batches, device, *, out):
    origin = Origin(TAG_SET.tags, "", "", batches.encoded.layout.identity, "train")
    dump_scores(model, batches, device, Dump(), origin=origin, checkpoint=out, out=out)


def test_a_tokenizer_without_permission_is_not_to_be_chosen_anew(bert, monkeypatch):
    """Permissions themselves would not stop root, who may run the tests."""
    path = str(bert / "tokenizer.json")

    def denied(*_, **__):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)

    monkeypatch.setattr("transformers.AutoTokenizer.from_pretrained", denied)
    with pytest.raises(UserError) as caught:
        load_tokenizer(bert)
    assert str(caught.value) == f"{path}: cannot be read (Permission denied); change its permissions"


@pytest.mark.parametrize(
    "change",
    [
        {"input_layout": {"prefix": [10**6]}},
        {"input_layout": {"window": 10**6}},
        {"input_layout": {"window": 2}},
        {"input_layout": {"pad": -1}},
        {"tag_set": {"tags": []}},
        {"tag_set": {"tags": ["O", "O"]}},
        {"tag_set": {"tags": ["O", "relu"]}},
        {"dropout": 7},
        {"encoder": {"num_attention_heads": 0}},
        {"encoder": {"model_type": "no-such"}},
    ],
)
def test_a_crafted_configuration_of_a_tagger_is_one_line(change, bert, corpus, tmp_path):
    folder = tiny_inputs.write_teacher(tmp_path / "model", bert, corpus)
    (folder / "seal.json").unlink()
    values = json.loads((folder / "config.json").read_text())
    for key, value in change.items():
        values[key] = values[key] | value if isinstance(value, dict) else value
    (folder / "config.json").write_text(json.dumps(values))
    with pytest.raises(UserError) as caught:
        load_model_and_tokenizer(folder)
    assert "\n" not in str(caught.value)
