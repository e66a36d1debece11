"""What config.json says of a tagger: the same of both heads, and each damaged value is named."""

import json
from dataclasses import asdict

import pytest

from pipeline.encoding.split_file import load
from pipeline.errors import UserError
from pipeline.model import token_classifier
from pipeline.model.tagger_config import (
    ChainTaggerConfig,
    check_layout,
    checked_values,
    converts_labels,
    read_layout,
    tagger_values,
)
from tests.helpers.tiny_corpus import TAG_SET

LAYOUT = {"prefix": [1], "suffix": [2], "pad": 0, "unknown": 3, "window": 20, "overlap": 4, "identity": "ab"}
CONVERSION = {"labels": ["O", "S-LOC", "B-LOC", "I-LOC", "E-LOC"], "scheme": "bioes", "types": {"LOC": "PER"}}
ENCODER = {"model_type": "bert", "vocab_size": 30, "max_position_embeddings": 20}
VALUES = {
    "model_type": "chain-tagger",
    "head": "crf",
    "encoder": ENCODER,
    "tag_set": TAG_SET.to_json(),
    "input_layout": LAYOUT,
    "dropout": 0.1,
}
OWN = {"tag_set": TAG_SET.to_json(), "input_layout": LAYOUT, "dropout": 0.0}


def stock(**own):
    """config.json of a softmax tagger, a stock token classifier."""
    return ENCODER | {"id2label": {"0": "O"}, "_name_or_path": "/home", token_classifier.KEY: OWN | own}


@pytest.fixture
def folder(tmp_path):
    """Writes config.json with these values; returns its folder."""

    def write(values):
        (tmp_path / "config.json").write_text(json.dumps(values))
        return tmp_path

    return write


def test_both_heads_are_read_in_the_same_terms(folder):
    assert checked_values(VALUES, folder(VALUES)) == VALUES
    found = checked_values(stock(), folder(stock()))
    assert found == {"head": "softmax", "encoder": ENCODER} | OWN


def test_a_tagger_of_before_there_were_heads_has_a_crf():
    old = {name: value for name, value in VALUES.items() if name != "head"}
    assert tagger_values(old) == VALUES


@pytest.mark.parametrize("config", [None, [], "x", {}, ENCODER, ENCODER | {token_classifier.KEY: 3}])
def test_what_is_no_tagger_has_no_values(config):
    assert tagger_values(config) == {}


def test_another_model_is_refused_by_its_folder(folder):
    place = folder(ENCODER)
    with pytest.raises(UserError) as caught:
        checked_values(ENCODER, place)
    assert str(caught.value) == (
        f"{place}: no tagger can be loaded from it: its config.json is not that of a tagger which this "
        "project trained"
    )


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("encoder", [None, 3, []]),
        (
            "tag_set",
            [
                None,
                [],
                {},
                {"scheme": "iob2", "tags": []},
                {"scheme": "iob2", "tags": "O"},
                {"scheme": "iob2", "tags": ["O", "O"]},
                {"scheme": "iob2", "tags": ["O", 3]},
                {"scheme": "iob2", "tags": ["O", "LOC"]},
                {"scheme": "iob1", "tags": ["O"]},
                {"scheme": [], "tags": ["O"]},
                {"scheme": "plain", "tags": ["a\tb"]},
            ],
        ),
        ("head", [None, "linear", [], 1]),
        ("dropout", [None, -0.1, 1.5, "0.1", True, []]),
        ("input_layout", [3, {}, LAYOUT | {"pad": -1}, LAYOUT | {"window": 2}]),
        ("conversion", [CONVERSION]),  # a CRF has none
    ],
)
def test_a_damaged_value_is_named(folder, name, values):
    for value in values:
        damaged = VALUES | {name: value}
        place = folder(damaged)
        with pytest.raises(UserError) as caught:
            checked_values(damaged, place)
        assert str(caught.value) == (
            f"{place}: no tagger can be loaded from it: {name} in its config.json is damaged; fetch it again"
        ), value


@pytest.mark.parametrize(
    "conversion",
    [
        3,
        {},
        CONVERSION | {"scheme": "none"},
        CONVERSION | {"scheme": []},
        CONVERSION | {"labels": ["O", "X-LOC"]},
        CONVERSION | {"types": {"LOC": "ORG"}},
        CONVERSION | {"types": {"LOC": ["PER"]}},
    ],
)
def test_a_damaged_conversion_is_named(folder, conversion):
    damaged = stock(conversion=conversion)
    with pytest.raises(UserError, match=r"conversion in its config\.json is damaged"):
        checked_values(damaged, folder(damaged))


@pytest.mark.parametrize("dropout", [0, 1, 0.0, 1.0])
def test_the_ends_of_a_share_are_shares(folder, dropout):
    values = VALUES | {"dropout": dropout}
    assert checked_values(values, folder(values))["dropout"] == dropout


def test_the_layout_is_read_without_the_model(folder):
    assert json.loads(json.dumps(asdict(read_layout(folder(VALUES))))) == LAYOUT
    place = folder(VALUES | {"input_layout": None})
    with pytest.raises(UserError, match=r"config\.json: has no input_layout; train the model again$"):
        read_layout(place)


def test_a_conversion_is_known_without_the_model(folder):
    assert not converts_labels(folder(VALUES))
    assert not converts_labels(folder(stock()))
    assert converts_labels(folder(stock(conversion=CONVERSION)))


@pytest.mark.parametrize(
    ("changes", "fits"),
    [
        ({}, True),
        ({"unknown": 29, "window": 20}, True),
        ({"unknown": 30}, False),
        ({"prefix": [30]}, False),
        ({"suffix": [2, 30]}, False),
        ({"pad": 30}, False),
        ({"window": 21}, False),
    ],
)
def test_a_layout_must_be_for_the_encoder(changes, fits):
    encoder = ChainTaggerConfig(vocab_size=30, max_position_embeddings=20)  # a configuration like any other
    if fits:
        check_layout(LAYOUT | changes, encoder)
    else:
        with pytest.raises(ValueError, match="its input_layout is for another encoder"):
            check_layout(LAYOUT | changes, encoder)
    check_layout(None, encoder)


def test_labels_are_the_tags_or_what_becomes_them():
    plain = ChainTaggerConfig(ENCODER, TAG_SET.to_json())
    assert plain.labels == TAG_SET.tags
    converting = ChainTaggerConfig(ENCODER, TAG_SET.to_json(), head="softmax", conversion=CONVERSION)
    assert converting.labels == tuple(CONVERSION["labels"])
    assert ChainTaggerConfig().labels == ("O",)


def test_the_configuration_for_a_split_has_its_tags_and_layout_and_survives_json(corpus):
    encoded = load(corpus / "train.parquet")
    made = ChainTaggerConfig.for_split(ENCODER, encoded, dropout=0.25, head="softmax")
    again = ChainTaggerConfig.from_dict(json.loads(made.to_json_string()))
    for config in (made, again):
        assert (config.tag_set, config.dropout, config.head) == (encoded.tag_set.to_json(), 0.25, "softmax")
        assert config.encoder == ENCODER
    assert again.input_layout == json.loads(json.dumps(asdict(encoded.layout)))
