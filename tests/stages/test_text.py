"""`text` writes each sentence once, and none of the test split."""

from pathlib import Path

import pyarrow.parquet as pq

from pipeline.storage.sealed_folder import check
from tests.helpers.own_corpus_stages import one_line
from tests.helpers.workspace import Workspace
from tests.stages.conftest import Stage


def test_repeated_sentences_and_those_of_the_test_split_are_left_out(stage: Stage, own: Workspace) -> None:
    (own.root / "text.txt").write_text("ba ne ri\ntok lum\nba ne ri\nBa ne\n")  # the last is of test
    status, out, err = stage("text")
    assert (status, [line for line in err.splitlines() if not line.startswith("fetching")]) == (0, [])
    assert all(line.startswith("text: ") for line in out.splitlines())
    words = [row for file in sorted(Path("out").glob("*.parquet")) for row in pq.read_table(file)["words"]]
    assert [word.as_py() for word in words] == [["ba", "ne", "ri"], ["tok", "lum"]]


def test_without_text_the_folder_is_empty(stage: Stage, own: Workspace) -> None:
    own.set(unlabelled={"files": None})
    assert stage("text") == (0, "", "")
    assert check(Path("out")) == {}


def test_a_text_that_is_not_there_is_one_line(stage: Stage, own: Workspace) -> None:
    (own.root / "text.txt").unlink()
    assert "text.txt: there is no such file" in one_line(stage("text"))
    assert not Path("out").exists()
