"""The stages of unlabelled text: empty folders without it, words, pieces and scores with it."""

from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline.encoding.split_file import load
from pipeline.model.model_folder import save_model
from pipeline.scores import text_scores as module
from pipeline.scores.settings import Dump
from pipeline.scores.store import ScoreStore
from pipeline.storage.sealed_folder import check, identity
from tests.helpers.forked_stages import Ended, Stages
from tests.helpers.tiny_inputs import HISTORY, tagger, write_text_and_scores
from tests.helpers.workspace import Workspace

OUTS = ("text", "text_encoded", "text_scores")  # as the stages are told
MADE = ("text", "text_encoded", "text_scores/1")
Run = Callable[..., list[Ended]]


@pytest.fixture
def own(workspace: Workspace, tmp_path: Path) -> Workspace:
    """The folders of the session, with params.yaml of its own."""
    root = tmp_path / "inputs"
    root.mkdir()
    for path in workspace.root.iterdir():
        if path.name not in ("params.yaml", "text.txt", *OUTS):
            (root / path.name).symlink_to(path)
    return Workspace(root)


@pytest.fixture
def run(stages: Stages, own: Workspace, tmp_path: Path) -> Run:
    """Run the three stages one after the other, as far as none fails."""

    def run(source: object, **settings: object) -> list[Ended]:
        own.set(unlabelled={"files": None if source is None else str(source), **settings})
        ended = []
        for stage, out in zip(("text", "encode_text", "dump_text"), OUTS, strict=True):
            arguments = own.arguments(stage, str(own.root / out))
            ended.append(stages.run(stage, *arguments, place=tmp_path))
            if ended[-1].status:
                break
        return ended

    return run


def test_without_text_the_folders_are_sealed_and_empty(run: Run, own: Workspace) -> None:
    assert [ended.status for ended in run(None)] == [0, 0, 0]
    assert [check(own.root / name) for name in MADE] == [{}, {}, {}]


def test_without_text_neither_teacher_nor_corpus_is_looked_at(run: Run, own: Workspace) -> None:
    for name in ("teacher", "encoded", "encoder", "corpus"):
        (own.root / name).unlink()
    assert [ended.status for ended in run(None)] == [0, 0, 0]
    assert [check(own.root / name) for name in MADE] == [{}, {}, {}]


def test_with_text_the_folders_hold_words_pieces_and_scores(run: Run, own: Workspace) -> None:
    source = own.root / "news"
    source.write_text("ba neRI .\n\nTOK sa .\n")
    ended = run(source)
    assert [one.status for one in ended] == [0, 0, 0]
    assert ended[0].out.splitlines() == [
        f"text: {source}: read as a sentence a line, words between spaces; the first: ba | neRI | .",
        "text: 2 sentences, 6 words",
    ]
    words = [["ba", "neRI", "."], ["TOK", "sa", "."]]
    assert pq.read_table(own.root / "text/text-00000.parquet")["words"].to_pylist() == words
    table = pq.read_table(own.root / "text_encoded/text.parquet")
    assert table["words"].to_pylist() == words
    assert table["tags"].null_count == 2
    assert load(own.root / "text_encoded/text.parquet").lengths.tolist() == [3, 3]
    assert ScoreStore.open(own.root / "text_scores/1").lengths.tolist() == [3, 3]
    first = [identity(own.root / name) for name in MADE]
    run(source)
    assert [identity(own.root / name) for name in MADE] == first
    run(None)
    assert [check(own.root / name) for name in MADE] == [{}, {}, {}], "what an earlier text left is gone"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "there is no such file"),
        (b"", "holds no sentence"),
        (b"caf\xe9 .\n", ":1: byte 4 of the file (0xe9) is not utf-8"),
    ],
)
def test_a_bad_text_is_one_line_and_no_folder(
    run: Run, own: Workspace, content: bytes | None, says: str
) -> None:
    text = own.root / "news"
    if content is not None:
        text.write_bytes(content)
    (ended,) = run(text)
    line = ended.err.splitlines()[-1]
    assert (ended.status, ended.out, "Traceback" in ended.err) == (2, "", False)
    assert line.startswith(f"error: {text}")
    assert says in line
    assert not (own.root / "text").exists()


def test_a_stopped_run_goes_on_with_the_same_inputs_alone(
    corpus: Path, teacher: Path, bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys: list[str] = []
    monkeypatch.setattr(module, "write_split_scores", lambda *given, key, **others: keys.append(key))
    one, other = (
        write_text_and_scores(tmp_path / name, corpus, teacher, [name]).encoded for name in ("ba", "ne")
    )
    second = tmp_path / "second"
    save_model(second, tagger(bert, load(corpus / "train.parquet"), seed=9), bert, HISTORY)
    codes = tmp_path / "code", tmp_path / "code2"
    for code in codes:
        code.write_text(code.name)
    keys.clear()
    for text, scorer, code, settings in (
        (one, teacher, codes[0], Dump()),
        (one, teacher, codes[0], Dump()),
        (other, teacher, codes[0], Dump()),
        (one, second, codes[0], Dump()),
        (one, teacher, codes[1], Dump()),
        (one, teacher, codes[0], Dump(dtype="float16")),
    ):
        module.write_text_scores(
            text, tmp_path / "out", teacher=scorer, code=code, settings=settings, root=tmp_path
        )
    assert keys[0] == keys[1]
    assert len(set(keys)) == 5
