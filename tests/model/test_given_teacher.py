"""A model that was trained elsewhere, as a teacher: its scores are those that `transformers` gives."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from pipeline.corpora.tagging import TagSet
from pipeline.device import accelerator
from pipeline.encoding.batching import Batches
from pipeline.encoding.encoded import Encoded
from pipeline.encoding.split_file import load
from pipeline.errors import UserError
from pipeline.model.chain_tagger import ChainTagger
from pipeline.model.encoder import load_encoder
from pipeline.model.given_teacher import given_teacher
from pipeline.model.label_conversion import LabelConversion
from pipeline.model.model_folder import History, load_model_and_tokenizer, save_model
from pipeline.model.prediction import predict
from tests.helpers import tiny_inputs
from tests.helpers.given_models import logits_by_word, write_classifier
from tests.helpers.tiny_corpus import TAG_SET, sentences
from tests.helpers.tiny_encoders import KINDS

SHUFFLED = ("I-PER", "B-LOC", "O", "B-PER", "I-LOC")
RENAMED = ("O", "B-PERSON", "I-PERSON", "I-LOC", "B-LOC")
IOB1 = ("B-LOC", "I-LOC", "I-PER", "O")


def take(folder: Path, encoded: Encoded, **settings: Any) -> ChainTagger:
    return given_teacher(folder, encoded, **{"types": {}, "scheme": None} | settings)[0]


def scores(tagger: ChainTagger, encoded: Encoded) -> list[Tensor]:
    """The emissions [L, N] of each sentence."""
    batches = Batches(encoded, 5)
    found: dict[int, Tensor] = {}
    with torch.inference_mode():
        for ids in batches.in_order():
            chain = tagger.chain(batches.collate(ids))
            for row, emissions, length in zip(ids.tolist(), chain.emissions, chain.lengths, strict=True):
                found[row] = emissions[:length]
    return [found[row] for row in range(len(found))]


@pytest.fixture
def train(corpus: Path) -> Encoded:
    return load(corpus / "train.parquet")


def words() -> list[tuple[str, ...]]:
    return [sentence.words for sentence in sentences(tiny_inputs.SPLITS["train"])]


@pytest.mark.parametrize("kind", KINDS)
def test_scores_are_those_of_the_model_in_the_order_of_the_tags(
    encoder: Callable[[str], Path], tmp_path: Path, kind: str
) -> None:
    model = write_classifier(tmp_path / "model", encoder(kind), SHUFFLED)
    split = sentences(6, shortest=2)
    encoded = tiny_inputs.write_split(tmp_path / "train.parquet", split, encoder(kind))
    tagger = take(model, encoded)
    assert tagger.conversion is None
    order = [SHUFFLED.index(tag) for tag in TAG_SET.tags]
    for sentence, found in zip(split, scores(tagger, encoded), strict=True):
        wanted = logits_by_word(model, sentence.words)[:, order]
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)


def test_types_under_other_names_are_renamed(bert: Path, train: Encoded, tmp_path: Path) -> None:
    model = write_classifier(tmp_path / "model", bert, RENAMED)
    tagger = take(model, train, types={"PERSON": "PER"})
    order = [RENAMED.index(tag.replace("PER", "PERSON")) for tag in TAG_SET.tags]
    for sentence, found in zip(words(), scores(tagger, train), strict=True):
        torch.testing.assert_close(found, logits_by_word(model, sentence)[:, order], rtol=1e-4, atol=1e-4)


def test_labels_in_another_scheme_are_converted_and_the_folder_keeps_that(
    bert: Path, train: Encoded, tmp_path: Path
) -> None:
    model = write_classifier(tmp_path / "model", bert, IOB1)
    tagger = take(model, train)
    save_model(tmp_path / "teacher", tagger, model, History([], 0))
    conversion = LabelConversion(IOB1, "iob1", {}, TAG_SET)
    read, _ = load_model_and_tokenizer(tmp_path / "teacher")
    for sentence, found, again in zip(words(), scores(tagger, train), scores(read, train), strict=True):
        wanted = conversion(logits_by_word(model, sentence)[None])[0]
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)
        assert torch.equal(found, again)
    # What was written is still the model that it was, and may be taken as a teacher once more.
    same = logits_by_word(tmp_path / "teacher", words()[0])
    torch.testing.assert_close(same, logits_by_word(model, words()[0]))
    for one, other in zip(scores(take(tmp_path / "teacher", train), train), scores(read, train), strict=True):
        assert torch.equal(one, other)


def test_long_documents_read_in_parts_are_converted_as_a_whole(
    bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = write_classifier(tmp_path / "model", bert, IOB1)
    long = sentences(2, shortest=300, longest=300)
    encoded = tiny_inputs.write_split(tmp_path / "train.parquet", long, bert)
    tagger = take(model, encoded)
    whole = scores(tagger, encoded)
    monkeypatch.setattr("pipeline.model.chain_tagger.PIECES_AT_ONCE", 200)
    for one, other in zip(scores(tagger, encoded), whole, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("head", ["crf", "softmax"])
def test_a_tagger_of_this_project_is_taken_with_its_chain(
    bert: Path, corpus: Path, train: Encoded, tmp_path: Path, head: Any
) -> None:
    """Another corpus may have the same tags under other names, which are in another order then."""
    own = tiny_inputs.tagger(bert, train, layers=None, head=head)
    save_model(tmp_path / "model", own, bert, tiny_inputs.HISTORY)
    tag_set = TagSet(("O", "B-A", "I-A", "B-B", "I-B"))
    tagger = take(tmp_path / "model", replace(train, tag_set=tag_set), types={"PER": "A", "LOC": "B"})
    batches = Batches(load(corpus / "dev.parquet"), 4)
    renamed = [
        [tag.replace("PER", "A").replace("LOC", "B") for tag in tags]
        for tags in predict(own, batches, accelerator("float32"))
    ]
    assert predict(tagger, batches, accelerator("float32")) == renamed
    order = [0, 3, 4, 1, 2]
    assert torch.equal(tagger.transitions, own.transitions[order][:, order])


@pytest.mark.parametrize("kind", [*KINDS, "t5", "xlnet"])
def test_a_tagger_is_an_encoder_too(encoder: Callable[[str], Path], tmp_path: Path, kind: str) -> None:
    encoded = tiny_inputs.write_split(tmp_path / "train.parquet", sentences(3), encoder(kind))
    own = tiny_inputs.tagger(encoder(kind), encoded, layers=None)
    save_model(tmp_path / "model", own, encoder(kind), tiny_inputs.HISTORY)
    weights = own.encoder.state_dict()
    found = load_encoder(tmp_path / "model").state_dict()
    assert weights
    assert all(torch.equal(found[name], value) for name, value in weights.items())
    student = ChainTagger.from_encoder(tmp_path / "model", encoded, layers=1)
    assert student.encoder.config.num_hidden_layers == 1
    assert all(torch.equal(weights[name], value) for name, value in student.encoder.state_dict().items())


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        ({"architectures": ["BertForSequenceClassification"]}, "which is not a token classifier"),
        ({"model_type": "made-up"}, "does not know model_type made-up"),
        ({"hidden_size": 18}, "no token classifier can be loaded from it"),
    ],
)
def test_a_model_that_is_no_token_classifier_is_one_line(
    bert: Path, train: Encoded, tmp_path: Path, damage: dict[str, Any], says: str
) -> None:
    model = write_classifier(tmp_path / "model", bert, SHUFFLED, **damage)
    with pytest.raises(UserError, match=says) as caught:
        take(model, train)
    assert str(caught.value).isprintable()


def test_an_encoder_with_labels_and_no_head_is_one_line(bert: Path, train: Encoded, tmp_path: Path) -> None:
    shutil.copytree(bert, tmp_path / "model")
    path = tmp_path / "model" / "config.json"
    values = json.loads(path.read_text()) | {"id2label": dict(enumerate(SHUFFLED)), "architectures": None}
    path.write_text(json.dumps(values))
    with pytest.raises(UserError, match=r"no weights for classifier.bias and 1 more"):
        take(tmp_path / "model", train)


def test_a_crf_cannot_lose_a_tag(bert: Path, train: Encoded, tmp_path: Path) -> None:
    own = tiny_inputs.tagger(bert, train, layers=None)
    save_model(tmp_path / "model", own, bert, tiny_inputs.HISTORY)
    fewer = replace(train, tag_set=TagSet(("O", "B-LOC", "I-LOC")))
    with pytest.raises(UserError, match=r"teacher.types: a teacher with a CRF must have a tag for each"):
        take(tmp_path / "model", fewer, types={"PER": None})


def test_another_tokenizer_than_the_taggers_is_one_line(bert: Path, train: Encoded, tmp_path: Path) -> None:
    save_model(tmp_path / "model", tiny_inputs.tagger(bert, train, layers=None), bert, tiny_inputs.HISTORY)
    other = replace(train, layout=replace(train.layout, identity="0" * 64))
    with pytest.raises(UserError, match="was trained with another tokenizer"):
        take(tmp_path / "model", other)


def test_what_cannot_hold_a_conversion_refuses_it(bert: Path, train: Encoded, tmp_path: Path) -> None:
    model = write_classifier(tmp_path / "model", bert, IOB1)
    tagger = take(model, train)
    save_model(tmp_path / "teacher", tagger, model, History([], 0))
    with pytest.raises(
        UserError,
        match=r"student.init, distill.METHOD.init: `teacher` needs a teacher whose labels are the",
    ):
        ChainTagger.from_teacher(tmp_path / "teacher", layers=1)
    path = tmp_path / "teacher" / "config.json"
    values = json.loads(path.read_text())
    values["chain_tagger"]["conversion"]["types"] = {"PER": "ORG"}
    path.write_text(json.dumps(values))
    with pytest.raises(UserError, match=r"conversion in its config.json is damaged"):
        ChainTagger.load(tmp_path / "teacher")
