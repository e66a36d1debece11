"""Two processes compute what one computes: the same losses, and the same store to the bit."""

import pytest
import torch

from pipeline import processes
from pipeline.storage.sealed_folder import identity
from tests.helpers.tiny_inputs import SPLITS
from tests.helpers.two_processes import SHARD, STEPS, together


@pytest.fixture(scope="module")
def runs(bert, corpus, teacher, tmp_path_factory):
    places = {count: tmp_path_factory.mktemp(f"of_{count}") for count in (1, 2)}
    said = together(places, bert, corpus, teacher)
    return {count: (said[count], place) for count, place in places.items()}


def test_the_loss_of_each_step_is_that_of_one_process(runs):
    ((alone,), _), (both, _) = runs[1], runs[2]
    assert len(alone["losses"]) == STEPS
    for one in both:
        assert one["losses"] == pytest.approx(alone["losses"], abs=1e-5)
    assert both[0]["weights"] == pytest.approx(alone["weights"], rel=1e-5)


def test_both_have_the_same_weights(runs):
    first, second = runs[2][0]
    assert first["weights"] == second["weights"]


def test_what_decides_is_what_the_first_found(runs):
    assert [one["f1"] for one in runs[2][0]] == [[1.0] * len(runs[1][0][0]["f1"])] * 2


def test_the_store_is_the_same_to_the_bit(runs):
    assert identity(runs[2][1] / "scores") == identity(runs[1][1] / "scores")


def test_each_writes_some_of_the_shards(runs):
    first, second = (set(one["written"]) for one in runs[2][0])
    assert first
    assert second
    assert not first & second
    assert first | second == set(range(-(-SPLITS["train"] // SHARD)))


def test_the_first_alone_says_anything(runs):
    first, second = runs[2][0]
    assert "training: epoch 1, loss " in first["said"]
    assert len(second["said"].splitlines()) == 1


@pytest.mark.parametrize(("sentences", "sizes"), [(5, [2, 2, 1]), (2, [1, 1, 0]), (1, [1, 0, 0])])
def test_the_shares_make_up_the_batch(sentences, sizes, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "3")
    monkeypatch.setenv("LOCAL_RANK", "0")
    found: list[int] = []
    for rank in range(3):
        monkeypatch.setenv("RANK", str(rank))
        first, own = processes.share(torch.arange(sentences))
        assert first == len(found)
        assert len(own) == sizes[rank]
        found += own.tolist()
    assert found == list(range(sentences))


def test_without_a_launcher_there_is_one(monkeypatch):
    """A cluster may set these for purposes of its own."""
    monkeypatch.setenv("RANK", "3")
    monkeypatch.setenv("WORLD_SIZE", "8")
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    assert (processes.count(), processes.rank(), processes.is_first()) == (1, 0, True)
