"""Targets come from a table or from the store, the same ones, and no table outgrows its room."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from pipeline.chain import LinearChain, Moments
from pipeline.distillation.mean_target import mean_target
from pipeline.distillation.objective import Target, find_method
from pipeline.encoding.split_file import load
from pipeline.model.model_folder import save_model
from pipeline.scores.store import ScoreStore
from pipeline.training import targets
from pipeline.training.targets import PartScores, TargetSource, target_sources, teacher_chains
from tests.helpers.methods import TEACHERS, settings_of
from tests.helpers.tiny_corpus import TAG_SET
from tests.helpers.tiny_inputs import HISTORY, SPLITS, dump, tagger, train_batches


@pytest.fixture(scope="module")
def store(corpus: Path, teacher: Path, tmp_path_factory: pytest.TempPathFactory) -> ScoreStore:
    return dump(tmp_path_factory.mktemp("store") / "scores", corpus, teacher, shard_sentences=10)


def parts(target: Target) -> tuple[Tensor, ...]:
    if isinstance(target, Moments):
        return target.unary, target.pairs
    if isinstance(target, LinearChain):
        return target.emissions, target.transitions, target.start, target.end
    return (target,)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many sentences were asked of stores, call by call."""
    found: list[int] = []
    batch = ScoreStore.batch

    def watched(store: ScoreStore, ids: Tensor) -> tuple[Tensor, Tensor]:
        found.append(len(ids))
        return batch(store, ids)

    monkeypatch.setattr(ScoreStore, "batch", watched)
    return found


def now(source: TargetSource, ids: Tensor) -> Target:
    """Both halves, one after the other."""
    return source.compute(source.fetch(ids))


@pytest.mark.parametrize("words", [20, 256])
@pytest.mark.parametrize("chunk", [5, 256])
@pytest.mark.parametrize("name", TEACHERS)
def test_what_the_table_holds_is_what_the_store_gives(
    name: str, chunk: int, words: int, corpus: Path, store: ScoreStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But for the last bits, as other sentences stand beside each."""
    monkeypatch.setattr(targets, "_CHUNK", chunk)
    monkeypatch.setattr(targets, "_CHUNK_WORDS", words)
    method, settings = find_method(name), settings_of(name)
    (table,) = target_sources([PartScores((store,))], method, settings)
    monkeypatch.setattr(targets, "TABLE_BYTES", 0)
    (live,) = target_sources([PartScores((store,))], method, settings)
    for ids in train_batches(corpus, 5).shuffled(1):
        for one, other in zip(parts(now(table, ids)), parts(now(live, ids)), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)
            assert not other.requires_grad


def test_a_long_sentence_is_computed_with_few_others() -> None:
    lengths = torch.tensor([1] * 300 + [200, 10_000, 40_000])
    chunks = [lengths[ids] for ids in targets._chunks(torch.arange(303), lengths)]
    assert torch.equal(torch.cat(chunks), lengths)
    assert [len(one) for one in chunks[:1] + chunks[-2:]] == [256, 1, 1]
    assert all(len(one) * int(one.max()) <= 256 * 128 for one in chunks[:-1])


def room_for(store: ScoreStore, moments: bool) -> int:
    tags = len(TAG_SET)
    return 4 * (int(store.lengths.sum()) * tags + SPLITS["train"] * tags**2 * moments)


@pytest.mark.parametrize("name", ["kbest", "structural", "posterior"])
def test_tables_take_their_room_in_order_and_no_more(
    name: str, store: ScoreStore, monkeypatch: pytest.MonkeyPatch, asked: list[int]
) -> None:
    method, settings = find_method(name), settings_of(name)
    room = room_for(store, name != "posterior")
    for tables, bytes_ in ((0, room - 1), (1, room), (1, 2 * room - 1), (2, 2 * room)):
        monkeypatch.setattr(targets, "TABLE_BYTES", bytes_)
        found = target_sources([PartScores((store,))] * 2, method, settings)
        asked.clear()
        for source in found:
            now(source, torch.arange(3))
        assert len(asked) == 2 - tables


def test_a_part_too_large_is_not_looked_at_before_a_batch_asks(
    store: ScoreStore, monkeypatch: pytest.MonkeyPatch, asked: list[int]
) -> None:
    monkeypatch.setattr(targets, "TABLE_BYTES", 100)
    given: dict[str, Any] = {"method": find_method("structural"), "settings": settings_of("structural")}
    (source,) = target_sources([PartScores((store,))], **given)
    assert not asked
    now(source, torch.tensor([2, 0, 1]))
    assert asked == [3]


@pytest.mark.parametrize("room", [0, 1 << 20])
def test_rows_of_a_fold_are_looked_up_in_its_own_store(
    corpus: Path, teacher: Path, tmp_path: Path, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(targets, "TABLE_BYTES", room)
    whole = dump(tmp_path / "whole" / "scores", corpus, teacher)
    fold = dump(tmp_path / "fold" / "scores", corpus, teacher, fold=2, folds=2)
    rows = torch.arange(SPLITS["train"])[SPLITS["train"] // 2 :]
    assert len(rows) == fold.sentences
    method, settings = find_method("structural"), settings_of("structural")
    one, other = target_sources([PartScores((whole,)), PartScores((fold,), rows)], method, settings)
    for first, second in zip(parts(now(one, rows[3:6])), parts(now(other, rows[3:6])), strict=True):
        torch.testing.assert_close(first, second, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("room", [0, 1 << 20])
@pytest.mark.parametrize("name", TEACHERS)
def test_several_teachers_give_the_mean_of_all_from_table_and_store(
    name: str, room: int, corpus: Path, bert: Path, store: ScoreStore, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(targets, "TABLE_BYTES", room)
    encoded = load(corpus / "train.parquet")
    save_model(tmp_path / "second", tagger(bert, encoded, seed=9), bert, HISTORY)
    stores = store, dump(tmp_path / "scores", corpus, tmp_path / "second")
    method, settings = find_method(name), settings_of(name)
    (source,) = target_sources([PartScores(stores)], method, settings)
    ids = torch.tensor([4, 0, 9])
    each = [method.targets(teacher_chains(one, ids), settings) for one in stores]
    found, one, mean = (parts(target) for target in (now(source, ids), each[0], mean_target(each)))
    for mine, alone, right in zip(found, one, mean, strict=True):
        torch.testing.assert_close(mine, right, rtol=1e-4, atol=1e-4)
        assert not torch.allclose(mine, alone, rtol=1e-2, atol=1e-2)
