"""Text is encoded a row group at a time, to the same numbers as all at once."""

from pathlib import Path

import pytest
import torch

from pipeline.corpora.tagging import Sentence
from pipeline.encoding.encoded_text import TEXT, encode_text
from pipeline.encoding.split_file import load, read_column, read_sentences
from pipeline.errors import UserError
from pipeline.storage.sealed_folder import new_folder
from tests.helpers.tiny_corpus import sentences
from tests.helpers.tiny_encoders import write_encoder
from tests.helpers.tiny_inputs import write_split, write_text
from tests.helpers.workspace import seal


@pytest.fixture
def sealed(bert: Path, tmp_path: Path) -> Path:
    seal(bert, tmp_path / "encoder")
    return tmp_path / "encoder"


def test_the_numbers_are_those_of_the_whole(sealed: Path, bert: Path, corpus: Path, tmp_path: Path) -> None:
    split = [Sentence(sentence.words) for sentence in sentences(40, seed=5)]
    text = write_text(tmp_path / "text", [" ".join(sentence.words) for sentence in split])
    encode_text(text, tmp_path / "out", encoder=sealed, encoded=corpus)
    found, whole = load(tmp_path / "out" / TEXT), write_split(tmp_path / "whole.parquet", split, bert)
    assert found.tags is None
    assert (found.tag_set, found.layout) == (whole.tag_set, whole.layout)
    for one, other in ((found.pieces, whole.pieces), (found.first, whole.first)):
        assert torch.equal(one.in_memory().values, other.in_memory().values)
        assert torch.equal(one.in_memory().offsets, other.in_memory().offsets)
    numbers = [
        path.with_suffix(".safetensors").read_bytes()
        for path in (tmp_path / "whole", tmp_path / "out" / TEXT)
    ]
    assert numbers[0] == numbers[1]


def test_a_corpus_of_another_tokenizer_is_refused(corpus: Path, tmp_path: Path) -> None:
    text = write_text(tmp_path / "text", ["ba ne"])
    seal(write_encoder(tmp_path / "plain", "roberta"), tmp_path / "other")
    with pytest.raises(UserError, match=r"was encoded with a tokenizer other than that of .*other;"):
        encode_text(text, tmp_path / "out", encoder=tmp_path / "other", encoded=corpus)
    assert not (tmp_path / "out").exists()


def test_augmented_sentences_come_last_and_without_the_test_split(
    corpus: Path, bert: Path, tmp_path: Path
) -> None:
    train, test = (list(read_sentences(corpus / f"{split}.parquet")) for split in ("train", "test"))
    places = {"encoder": tmp_path / "encoder", "encoded": corpus}
    seal(bert, places["encoder"])
    lines = write_text(tmp_path / "text", ["ba ne ri", "tok"])
    with new_folder(tmp_path / "none"):
        pass
    encode_text(lines, tmp_path / "both", augmented=2, **places)
    encode_text(tmp_path / "none", tmp_path / "alone", augmented=2, **places)
    alone, both = (read_column(tmp_path / name / "text.parquet", "words") for name in ("alone", "both"))
    assert both == [["ba", "ne", "ri"], ["tok"], *alone]
    assert len(train) < len(alone) <= 2 * len(train)
    letters = ["".join(words) for words in alone]
    assert len({tuple(words) for words in alone}) == len(alone)
    assert not {"".join(sentence.words) for sentence in test} & set(letters)
    assert load(tmp_path / "alone" / "text.parquet").tags is None


def test_sentences_of_which_none_can_be_augmented_are_refused(
    sealed: Path, bert: Path, tmp_path: Path
) -> None:
    with new_folder(tmp_path / "encoded") as aside:
        for split in ("train", "test"):
            write_split(aside / f"{split}.parquet", [Sentence(("ba", "ne"), ("O", "O"))], bert)
    with new_folder(tmp_path / "none"):
        pass
    with pytest.raises(
        UserError, match=r"unlabelled.augmented: .* nothing in them can be replaced; set it to 0"
    ):
        encode_text(
            tmp_path / "none", tmp_path / "out", encoder=sealed, encoded=tmp_path / "encoded", augmented=2
        )
    assert not (tmp_path / "out").exists()


def test_a_augmented_sentence_that_the_test_split_has_is_left_out(
    corpus: Path, bert: Path, tmp_path: Path
) -> None:
    train = list(read_sentences(corpus / "train.parquet"))
    seal(bert, tmp_path / "encoder")
    with new_folder(tmp_path / "none"):
        pass

    def augmented(name: str, test: list[Sentence]) -> list[list[str]]:
        with new_folder(tmp_path / name) as folder:
            for split, some in (("train", train), ("dev", train[:2]), ("test", test)):
                write_split(folder / f"{split}.parquet", some, bert)
        places = {"encoder": tmp_path / "encoder", "encoded": tmp_path / name}
        encode_text(tmp_path / "none", tmp_path / f"{name}-text", augmented=2, **places)
        return read_column(tmp_path / f"{name}-text" / TEXT, "words")

    found = augmented("one", train[:1])
    test = [Sentence(tuple(words), ("O",) * len(words)) for words in found[3:6]]
    assert augmented("other", test) == [*found[:3], *found[6:]]
