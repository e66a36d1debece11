"""`encode_text` cuts the words of the text into pieces, as the corpus is cut."""

import shutil
from pathlib import Path

from pipeline.encoding.split_file import load, read_column
from pipeline.storage.sealed_folder import check, write_empty
from tests.helpers.own_corpus_stages import one_line
from tests.helpers.workspace import Workspace
from tests.stages.conftest import Stage


def test_the_text_has_the_form_of_the_encoded_corpus(stage: Stage, own: Workspace) -> None:
    assert stage("encode_text")[0] == 0
    found, corpus = load(Path("out/text.parquet")), load(own.root / "encoded/train.parquet")
    assert (found.tag_set, found.layout) == (corpus.tag_set, corpus.layout)
    lines = (own.root / "text.txt").read_text().splitlines()
    assert read_column(Path("out/text.parquet"), "words") == [line.split() for line in lines]


def test_without_an_encoder_the_folder_is_empty(stage: Stage, own: Workspace) -> None:
    shutil.rmtree(own.root / "encoder")
    write_empty(own.root / "encoder")
    assert stage("encode_text") == (0, "", "")
    assert check(Path("out")) == {}


def test_a_damaged_text_is_one_line(stage: Stage, own: Workspace) -> None:
    file = next((own.root / "text").glob("*.parquet"))
    file.write_bytes(b"PAR1")
    assert f"text/{file.name}: damaged" in one_line(stage("encode_text"))
    assert not Path("out").exists()
