"""A split that is encoded group by group is the split that is encoded whole."""

from pathlib import Path

import pytest

from pipeline.corpora import stored_sentences
from pipeline.encoding.encode_split import encode_split
from pipeline.encoding.settings import Prepare
from pipeline.encoding.split_file import load, read_sentences, read_words_digest
from pipeline.encoding.tokenization import input_layout, load_tokenizer
from tests.helpers.tiny_corpus import TAG_SET, sentences
from tests.helpers.tiny_encoders import POSITIONS


@pytest.mark.parametrize("count", [0, 3, 4, 11])
def test_many_groups_are_as_one(
    count: int, bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    split, tokenizer = sentences(count), load_tokenizer(bert)
    layout = input_layout(tokenizer, bert, Prepare(window=POSITIONS, overlap=6))
    one, many = (tmp_path / name for name in ("one.parquet", "many.parquet"))
    encode_split(split, tokenizer, one, TAG_SET, layout)
    monkeypatch.setattr(stored_sentences, "ROWS", 4)
    encode_split(iter(split), tokenizer, many, TAG_SET, layout)
    assert one.with_suffix(".safetensors").read_bytes() == many.with_suffix(".safetensors").read_bytes()
    assert list(read_sentences(one)) == list(read_sentences(many)) == split
    assert read_words_digest(one) == read_words_digest(many)
    assert len(load(many)) == count
