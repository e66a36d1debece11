"""A softmax tagger's folder is one that `transformers` reads alone; this project reads it back to the bit."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import AutoConfig, AutoModelForMaskedLM, AutoModelForTokenClassification, pipeline

from pipeline.corpora.words import Text
from pipeline.encoding.batching import Batches
from pipeline.encoding.encoded import Encoded
from pipeline.errors import UserError
from pipeline.inference.tagger import load as load_tagger
from pipeline.model import token_classifier
from pipeline.model.chain_tagger import ChainTagger
from pipeline.model.model_folder import load_model, save_model
from tests.helpers import tiny_inputs
from tests.helpers.tiny_corpus import TAG_SET, sentences
from tests.helpers.tiny_encoders import KINDS, LAYERS, POSITIONS
from tests.helpers.tiny_inputs import same_bits, tagger, write_split

SPLIT = sentences(9, seed=4, longest=8)

Encoder = Callable[[str], Path]
Made = Callable[[str], tuple[ChainTagger, Path, Encoded]]


@pytest.fixture(scope="module")
def made(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A softmax tagger over an encoder of a kind, its folder, and a split for it."""
    root = tmp_path_factory.mktemp("stock")
    known: dict[str, tuple[ChainTagger, Path, Encoded]] = {}

    def make(kind: str) -> tuple[ChainTagger, Path, Encoded]:
        if kind not in known:
            encoded = write_split(root / f"{kind}.parquet", SPLIT, encoder(kind))
            model = tagger(encoder(kind), encoded, head="softmax")
            save_model(root / kind, model, encoder(kind), tiny_inputs.HISTORY)
            known[kind] = model, root / kind, encoded
        return known[kind]

    return make


kinds = pytest.mark.parametrize("kind", KINDS)


@kinds
def test_the_stock_class_gives_the_same_scores(made: Made, kind: str) -> None:
    model, folder, encoded = made(kind)
    theirs, report = AutoModelForTokenClassification.from_pretrained(folder, output_loading_info=True)
    assert not any(report.values())
    batch = Batches(encoded, 9).collate(torch.arange(9))
    with torch.inference_mode():
        chain = model.chain(batch)
        logits = theirs.eval()(input_ids=batch.input_ids, attention_mask=batch.attention_mask).logits
    assert logits.shape[-1] == len(TAG_SET)
    found = logits.flatten(0, 1)[batch.word_index]
    torch.testing.assert_close(found[chain.mask], chain.emissions[chain.mask], rtol=1e-5, atol=1e-6)
    assert found[chain.mask].std() > 0.1
    assert theirs.config.id2label == dict(enumerate(TAG_SET.tags))
    assert theirs.config.label2id == TAG_SET.index


@kinds
def test_the_stock_pipeline_gives_the_same_tags(made: Made, kind: str) -> None:
    """At the first piece of each word, in text whose words stand between spaces."""
    _, folder, _ = made(kind)
    theirs = pipeline("token-classification", model=str(folder), device="cpu")
    ours = load_tagger(folder)
    seen = set()
    for sentence in SPLIT:
        (tagged,) = ours([Text.spaced(" ".join(sentence.words))])
        found: Any = theirs(tagged.text, ignore_labels=[])
        first: dict[
            int, str
        ] = {}  # by the word's place: pieces of some tokenizers begin at the space before it
        for piece in found:
            word = next(i for i, (_, end) in enumerate(tagged.offsets) if piece["end"] <= end)
            if piece["end"] > tagged.offsets[word][0]:
                first.setdefault(word, piece["entity"])
        assert [first[word] for word in range(len(tagged.words))] == list(tagged.tags)
        seen |= set(tagged.tags)
    assert len(seen) > 2


@kinds
def test_this_project_reads_it_back_to_the_bit(made: Made, kind: str, tmp_path: Path) -> None:
    model, folder, encoded = made(kind)
    again = load_model(folder)
    assert same_bits(again.state_dict(), model.state_dict())
    assert (again.tag_set, again.config.head, again.training) == (TAG_SET, "softmax", False)
    assert again.config.to_dict()["input_layout"] == json.loads(json.dumps(model.config.input_layout))
    batch = Batches(encoded, 9).collate(torch.arange(9))
    with torch.inference_mode():
        one, other = model.chain(batch), again.chain(batch)
    assert torch.equal(one.emissions, other.emissions)
    for scores in (other.transitions, other.start, other.end):
        assert scores.device.type == "cpu"
        assert not scores.any()
    again.save_pretrained(tmp_path)
    for name in ("config.json", "model.safetensors"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name


@kinds
def test_a_copy_that_transformers_saved_is_read_too(made: Made, kind: str, tmp_path: Path) -> None:
    model, folder, _ = made(kind)
    AutoModelForTokenClassification.from_pretrained(folder).save_pretrained(tmp_path)
    assert same_bits(ChainTagger.load(tmp_path).state_dict(), model.state_dict())


@kinds
@pytest.mark.parametrize("head", ["crf", "softmax"])
def test_no_folder_of_the_training_machine_is_in_it(
    encoder: Encoder, kind: str, head: Any, tmp_path: Path
) -> None:
    encoded = write_split(tmp_path / "split.parquet", SPLIT, encoder(kind))
    model = tagger(encoder(kind), encoded, layers=LAYERS, head=head)
    save_model(tmp_path / "teacher", model, encoder(kind), tiny_inputs.HISTORY)
    ChainTagger.from_teacher(tmp_path / "teacher", layers=1, head=head).save_pretrained(tmp_path / "student")
    ChainTagger.load(tmp_path / "student").save_pretrained(tmp_path / "again")
    for name in ("teacher", "student", "again"):
        for file in (tmp_path / name).glob("*.json"):
            text = file.read_text()
            assert str(encoder(kind).parent) not in text, file
            assert str(tmp_path) not in text, file
            assert "_name_or_path" not in text or json.loads(text).get("_name_or_path") == "", file


def test_the_stock_pipeline_cuts_what_is_longer_than_the_window(bert: Path, tmp_path: Path) -> None:
    """The encoder's own tokenizer names no length; more pieces than positions would be an error."""
    encoder = shutil.copytree(bert, tmp_path / "bert")
    settings = json.loads((bert / "tokenizer_config.json").read_text())
    del settings["model_max_length"]
    (encoder / "tokenizer_config.json").write_text(json.dumps(settings))
    encoded = write_split(tmp_path / "split.parquet", SPLIT, encoder)
    save_model(tmp_path / "model", tagger(encoder, encoded, head="softmax"), encoder, tiny_inputs.HISTORY)
    theirs = pipeline("token-classification", model=str(tmp_path / "model"), device="cpu")
    found: Any = theirs("BA NE ri Tok . " * 20, ignore_labels=[])
    assert len(found) == POSITIONS - 2


@pytest.mark.slow
def test_transformers_needs_nothing_of_this_project(made: Made, tmp_path: Path) -> None:
    """In a process that cannot import it."""
    _, folder, _ = made("bert")
    program = (
        "import sys\n"
        "from transformers import pipeline\n"
        f"tag = pipeline('token-classification', model={str(folder)!r}, aggregation_strategy='first')\n"
        "assert tag('BA NE ri Tok .')\n"
        "assert not any(name.startswith('pipeline') for name in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-I", "-c", program], cwd=tmp_path, check=True, timeout=300)


def test_the_layer_that_modernbert_has_more_is_its_own(encoder: Encoder, made: Made, tmp_path: Path) -> None:
    """A checkpoint with the layer gives it; one without has a new one; it learns as the encoder does."""
    _, _, encoded = made("modernbert")
    config = AutoConfig.from_pretrained(encoder("modernbert"))
    language_model = AutoModelForMaskedLM.from_config(config)
    nn.init.normal_(language_model.head.dense.weight)
    language_model.save_pretrained(tmp_path)
    model = ChainTagger.from_encoder(tmp_path, encoded, layers=2, head="softmax")
    assert model.projection is not None
    assert torch.equal(model.projection.dense.weight, language_model.head.dense.weight)
    assert not set(model.projection.parameters()) & set(model.head_parameters)
    new = ChainTagger.from_encoder(encoder("modernbert"), encoded, head="softmax").projection
    assert not torch.equal(new.dense.weight, language_model.head.dense.weight)
    assert new.dense.weight.std() > 0


def test_an_encoder_without_a_stock_classifier_is_refused() -> None:
    with pytest.raises(
        UserError,
        match=r"teacher\.head, student\.head: .* for reformer, which softmax needs; set crf",
    ):
        token_classifier.new({"model_type": "reformer"}, 3)


def test_a_classifier_of_another_form_is_refused(made: Made) -> None:
    model = AutoModelForTokenClassification.from_pretrained(made("bert")[1])
    assert token_classifier.names(model) == ("bert", None, "classifier")
    model.extra = nn.LayerNorm(16)
    with pytest.raises(
        UserError,
        match=r"has no token classifier of encoder, .* for bert, which softmax needs",
    ):
        token_classifier.names(model)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"chain_tagger": None}, "not that of a tagger which this project trained"),
        ({"chain_tagger": 3}, "not that of a tagger which this project trained"),
        ({"chain_tagger": {"tags": []}}, "no tagger can be loaded from it"),
        ({"hidden_size": 18}, "no tagger can be loaded from it"),
    ],
)
def test_a_damaged_folder_is_one_line(made: Made, change: dict[str, Any], says: str, tmp_path: Path) -> None:
    model, _, _ = made("bert")
    model.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(UserError, match=says) as caught:
        ChainTagger.load(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_softmax_tagger_without_its_last_layer_is_refused(made: Made, tmp_path: Path) -> None:
    model, _, _ = made("bert")
    model.save_pretrained(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    del tensors["classifier.bias"]
    save_file(tensors, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(UserError, match=r"no weights for classifier\.bias; train it again"):
        ChainTagger.load(tmp_path)


def test_a_stock_folder_serves_as_an_encoder(made: Made, tmp_path: Path) -> None:
    """Its layers, and nothing of its labels."""
    model, folder, encoded = made("bert")
    again = ChainTagger.from_encoder(folder, encoded, layers=1)
    assert torch.equal(
        again.encoder.embeddings.word_embeddings.weight, model.encoder.embeddings.word_embeddings.weight
    )
    assert token_classifier.KEY not in again.config.encoder
    assert "id2label" not in again.config.encoder
