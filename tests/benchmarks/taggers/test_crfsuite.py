from pathlib import Path

import pytest

pytest.importorskip("pycrfsuite", reason="benchmarks/requirements.txt brings it")

from benchmarks.taggers.crfsuite import features, load, shape
from benchmarks.taggers.crfsuite_training import train
from tests.helpers.tiny_corpus import sentences


def test_the_features_of_a_word() -> None:
    first, second = features(["Anna-3", "LEFT"])
    assert {"word=anna-3", "suffix=a-3", "suffix=-3", "prefix=An", "shape=Xx-d", "title", "digit"} <= {*first}
    assert {"-2:outside", "-1:outside", "1:word=left", "1:upper", "2:outside"} <= {*first}
    assert {"upper", "-1:word=anna-3", "-1:title", "-1:hyphen", "1:outside"} <= {*second}
    assert "number" not in first


def test_shapes() -> None:
    assert [shape(word) for word in ("Rome", "AB-12c", "…", "2026")] == ["Xx", "X-dx", "…", "d"]


def test_it_learns_what_it_is_given(tmp_path: Path) -> None:
    split = sentences(20, seed=0)
    train(split, tmp_path / "model")
    tagged = load(tmp_path / "model")([sentence.words for sentence in split])
    assert [tuple(tags) for tags in tagged] == [sentence.tags for sentence in split]
