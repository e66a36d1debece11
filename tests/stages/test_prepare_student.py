"""`prepare_student` cuts the words of the corpus for the students' own encoder, where they have one."""

import shutil
from collections.abc import Callable
from pathlib import Path

from pipeline.encoding.split_file import load, read_column
from pipeline.storage.sealed_folder import check
from tests.helpers.own_corpus_stages import one_line
from tests.helpers.workspace import SPLITS, Workspace, seal
from tests.stages.conftest import Stage


def give_own_encoder(own: Workspace, encoder: Path) -> None:
    shutil.rmtree(own.root / "student_encoder")
    seal(encoder, own.root / "student_encoder")


def test_the_words_are_the_teachers_and_the_pieces_the_encoders_own(
    stage: Stage, own: Workspace, encoder: Callable[[str], Path]
) -> None:
    give_own_encoder(own, encoder("roberta"))
    assert stage("prepare_student")[0] == 0
    for split in SPLITS:
        theirs, ours = own.root / "encoded" / f"{split}.parquet", Path("out") / f"{split}.parquet"
        for column in ("words", "tags"):
            assert read_column(ours, column) == read_column(theirs, column)
        assert load(ours).layout.identity != load(theirs).layout.identity
        assert load(ours).tag_set == load(theirs).tag_set


def test_without_an_own_encoder_the_folder_is_empty(stage: Stage) -> None:
    assert stage("prepare_student") == (0, "", "")
    assert check(Path("out")) == {}


def test_a_damaged_encoder_is_one_line(stage: Stage, own: Workspace, bert: Path) -> None:
    give_own_encoder(own, bert)
    (own.root / "student_encoder/tokenizer.json").write_text("{}")
    assert "student_encoder/tokenizer.json: damaged" in one_line(stage("prepare_student"))
    assert not Path("out").exists()
