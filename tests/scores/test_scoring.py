"""The scores of a split are a model's or come from elsewhere, by what lies in the scorer's folder."""

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from pipeline.encoding.split_file import read_column
from pipeline.errors import UserError
from pipeline.scores.dump import origin_of
from pipeline.scores.scoring import scoring_teacher, write_split_scores
from pipeline.scores.settings import Dump
from pipeline.scores.store import ScoreStore
from pipeline.storage.sealed_folder import identity, new_folder
from tests.helpers.tiny_corpus import TAG_SET
from tests.helpers.tiny_inputs import SPLITS, dump

SETTINGS = Dump(batch_size=8, shard_sentences=10)


@pytest.mark.parametrize(
    ("number", "fold", "folds", "expected"),
    [
        (1, 1, 1, "first"),
        (2, 1, 1, "others/further/2"),
        (3, 1, 1, "others/further/3"),
        (1, 1, 4, "others/fold/1"),
        (1, 4, 4, "others/fold/4"),
    ],
)
def test_the_folder_of_the_teacher_that_scores_a_fold(
    number: int, fold: int, folds: int, expected: str
) -> None:
    assert scoring_teacher(Path("first"), Path("others"), number, fold, folds) == Path(expected)


def scored(scorer: Path, corpus: Path, root: Path, rows: torch.Tensor | None = None) -> ScoreStore:
    """The store that `scorer` gives of the training split, or of some of its rows."""
    split = corpus / "train.parquet"
    origin = origin_of(split, scorer)
    write_split_scores(
        scorer, split, SETTINGS, rows=rows, origin=origin, key="dump-1", root=root, out=root / "out"
    )
    return ScoreStore.open(root / "out", expect=origin)


def test_a_model_is_run_over_the_split(corpus: Path, teacher: Path, tmp_path: Path) -> None:
    scored(teacher, corpus, tmp_path)
    dump(tmp_path / "expected" / "scores", corpus, teacher, batch_size=8, shard_sentences=10)
    assert identity(tmp_path / "out") == identity(tmp_path / "expected" / "scores")
    assert [*(tmp_path / ".ckpt").glob("dump-*")] == []  # no checkpoint is left


def test_a_model_is_run_over_the_rows_that_are_asked_for(corpus: Path, teacher: Path, tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    (tmp_path / "some").mkdir()
    whole = scored(teacher, corpus, tmp_path / "whole")
    rows = torch.tensor([0, 3, 17, 25])
    some = scored(teacher, corpus, tmp_path / "some", rows)
    assert some.sentences == 4
    assert some.lengths.tolist() == whole.lengths[rows].tolist()
    ours, theirs = some.words(torch.arange(4))[0], whole.words(rows)[0]
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.fixture
def imported(corpus: Path, tmp_path: Path) -> Path:
    """A folder with a score of 1 for each word's tag O, as a user's file."""
    words = read_column(corpus / "train.parquet", "words")
    word = {tag: float(tag == "O") for tag in TAG_SET.tags}
    table = pa.table({"words": words, "scores": [[word] * len(sentence) for sentence in words]})
    with new_folder(tmp_path / "imported") as aside:
        pq.write_table(table, aside / "scores.parquet")
    return tmp_path / "imported"


def test_a_folder_without_weights_holds_scores_from_elsewhere(
    imported: Path, corpus: Path, tmp_path: Path
) -> None:
    store = scored(imported, corpus, tmp_path)
    assert store.sentences == SPLITS["train"]
    values, _ = store.words(torch.arange(store.sentences))
    assert torch.equal(values, torch.tensor([1.0, 0.0, 0.0, 0.0, 0.0]).expand_as(values))
    assert not any(part.any() for part in store.parameters)


def test_of_several_processes_the_first_alone_reads_scores_from_elsewhere(
    imported: Path, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = []
    monkeypatch.setattr("pipeline.scores.scoring.import_scores", lambda *given, **others: first.append(True))
    split = corpus / "train.parquet"
    origin = origin_of(split, imported)
    for is_first in (False, True):
        monkeypatch.setattr("pipeline.processes.is_first", lambda is_first=is_first: is_first)
        write_split_scores(
            imported, split, SETTINGS, origin=origin, key="dump-1", root=tmp_path, out=tmp_path / "out"
        )
        assert first == [True] * is_first


def test_a_damaged_scorer_is_refused_and_writes_nothing(corpus: Path, teacher: Path, tmp_path: Path) -> None:
    origin = origin_of(corpus / "train.parquet", teacher)
    damaged = shutil.copytree(teacher, tmp_path / "damaged")
    (damaged / "model.safetensors").unlink()
    with pytest.raises(UserError, match=r"damaged/model\.safetensors: missing"):
        write_split_scores(
            damaged,
            corpus / "train.parquet",
            SETTINGS,
            origin=origin,
            key="dump-1",
            root=tmp_path,
            out=tmp_path / "out",
        )
    assert not (tmp_path / "out").exists()
