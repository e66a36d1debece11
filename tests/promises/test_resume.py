"""A run that was stopped anywhere and goes on gives what an unstopped one gives, to the bit."""

import os
import signal

import pytest
import torch

from pipeline.errors import Interrupted, UserError
from pipeline.training.loss import gold_loss
from tests.helpers.tiny_inputs import same_bits
from tests.helpers.training_cases import Case


class Died(BaseException):
    """As good as a kill."""


@pytest.fixture
def case(bert, corpus, tmp_path, monkeypatch):
    """Saves after every step; no power is cut here, so nothing waits for the disk."""
    monkeypatch.setattr("pipeline.training.loop.CHECKPOINT_SECONDS", 0)
    monkeypatch.setattr("pipeline.storage.commit._sync", lambda path: None)
    yield Case(bert, corpus, tmp_path / "checkpoint")
    torch.use_deterministic_algorithms(False)


@pytest.fixture
def whole(case):
    """The run that nothing stopped: its weights and history."""
    model, history = case.run()
    case.checkpoint.remove()
    return model.state_dict(), history


def dies_at(step):
    def loss(chain, batch, now):
        if now == step:
            raise Died
        return gold_loss(chain, batch, now)

    return loss


def test_a_run_killed_in_any_step_goes_on_to_the_same_weights(case, whole):
    """Step 5 is the first of the second epoch; a run killed in step 0 has no checkpoint."""
    weights, history = whole
    for step in range(2 * case.steps):
        with pytest.raises(Died):
            case.run(dies_at(step))
        assert case.saved_step == step
        steps: list[int] = []

        def counting(chain, batch, now, steps=steps):
            steps.append(now)
            return gold_loss(chain, batch, now)

        model, again = case.run(counting)
        assert steps == list(range(step, 2 * case.steps))
        assert same_bits(model.state_dict(), weights), step
        assert again == history
        case.checkpoint.remove()


def test_a_run_stopped_again_and_again_ends_the_same(case, whole):
    """By a signal in every step, a new process (here: model) each time."""
    weights, history = whole

    def signalled(chain, batch, step):
        os.kill(os.getpid(), signal.SIGTERM)
        return gold_loss(chain, batch, step)

    for step in range(2 * case.steps):
        with pytest.raises(Interrupted):
            case.run(signalled)
        assert case.saved_step == step + 1
    model, again = case.run(signalled)  # all steps are done: nothing is left to signal
    assert same_bits(model.state_dict(), weights)
    assert again == history


def test_a_run_killed_while_development_is_judged_repeats_the_step(case, whole):
    weights, history = whole
    calls = []

    def judge(model):
        calls.append(model)
        if len(calls) == 2:
            raise Died
        return float(model.emission.weight.detach().abs().mean() * 100)

    with pytest.raises(Died):
        case.run(development=judge)
    assert case.saved_step == 2 * case.steps - 1
    model, again = case.run()
    assert same_bits(model.state_dict(), weights)
    assert again == history


def test_the_best_epoch_survives_a_restart(case):
    """Epoch 1 was the best, and the run stopped in epoch 2."""
    first, _ = case.run(epochs=2, keep="best", development=falling())
    case.checkpoint.remove()
    with pytest.raises(Died):
        case.run(dies_at(case.steps + 2), development=falling())
    model, history = case.run(development=lambda model: 1.0)
    assert history.kept == 1
    assert same_bits(model.state_dict(), first.state_dict())


def falling():
    scores = iter([9.0, 1.0])
    return lambda model: next(scores)


@pytest.mark.parametrize("file", ["state.safetensors", "facts.json"])
def test_a_damaged_checkpoint_is_refused_by_name(case, file):
    with pytest.raises(Died):
        case.run(dies_at(3))
    path = case.checkpoint.folder / file
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UserError, match=f"{path}: damaged"):
        case.run()


def test_the_optimizer_is_taken_up_with_the_weights(case):
    """Without its moments the next step would be another one."""
    with pytest.raises(Died):
        case.run(dies_at(4))
    tensors, _ = case.checkpoint.load()
    moments = [name for name in tensors if name.startswith("optimizer.") and "exp_avg" in name]
    assert moments
    assert all(float(tensors[name]) == 4 for name in tensors if name.endswith(".step"))
