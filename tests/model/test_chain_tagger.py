"""The tagger on every kind of encoder: its layers, its round trip through a folder, and what it refuses."""

import json
import shutil
from dataclasses import replace
from typing import get_args

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel

from pipeline.encoding.batching import Batches
from pipeline.encoding.split_file import load
from pipeline.errors import UserError
from pipeline.model import chain_tagger
from pipeline.model.chain_tagger import ChainTagger
from pipeline.settings import Head
from pipeline.training.loss import gold_loss
from tests.helpers.tiny_corpus import TAG_SET, sentences
from tests.helpers.tiny_encoders import KINDS, LAYERS
from tests.helpers.tiny_inputs import same_bits, tagger, write_split

kinds = pytest.mark.parametrize("kind", KINDS)
heads = pytest.mark.parametrize("head", get_args(Head))


@pytest.fixture(scope="module")
def splits(encoder, tmp_path_factory):
    """One split, encoded for an encoder."""
    root = tmp_path_factory.mktemp("splits")
    split = sentences(7, seed=2) + sentences(1, seed=3, shortest=45, longest=45)

    def encoded(kind):
        path = root / f"{kind}.parquet"
        return load(path) if path.exists() else write_split(path, split, encoder(kind))

    return encoded


def hidden(encoder, batch):
    with torch.inference_mode():
        return encoder.eval()(input_ids=batch.input_ids, attention_mask=batch.attention_mask)


def set_dropout(model, p):
    """Of all layers."""
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = p


def gradients(model, batch):
    """Of the sum of the log partitions, by parameter."""
    model.zero_grad()
    model.chain(batch).log_partition().sum().backward()
    return {name: one.grad.clone() for name, one in model.named_parameters() if one.grad is not None}


@kinds
@pytest.mark.parametrize("layers", [1, 2, LAYERS])
def test_a_student_is_exactly_the_first_layers_of_the_encoder(kind, layers, encoder, splits):
    """What it computes is what the whole encoder has computed after so many layers."""
    encoded = splits(kind)
    student = ChainTagger.from_encoder(encoder(kind), encoded, layers=layers)
    whole = AutoModel.from_pretrained(encoder(kind))
    batch = Batches(encoded, 8).collate(torch.arange(8))

    with torch.inference_mode():
        states = whole.eval()(
            input_ids=batch.input_ids, attention_mask=batch.attention_mask, output_hidden_states=True
        )
        expected = states.hidden_states[layers] if layers < LAYERS else states.last_hidden_state
        if kind == "modernbert" and layers < LAYERS:  # its final norm stands behind the last layer it has
            expected = whole.final_norm(expected)
    found = hidden(student.encoder, batch).last_hidden_state
    words = batch.attention_mask.bool()
    torch.testing.assert_close(found[words], expected[words], rtol=1e-5, atol=1e-6)

    theirs = whole.state_dict()
    assert student.encoder.config.num_hidden_layers == layers
    for name, tensor in student.encoder.state_dict().items():
        assert torch.equal(tensor, theirs[name]), name


@kinds
def test_all_layers_are_the_default(kind, encoder, splits):
    assert ChainTagger.from_encoder(encoder(kind), splits(kind)).encoder.config.num_hidden_layers == LAYERS


@kinds
@heads
def test_every_weight_of_the_tagger_learns(kind, head, encoder, splits):
    """Encode, batch, forward, loss, backward: with a long sentence in windows, and nothing left untrained."""
    encoded = splits(kind)
    model = ChainTagger.from_encoder(encoder(kind), encoded, layers=2, head=head).train()
    batches = Batches(encoded, 8)
    batch = batches.collate(torch.arange(8))
    assert len(batch.input_ids) > 8
    gold_loss(model.chain(batch), batch, 0).mean().backward()

    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
    for parameter in model.head_parameters:
        assert parameter.grad.abs().sum() > 0
    assert "pooler" not in "".join(model.state_dict())


@kinds
def test_a_folder_gives_the_tagger_back_to_the_bit(kind, encoder, splits, tmp_path):
    encoded = splits(kind)
    model = tagger(encoder(kind), encoded)
    model.save_pretrained(tmp_path)
    again = ChainTagger.load(tmp_path).eval()

    assert same_bits(model.state_dict(), again.state_dict())
    assert again.tag_set == encoded.tag_set
    batch = Batches(encoded, 8).collate(torch.arange(8))
    with torch.inference_mode():
        one, other = model.chain(batch), again.chain(batch)
    assert torch.equal(one.emissions, other.emissions)
    assert torch.equal(one.viterbi()[1], other.viterbi()[1])
    assert (tmp_path / "model.safetensors").is_file()
    assert not list(tmp_path.glob("*.bin"))


@kinds
def test_a_student_of_the_teacher_is_its_first_layers_and_head(kind, encoder, splits, tmp_path):
    teacher = tagger(encoder(kind), splits(kind), layers=LAYERS)
    teacher.save_pretrained(tmp_path)
    student = ChainTagger.from_teacher(tmp_path, layers=1)

    assert student.encoder.config.num_hidden_layers == 1
    weights = teacher.state_dict()
    for name, tensor in student.state_dict().items():
        assert torch.equal(tensor, weights[name]), name
    dropped = {name for name in weights if name not in student.state_dict()}
    assert {name.split(".")[0] for name in dropped} == {"encoder"}
    (tmp_path / "again").mkdir()
    student.save_pretrained(tmp_path / "again")
    assert same_bits(ChainTagger.load(tmp_path / "again").state_dict(), student.state_dict())


def test_emissions_are_the_linear_layer_on_each_words_first_piece(bert, splits):
    encoded = splits("bert")
    model = tagger(bert, encoded)
    batch = Batches(encoded, 8).collate(torch.arange(3))
    states = hidden(model.encoder, batch).last_hidden_state
    with torch.inference_mode():
        chain = model.chain(batch)
        for row in range(3):
            first = encoded.first.take(torch.tensor([row])).values
            expected = model.emission(states[row, first + 1])  # behind [CLS]
            torch.testing.assert_close(chain.emissions[row, : len(first)], expected)
    assert torch.equal(chain.transitions, model.transitions)
    assert torch.equal(chain.start, model.start)
    assert torch.equal(chain.end, model.end)


@heads
@pytest.mark.parametrize("pieces", [1, 50, 200])
def test_a_long_document_is_encoded_in_parts_with_the_same_emissions(head, pieces, bert, splits, monkeypatch):
    encoded = splits("bert")
    model = tagger(bert, encoded, head=head)
    batch = Batches(encoded, 8).collate(torch.arange(8))
    windows, width = batch.input_ids.shape
    assert windows > 8
    with torch.inference_mode():
        expected = model.chain(batch).emissions
        monkeypatch.setattr(chain_tagger, "PIECES_AT_ONCE", pieces)
        sizes = []
        hook = model.encoder.register_forward_pre_hook(
            lambda *call: sizes.append(call[2]["input_ids"].numel()), with_kwargs=True
        )
        found = model.chain(batch).emissions
        hook.remove()
    assert max(sizes) <= max(pieces, width)
    assert sum(sizes) == windows * width
    words = torch.arange(found.shape[1]) < batch.lengths[:, None]
    torch.testing.assert_close(found[words], expected[words], rtol=1e-5, atol=1e-5)


@heads
@pytest.mark.parametrize("at_once", [1, 3])
def test_a_long_document_is_trained_on_in_parts_with_the_same_gradients(head, at_once, bert, splits):
    encoded = splits("bert")
    model = tagger(bert, encoded, head=head).train()
    set_dropout(model, 0.0)
    long = int(encoded.pieces.lengths.argmax())
    batch = Batches(encoded, at_once).collate(torch.tensor([long]))
    windows = len(batch.input_ids)
    assert windows > 3
    sizes = []
    hook = model.encoder.register_forward_pre_hook(
        lambda *call: sizes.append(len(call[2]["input_ids"])), with_kwargs=True
    )
    found = gradients(model, batch)
    hook.remove()
    assert max(sizes) <= at_once
    assert sum(sizes) == 2 * windows  # once more in the backward pass
    for name, whole in gradients(model, replace(batch, at_once=None)).items():
        torch.testing.assert_close(found[name], whole, rtol=1e-4, atol=1e-6, msg=name)


def test_the_parts_of_a_document_drop_the_same_in_both_passes(bert, splits):
    """Else the gradient would be that of another function."""
    encoded = splits("bert")
    model = tagger(bert, encoded).train()
    set_dropout(model, 0.5)
    batch = Batches(encoded, 1).collate(encoded.pieces.lengths.argmax()[None])
    states = []
    hook = model.encoder.register_forward_hook(
        lambda *call: states.append(call[2].last_hidden_state.detach())
    )
    model.chain(batch).log_partition().sum().backward()
    hook.remove()
    forward, again = states[: len(batch.input_ids)], states[len(batch.input_ids) :]
    assert len(again) == len(forward)
    for one, other in zip(forward, reversed(again), strict=True):
        assert torch.equal(one, other)


@heads
def test_the_chain_is_float32_under_autocast(head, bert, splits):
    encoded = splits("bert")
    model = tagger(bert, encoded, head=head)
    batch = Batches(encoded, 8).collate(torch.arange(3))
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        chain = model.chain(batch)
        assert model.encoder(batch.input_ids).last_hidden_state.dtype in (torch.bfloat16, torch.float32)
        assert torch.nn.functional.linear(torch.ones(2, 2), torch.ones(2, 2)).dtype == torch.bfloat16
    assert chain.emissions.dtype == torch.float32
    assert chain.emissions.bfloat16().float().ne(chain.emissions).any()


@heads
def test_dropout_comes_before_the_emission_layer(head, bert, splits):
    """With a rate of 1 nothing but the bias is left in training, and all is there in evaluation."""
    encoded = splits("bert")
    model = ChainTagger.from_encoder(bert, encoded, dropout=1.0, head=head)
    torch.nn.init.normal_(model.emission.bias)
    batch = Batches(encoded, 8).collate(torch.arange(3))
    emissions = model.train().chain(batch).emissions
    assert torch.equal(emissions, model.emission.bias.expand_as(emissions))
    assert not torch.equal(model.eval().chain(batch).emissions, emissions)


@heads
def test_a_half_precision_encoder_is_raised_to_float32(head, bert, splits, tmp_path):
    AutoModel.from_pretrained(bert, dtype=torch.bfloat16).save_pretrained(tmp_path)
    model = ChainTagger.from_encoder(tmp_path, splits("bert"), layers=1, head=head)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    model.save_pretrained(tmp_path / "tagger")
    assert {tensor.dtype for tensor in ChainTagger.load(tmp_path / "tagger").state_dict().values()} == {
        torch.float32
    }


def test_more_layers_than_there_are_is_refused(bert, splits, tmp_path):
    with pytest.raises(UserError, match=rf"student\.layers: 4, but the encoder in {bert} has 3; lower it"):
        ChainTagger.from_encoder(bert, splits("bert"), layers=LAYERS + 1)
    tagger(bert, splits("bert"), layers=2).save_pretrained(tmp_path)
    with pytest.raises(UserError, match=rf"student\.layers: 3, but the encoder in {tmp_path} has 2"):
        ChainTagger.from_teacher(tmp_path, layers=3)


def without_weights(folder):
    (folder / "model.safetensors").unlink()


def without_a_layer(folder):
    tensors = load_file(folder / "model.safetensors")
    kept = {name: tensor for name, tensor in tensors.items() if "layer.0.output.dense" not in name}
    save_file(kept, folder / "model.safetensors", {"format": "pt"})


def with_cut_weights(folder):
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[: len(content) // 2])


def with_other_shapes(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"intermediate_size": 40}))


def without_config(folder):
    (folder / "config.json").unlink()


def with_unknown_model_type(folder):
    (folder / "config.json").write_text('{"model_type": "no-such-model"}')


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (without_weights, "the encoder cannot be loaded: .*no file named"),
        (without_a_layer, r"no weights for encoder\.layer\.0\.output\.dense\.bias and 1 more"),
        (with_cut_weights, "the encoder cannot be loaded"),
        (with_other_shapes, "the encoder cannot be loaded"),
        (without_config, "no encoder configuration can be read"),
        (with_unknown_model_type, "no encoder configuration can be read"),
    ],
)
def test_a_damaged_encoder_is_refused_in_one_line(damage, reason, bert, splits, tmp_path):
    folder = shutil.copytree(bert, tmp_path / "bert")
    damage(folder)
    with pytest.raises(UserError, match=f"{folder}: {reason}") as caught:
        ChainTagger.from_encoder(folder, splits("bert"), layers=2)
    assert "\n" not in str(caught.value)


def without_transitions(folder):
    tensors = load_file(folder / "model.safetensors")
    del tensors["transitions"]
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (without_transitions, "no weights for transitions; train it again"),
        (without_weights, "no tagger can be loaded from it"),
        (with_cut_weights, "no tagger can be loaded from it"),
        (without_config, "no tagger can be loaded from it"),
    ],
)
def test_a_damaged_tagger_is_refused_in_one_line(damage, reason, bert, splits, tmp_path):
    folder = tmp_path / "tagger"
    tagger(bert, splits("bert")).save_pretrained(folder)
    damage(folder)
    with pytest.raises(UserError, match=f"{folder}: {reason}") as caught:
        ChainTagger.load(folder)
    assert "\n" not in str(caught.value)


def test_the_folder_says_what_is_needed_to_tag_by_itself(bert, splits, tmp_path):
    encoded = splits("bert")
    tagger(bert, encoded).save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["tag_set"] == TAG_SET.to_json()
    assert config["input_layout"]["window"] == encoded.layout.window
    assert config["input_layout"]["identity"] == encoded.layout.identity
