"""The stage: an empty folder without text, the text with its scores otherwise, one line for a mistake."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline.storage.sealed_folder import check, identity
from tests.helpers.forked_stages import Ended, Stages
from tests.helpers.workspace import Workspace


@pytest.fixture
def own(workspace: Workspace, tmp_path: Path) -> Workspace:
    """The folders of the session, with params.yaml of its own."""
    root = tmp_path / "inputs"
    root.mkdir()
    for path in workspace.root.iterdir():
        if path.name not in ("params.yaml", "text"):
            (root / path.name).symlink_to(path)
    return Workspace(root)


@pytest.fixture
def run(stages: Stages, own: Workspace, tmp_path: Path) -> object:
    def run(source: object) -> Ended:
        own.set(distill={"unlabelled": None if source is None else str(source)})
        place = tmp_path / "place"
        place.mkdir(exist_ok=True)
        return stages.run("unlabelled", *own.arguments("unlabelled"), place=place)

    return run


def test_without_text_the_folder_is_sealed_and_empty(run, tmp_path):
    assert run(None).status == 0
    assert check(tmp_path / "place/out") == {}


def test_without_text_neither_teacher_nor_corpus_is_looked_at(own, stages, tmp_path):
    own.set(distill={"unlabelled": None})
    (own.root / "teacher").unlink()
    (own.root / "encoded").unlink()
    assert stages.run("unlabelled", *own.arguments("unlabelled"), place=tmp_path).status == 0
    assert check(tmp_path / "out") == {}


def test_with_text_the_folder_holds_words_and_scores(run, own, tmp_path):
    text = own.root / "news"
    text.write_text("ba neRI .\n\nTOK sa .\n")
    ended = run(text)
    said = "2 sentences, 6 words, read as a sentence a line, words between spaces; the first: ba | neRI | ."
    assert (ended.status, ended.out) == (0, f"unlabelled: {said}\n")
    out = tmp_path / "place/out"
    assert set(check(out)) > {"text.parquet", "scores/seal.json"}
    table = pq.read_table(out / "text.parquet")
    assert table["words"].to_pylist() == [["ba", "neRI", "."], ["TOK", "sa", "."]]
    assert table["tags"].null_count == 2
    first = identity(out)
    assert run(text).status == 0
    assert identity(out) == first
    assert run(None).status == 0
    assert check(out) == {}, "what an earlier text left is gone"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "there is no such file"),
        (b"", "holds no sentence"),
        (b"caf\xe9 .\n", ":1: byte 4 of the file (0xe9) is not utf-8"),
    ],
)
def test_a_bad_text_is_one_line_and_no_folder(run, own, content, says, tmp_path):
    text = own.root / "news"
    if content is not None:
        text.write_bytes(content)
    ended = run(text)
    line = ended.err.splitlines()[-1]
    assert (ended.status, ended.out, "Traceback" in ended.err) == (2, "", False)
    assert line.startswith(f"error: {text}")
    assert says in line
    assert not (tmp_path / "place/out").exists()
