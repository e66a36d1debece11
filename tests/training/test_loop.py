"""The training loop: what a step changes, what an epoch reports, which weights stay, and what stops it."""

import os
import signal
from types import SimpleNamespace

import pytest
import torch

from pipeline.device import accelerator
from pipeline.errors import Interrupted, UserError
from pipeline.training.loop import CHECKPOINT_SECONDS, train
from pipeline.training.loss import gold_loss
from pipeline.training.settings import Student
from pipeline.training.training_state import TrainingState
from tests.helpers.tiny_inputs import SPLITS, same_bits
from tests.helpers.training_cases import SETTINGS, Case

GRADIENT_FREE = {"max_grad_norm": 1e-30}  # Adam then sees gradients far below its epsilon


@pytest.fixture
def case(bert, corpus, tmp_path):
    yield Case(bert, corpus, tmp_path / "checkpoint")
    torch.use_deterministic_algorithms(False)


def without_gradient(chain, batch, step):
    """A loss that is 0 and teaches nothing."""
    return 0 * gold_loss(chain, batch, step)


def test_the_loss_falls(case):
    _, history = case.run(epochs=8, learning_rate=1e-2, head_learning_rate=5e-2)
    losses = [epoch.loss for epoch in history.epochs]
    assert losses[-1] < losses[0] * 0.7


def test_a_seed_gives_one_student_to_the_bit(case):
    (one, first), (two, second), (other, third) = (case.run(seed=seed) for seed in (1, 1, 2))
    assert same_bits(one.state_dict(), two.state_dict())
    assert first == second
    assert not same_bits(one.state_dict(), other.state_dict())
    assert first != third


def test_the_seed_decides_order_and_dropout_too(case):
    """The same first weights go another way."""
    start = case.student().state_dict()
    ends = []
    for seed in (1, 1, 2):
        model = case.student()
        model.load_state_dict(start)
        ends.append(case.run(seed=seed, model=model)[0].state_dict())
    assert same_bits(ends[0], ends[1])
    assert not same_bits(ends[0], ends[2])


def test_each_step_draws_its_own_numbers(case):
    drawn = []

    def loss(chain, batch, step):
        drawn.append(torch.initial_seed())
        return gold_loss(chain, batch, step)

    case.run(loss)
    assert len(drawn) == len(set(drawn)) == 2 * case.steps


def test_what_ran_before_does_not_matter(case):
    one, _ = case.run()
    model = case.student()
    torch.rand(17)
    two, _ = case.run(model=model)
    assert same_bits(one.state_dict(), two.state_dict())


def test_only_the_encoders_matrices_decay_at_the_scheduled_rate(case):
    """Without a gradient AdamW multiplies them by 1 - rate * decay in every step, and leaves the rest."""
    before = {name: value.clone() for name, value in case.student().state_dict().items()}
    model, _ = case.run(without_gradient, epochs=1, weight_decay=0.5, learning_rate=0.1, warmup=0.5)
    steps = case.steps
    rise = round(steps / 2)
    rates = [0.1 * (step + 1) / rise for step in range(rise)]
    rates += [0.1 * (steps - step) / (steps - rise) for step in range(rise, steps)]
    shrunk = float(torch.tensor([1 - rate * 0.5 for rate in rates], dtype=torch.float64).prod())

    head = ("emission.weight", "emission.bias", "transitions", "start", "end")
    assert set(head) < set(before)
    for name, value in model.state_dict().items():
        factor = shrunk if value.ndim > 1 and name not in head else 1.0
        torch.testing.assert_close(value, before[name] * factor, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize(
    ("slow", "still"),
    [
        ({"learning_rate": 1e-30}, "encoder."),
        ({"head_learning_rate": 1e-30}, ("emission.", "transitions", "start", "end")),
    ],
    ids=["encoder", "head"],
)
def test_head_and_encoder_have_their_own_learning_rates(case, slow, still):
    before = {name: value.clone() for name, value in case.student().state_dict().items()}
    model, _ = case.run(epochs=1, weight_decay=0.0, **slow)
    for name, value in model.state_dict().items():
        if name.startswith(still):
            torch.testing.assert_close(value, before[name], rtol=0, atol=1e-20)
        elif "word_embeddings" not in name and "key.bias" not in name:  # rare words; no effect on attention
            assert not torch.allclose(value, before[name], rtol=0, atol=1e-6), name


def test_the_first_step_is_adams(case):
    """It moves a weight by its learning rate, against the sign of the gradient."""
    model = case.student()
    before = model.emission.bias.detach().clone()
    seen = []

    def stop_after_one(chain, batch, step):
        if step:
            raise KeyboardInterrupt
        losses = gold_loss(chain, batch, step)
        seen.append(torch.autograd.grad(losses.mean(), model.emission.bias, retain_graph=True)[0])
        return losses

    with pytest.raises(KeyboardInterrupt):
        case.run(stop_after_one, model=model, warmup=0.0)
    moved = model.emission.bias.detach() - before
    torch.testing.assert_close(moved, -SETTINGS.head_learning_rate * seen[0].sign(), rtol=1e-3, atol=1e-6)


def test_gradients_are_clipped(case):
    before = {name: value.clone() for name, value in case.student().state_dict().items()}
    model, _ = case.run(epochs=1, weight_decay=0.0, **GRADIENT_FREE)
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=1e-9)


def test_every_sentence_is_seen_once_an_epoch_in_another_order(case):
    seen = []

    def watching(chain, batch, step):
        seen.append(batch.ids.tolist())
        assert step == len(seen) - 1
        return gold_loss(chain, batch, step)

    case.run(watching)
    epochs = seen[: case.steps], seen[case.steps :]
    for epoch in epochs:
        assert sorted(sum(epoch, [])) == list(range(SPLITS["train"]))  # noqa: RUF017
    assert epochs[0] != epochs[1]


def test_the_history_has_each_epochs_mean_over_sentences(case):
    """Not over batches, the last of which is smaller; and the development score at the end of each."""
    scores = iter([12.5, 37.5, 25.0])

    def known(chain, batch, step):
        return batch.ids * (step // case.steps + 1) + 0 * gold_loss(chain, batch, step)

    assert SPLITS["train"] % SETTINGS.batch_size
    _, history = case.run(known, epochs=3, development=lambda model: next(scores))
    mean = (SPLITS["train"] - 1) / 2
    assert [epoch.epoch for epoch in history.epochs] == [1, 2, 3]
    assert [epoch.loss for epoch in history.epochs] == pytest.approx([mean, 2 * mean, 3 * mean])
    assert [epoch.development_f1 for epoch in history.epochs] == [12.5, 37.5, 25.0]


@pytest.mark.parametrize(("patience", "epochs"), [(1, 3), (2, 6), (3, 6), (None, 6)])
def test_a_run_ends_when_development_no_longer_rises(case, patience, epochs, capsys):
    """And one that is taken up where it had ended ends at once."""
    scores = [1.0, 3.0, 3.0, 4.0, 2.0, 2.0]
    student = Student(layers=1, patience=patience, **SETTINGS.model_dump() | {"epochs": 6})
    steps = []

    def watched(chain, batch, step):
        steps.append(step)
        return gold_loss(chain, batch, step)

    def train_it():
        left = iter(scores)
        model = case.student()
        return train(
            model,
            case.batches,
            watched,
            student,
            seed=1,
            development=lambda: next(left),
            accelerator=accelerator("float32"),
            checkpoint=case.checkpoint,
            label="test",
        )

    history = train_it()
    assert len(history.epochs) == epochs
    assert steps == list(range(epochs * case.steps))
    assert history.kept == (2 if epochs == 3 else 4)
    stopped = "stops early after step" in capsys.readouterr().out
    assert stopped == (epochs < 6)


@pytest.mark.parametrize(
    ("keep", "scores", "kept"),
    [
        ("best", [1.0, 3.0, 2.0], 2),
        ("best", [3.0, 3.0, 2.0], 1),
        ("best", [0.0, 0.0, 0.0], 1),
        ("last", [1.0, 3.0, 2.0], 3),
    ],
)
def test_the_kept_epochs_weights_stay(case, keep, scores, kept):
    after = []
    left = iter(scores)

    def judge(model):
        after.append({name: value.clone() for name, value in model.state_dict().items()})
        return next(left)

    model, history = case.run(epochs=3, keep=keep, development=judge)
    assert history.kept == kept
    assert same_bits(model.state_dict(), after[kept - 1])
    assert not same_bits(after[0], after[1])
    assert not model.training


def test_dropout_is_on_in_every_step_even_after_a_judgement(case):
    modes = []

    def watching(chain, batch, step):
        modes.append(model.training)
        return gold_loss(chain, batch, step)

    model = case.student()
    case.run(watching, model=model, development=lambda model: float(model.eval() is None))
    assert modes == [True] * (2 * case.steps)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_names_step_and_sentence_and_keeps_the_checkpoint(case, value, monkeypatch):
    monkeypatch.setattr("pipeline.training.loop.CHECKPOINT_SECONDS", 0)
    spoiled: list[int] = []

    def loss(chain, batch, step):
        if step < 3:
            return gold_loss(chain, batch, step)
        spoiled.append(int(batch.ids[1]))
        return gold_loss(chain, batch, step) + torch.tensor([0.0, value] + [0.0] * (len(batch.ids) - 2))

    with pytest.raises(UserError) as caught:
        case.run(loss)
    assert f"step 4 of {2 * case.steps}: " in str(caught.value)
    assert f"sentences {spoiled}; lower learning_rate" in str(caught.value)
    assert case.saved_step == 3


def test_a_gradient_that_is_no_number_names_the_batch(case):
    spoiled: list[int] = []

    def loss(chain, batch, step):
        if step != 2:
            return gold_loss(chain, batch, step)
        spoiled.extend(batch.ids.tolist())
        return gold_loss(chain, batch, step) + (0 * chain.emissions.sum()).sqrt()  # its gradient: 0 * inf

    with pytest.raises(UserError, match="step 3 of 10: the loss or its gradient") as caught:
        case.run(loss)
    assert f"sentences {spoiled}; " in str(caught.value)


@pytest.mark.parametrize("stop", ["checkpoint", "signal", "epoch"])
def test_a_bad_step_is_found_before_anything_is_written_and_named_first(case, stop, monkeypatch):
    """Steps after it, whose weights it has ruined, are not named."""
    spoiled: list[int] = []
    judged: list[int] = []

    def loss(chain, batch, step):
        if step == 2:
            spoiled.append(int(batch.ids[0]))
            return gold_loss(chain, batch, step) * torch.tensor([float("nan")] + [1.0] * (len(batch.ids) - 1))
        if step == 3 and stop == "checkpoint":
            monkeypatch.setattr("pipeline.training.loop.CHECKPOINT_SECONDS", 0)
        if step == 3 and stop == "signal":
            os.kill(os.getpid(), signal.SIGTERM)
        return gold_loss(chain, batch, step)

    def development(model):
        judged.append(1)
        return 1.0

    with pytest.raises(UserError, match="step 3 of 10: ") as caught:
        case.run(loss, development=development)
    assert f"sentences {spoiled}; " in str(caught.value)
    assert case.saved_step == 0
    assert not judged


def test_losses_are_read_every_few_steps(case, monkeypatch):
    """And with them the bad ones are found; the history is that of steps read one by one."""
    _, together = case.run()
    case.checkpoint.remove()
    monkeypatch.setattr("pipeline.training.training_state.READ_STEPS", 1)
    _, alone = case.run()
    assert together == alone
    monkeypatch.setattr("pipeline.training.training_state.READ_STEPS", 3)
    seen: list[int] = []

    def loss(chain, batch, step):
        seen.append(step)
        return gold_loss(chain, batch, step) * (float("nan") if step == 1 else 1.0)

    with pytest.raises(UserError, match="step 2 of 10: "):
        case.run(loss)
    assert seen == [0, 1, 2]


@pytest.mark.parametrize("steps", [5, 10])  # the last step of an epoch, and the last of all
def test_weights_that_are_no_numbers_are_kept_nowhere(case, steps, monkeypatch):
    monkeypatch.setattr("pipeline.training.loop.CHECKPOINT_SECONDS", 0)
    optimise = TrainingState.optimise

    def breaking(run, losses, batch, ids):
        optimise(run, losses, batch, ids)
        if run.step == steps:
            with torch.no_grad():
                run.model.emission.weight[0, 0] = float("nan")

    monkeypatch.setattr(TrainingState, "optimise", breaking)
    with pytest.raises(UserError, match=f"step {steps} of 10: emission.weight holds NaN"):
        case.run(development=lambda model: 0.0)
    assert case.saved_step == steps - 1


def test_a_resumed_run_says_where_it_goes_on(case, capsys):
    def stopped(chain, batch, step):
        if step == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return gold_loss(chain, batch, step)

    with pytest.raises(Interrupted):
        case.run(stopped)
    assert "resumes" not in capsys.readouterr().out
    case.run()
    assert "test: resumes after step 4 of 10 from " in capsys.readouterr().out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_step_saves_and_leaves(case, number):
    before = signal.getsignal(number)

    def signalled(chain, batch, step):
        if step == 4:
            os.kill(os.getpid(), number)
        return gold_loss(chain, batch, step)

    with pytest.raises(Interrupted) as caught:
        case.run(signalled)
    assert caught.value.signal == number
    assert case.saved_step == 5
    assert signal.getsignal(number) is before


def test_checkpoints_are_a_minute_apart(case, monkeypatch):
    """By a clock on which every step takes 25 s."""
    now, saved = [0.0], list[int]()
    for module in ("loop", "training_state"):
        clock = SimpleNamespace(monotonic=lambda: now[0])
        monkeypatch.setattr(f"pipeline.training.{module}.time", clock)
    save = TrainingState.save

    def counted(run, place):
        saved.append(run.step)
        save(run, place)

    monkeypatch.setattr(TrainingState, "save", counted)

    def slow(chain, batch, step):
        now[0] += 25.0
        return gold_loss(chain, batch, step)

    case.run(slow)
    assert CHECKPOINT_SECONDS == 60
    assert saved == [3, 6, 9]
