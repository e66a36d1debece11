"""A checkpoint belongs to one run and one process, and is whole or refused."""

import fcntl
from typing import Any

import pytest
import torch

from pipeline.storage.checkpoint import Checkpoint, run_key

TENSORS = {"a": torch.arange(6.0).view(2, 3).t(), "b": torch.tensor(7)}
FACTS = {"step": 3, "loss": 0.1 + 0.2, "history": [{"epoch": 1, "loss": 1e-300}]}


def state(checkpoint):
    """What was saved; something was."""
    saved = checkpoint.load()
    assert saved is not None
    return saved


def test_what_was_saved_is_loaded_to_the_bit(tmp_path):
    checkpoint = Checkpoint(tmp_path / "one")
    assert checkpoint.load() is None
    checkpoint.save(TENSORS, FACTS)
    tensors, facts = state(checkpoint)
    assert facts == FACTS
    assert tensors.keys() == TENSORS.keys()
    assert all(torch.equal(tensors[name], TENSORS[name]) for name in TENSORS)

    checkpoint.save({"a": torch.zeros(1)}, {"step": 4})
    tensors, facts = state(Checkpoint(tmp_path / "one"))
    assert (list(tensors), facts) == (["a"], {"step": 4})


def test_a_table_that_two_names_share_is_saved_under_both(tmp_path):
    """As the embeddings of T5."""
    checkpoint, table = Checkpoint(tmp_path / "one"), torch.arange(6.0).view(2, 3)
    checkpoint.save({"a": table, "b": table, "c": torch.nn.Parameter(table)}, {})
    tensors, _ = state(checkpoint)
    assert sorted(tensors) == ["a", "b", "c"]
    assert all(torch.equal(tensor, table) for tensor in tensors.values())


def test_an_interrupted_save_leaves_the_old_state(tmp_path):
    checkpoint = Checkpoint(tmp_path / "one")
    checkpoint.save(TENSORS, FACTS)
    with pytest.raises(TypeError):
        checkpoint.save(TENSORS, {"step": object()})
    assert state(checkpoint)[1] == FACTS


def test_a_kill_between_the_two_renames_of_a_save_loses_nothing(tmp_path):
    Checkpoint(tmp_path / "one").save(TENSORS, FACTS)
    (tmp_path / "one").rename(tmp_path / ".one.old")
    with Checkpoint.hold(tmp_path, "one") as checkpoint:
        assert state(checkpoint)[1] == FACTS


def test_a_block_that_ends_well_forgets_and_one_that_fails_keeps(tmp_path):
    def fails():
        with Checkpoint.hold(tmp_path, "run") as checkpoint:
            checkpoint.save(TENSORS, FACTS)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    with Checkpoint.hold(tmp_path, "run") as checkpoint:
        assert state(checkpoint)[1] == FACTS
    assert list(tmp_path.iterdir()) == []


def second_process(stages, folder):
    """What another process says that takes the checkpoints of the runs `run` and `other`."""
    ended = stages.run("tests.helpers.checkpoint_holder", folder, place=folder)
    assert ended.status == 0, ended.err
    return ended.out.splitlines()


def test_a_second_process_is_refused_until_the_first_is_done(stages, tmp_path):
    with Checkpoint.hold(tmp_path, "run"):
        lines = second_process(stages, tmp_path)
    assert lines == [
        f"{tmp_path / 'run'}: another process is at work on the same run; wait for it or stop it",
        "other is free",
    ]
    with Checkpoint.hold(tmp_path, "run"):
        pass


def test_a_lock_that_its_holder_removes_while_it_is_taken_is_taken_anew(stages, tmp_path, monkeypatch):
    """The holder ends between this process's opening and its lock; a third is refused all the same."""
    lock, flock = tmp_path / ".run.lock", fcntl.flock

    def late(handle, operation):
        monkeypatch.undo()
        lock.unlink()
        flock(handle, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    with Checkpoint.hold(tmp_path, "run"):
        refused, _ = second_process(stages, tmp_path)
        assert "run: another process is at work on the same run" in refused
    assert list(tmp_path.iterdir()) == []


def test_the_same_facts_have_the_same_key_and_each_other_fact_another():
    facts: list[Any] = [{"epochs": 3, "rate": 1e-4}, 1, ["a1", "b2", {"k": 3}]]
    key = run_key("kbest-1", *facts)
    assert key == run_key("kbest-1", {"rate": 1e-4, "epochs": 3}, *facts[1:])
    assert key.startswith("kbest-1-")
    others = [
        run_key("kbest-2", *facts),
        run_key("kbest-1", {"epochs": 4, "rate": 1e-4}, *facts[1:]),
        run_key("kbest-1", facts[0], 2, facts[2]),
        run_key("kbest-1", facts[0], 1, ["b2", "a1", {"k": 3}]),
        run_key("kbest-1", facts[0], 1, ["a1", "b2", {"k": 4}]),
        run_key("kbest-1", facts[0], 1),
    ]
    assert len({key, *others}) == 1 + len(others)
