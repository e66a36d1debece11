"""One training loop for teacher and students. It names no method: the loss comes as a function."""

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, Protocol

import torch
from accelerate import Accelerator
from torch import Tensor
from torch.optim import AdamW

from pipeline.chain import LinearChain, Moments, cross_entropy, gold_moments
from pipeline.encoding.batching import Batch
from pipeline.errors import Interrupted, UserError
from pipeline.model.chain_tagger import ChainTagger
from pipeline.model.model_folder import Epoch, History
from pipeline.progress import progress
from pipeline.storage.checkpoint import Checkpoint
from pipeline.training.live_metrics import LiveMetrics, Silent
from pipeline.training.settings import Training

CHECKPOINT_SECONDS = 60.0  # at least so long between two checkpoints

Loss = Callable[[LinearChain, Batch, int], Tensor]
"""(the student's chains, the batch, the step from 0) → the loss of each sentence [B]."""


class TrainingBatches(Protocol):
    """What a run goes through in every epoch: `Batches`, or several of them together (`MixedBatches`)."""

    @property
    def sentences(self) -> int:
        """Sentences in an epoch."""

    def __len__(self) -> int:
        """Batches in an epoch."""

    def shuffled(self, seed: int) -> Sequence[Tensor]:
        """Ids of all sentences, batch by batch. The same for the same seed."""

    def stream(self, seed: int, start: int) -> Iterator[Tensor]:
        """Ids of the batches of a run, without end, from number `start` on. The same for the same seed."""

    def size(self, ids: Tensor) -> int:
        """Pieces of the sentences of one that `shuffled` or `stream` gave."""

    def batch(self, ids: Tensor) -> Batch:
        """Lay out one that `shuffled` or `stream` gave."""


def train(
    model: ChainTagger,
    batches: TrainingBatches,
    loss: Loss,
    settings: Training,
    *,
    seed: int,
    development: Callable[[], float],
    accelerator: Accelerator,
    checkpoint: Checkpoint,
    label: str,
    live: LiveMetrics | None = None,
) -> History:
    """Train `model` in place and leave it in evaluation mode with the kept epoch's weights.

    AdamW; the learning rate rises linearly over `settings.warmup` of the steps and falls linearly to 0. All
    that is random in a step (its batch, its dropout) follows from `seed` and the step's number, so a run that
    goes on from a checkpoint gives the same weights, to the bit, as one that was never stopped.

    Args:
        model: on the accelerator's device.
        batches: the training sentences.
        loss: see Loss.
        settings: epochs, learning rates and so on.
        seed: of data order and dropout.
        development: span F1 of the model as it stands; called after each epoch (see Length).
        accelerator: device and precision.
        checkpoint: where the state goes every minute and when a signal comes, and where it is taken up.
        label: for the progress line.
        live: where the figures of the unfinished run go; None: nowhere.

    Raises:
        UserError: a loss, a gradient or a weight is NaN or infinite; the last checkpoint stays.
        Interrupted: a signal came; the state is saved.
    """
    live = live or Silent()
    length = settings.length(len(batches))
    run = Run(model, settings, steps=length.steps)
    run.restore(checkpoint)
    stream = batches.stream(seed, run.step)
    with _signals() as pending, progress(label, run.steps, run.step) as meter:
        if run.step:
            meter.say(f"{label}: resumes after step {run.step:,} of {run.steps:,} from {checkpoint.folder}")
        while not length.is_over(run.step, [epoch.development_f1 for epoch in run.history]):
            ids, epoch = next(stream), len(run.history) + 1
            model.train()
            torch.manual_seed(seed * 1_000_003 + run.step)
            value = run.update(batches.batch(ids).to(accelerator.device), loss, accelerator)
            meter.advance(1, f"epoch {epoch}, loss {value:.4f}")
            if live.due:
                live.log(run.step, {"loss": value} | run.figures())
            if length.ends_epoch(run.step):
                done = run.end_epoch(Epoch(epoch, run.loss / run.sentences, development()))
                means = {"epoch_loss": done.loss, "development_f1": done.development_f1}
                live.log(run.step, means | run.figures())
                meter.say(f"{label}: {done}")
            if pending or time.monotonic() - run.saved >= CHECKPOINT_SECONDS:
                run.save(checkpoint)
            if pending:
                raise Interrupted(pending[0])
        if run.step < run.steps:
            meter.say(
                f"{label}: ends after step {run.step:,} of {run.steps:,}, as development no longer rises"
            )
    model.load_state_dict(run.best)
    model.eval()
    return History(run.history, run.kept)


class Run:
    """The state of a run, which a checkpoint holds, and its steps."""

    def __init__(self, model: ChainTagger, settings: Training, steps: int) -> None:
        """Start at step 0 of `steps`; `model` is on its device."""
        self.model, self.settings, self.steps = model, settings, steps
        self.optimizer = AdamW(_parameter_groups(model, settings), fused=True)
        self.rates = [group["lr"] for group in self.optimizer.param_groups]
        self.step = 0
        self.sentences = 0  # of the epoch so far
        self.loss = 0.0  # summed over these sentences
        self.history: list[Epoch] = []
        self.kept = 0
        self.best: dict[str, Tensor] = {}
        self.saved = time.monotonic()
        self.norm = torch.zeros(())  # of the last step's gradient, before it was clipped
        self.counted = 0, time.monotonic()  # sentences, and when, at the last `figures`

    def update(self, batch: Batch, loss: Loss, accelerator: Accelerator) -> float:
        """One optimiser step on the batch's mean loss, which is returned."""
        return self.backward(self.forward(batch, loss, accelerator), batch, accelerator)

    def forward(self, batch: Batch, loss: Loss, accelerator: Accelerator) -> Tensor:
        """The loss of each sentence [B].

        Raises:
            UserError: one is NaN or infinite.
        """
        with accelerator.autocast():
            chain = self.model.chain(batch)
        losses = loss(chain, batch, self.step)
        self._refuse_bad(losses, batch)
        return losses

    def backward(self, losses: Tensor, batch: Batch, accelerator: Accelerator) -> float:
        """Gradient, clipping and optimiser step of what `forward` gave; returns the mean loss.

        Raises:
            UserError: the gradient is NaN or infinite.
        """
        scale = learning_rate_scale(self.step, self.steps, self.settings.warmup)
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * scale
        accelerator.backward(losses.mean())
        norm = accelerator.clip_grad_norm_(self.model.parameters(), self.settings.max_grad_norm)
        self._refuse_bad(norm, batch)
        self.norm = norm
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        self.sentences += len(losses)
        total = float(losses.detach().sum())
        self.loss += total
        return total / len(losses)

    def figures(self) -> dict[str, float]:
        """What the run looks like: learning rate of the encoder, gradient norm, sentences per second."""
        sentences, began = self.counted
        self.counted = self.sentences, time.monotonic()
        return {
            "learning_rate": self.optimizer.param_groups[0]["lr"],
            "gradient_norm": float(self.norm),
            "sentences_per_second": (self.sentences - sentences) / max(self.counted[1] - began, 1e-9),
        }

    def end_epoch(self, epoch: Epoch) -> Epoch:
        """Record the epoch, and keep its weights if they are the ones to keep so far.

        Raises:
            UserError: a weight is NaN or infinite.
        """
        self._refuse_bad_weights()
        best = max((past.development_f1 for past in self.history), default=-1.0)
        if self.settings.keep == "last" or epoch.development_f1 > best:
            self.kept = epoch.epoch
            self.best = {name: tensor.detach().clone() for name, tensor in self.model.state_dict().items()}
        self.history.append(epoch)
        self.sentences, self.loss = 0, 0.0
        return epoch

    def save(self, checkpoint: Checkpoint) -> None:
        """Write everything that `restore` needs.

        Raises:
            UserError: a weight is NaN or infinite.
        """
        self._refuse_bad_weights()
        tensors = {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        tensors |= {f"best.{name}": tensor for name, tensor in self.best.items()}
        for index, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{index}.{name}": tensor for name, tensor in state.items()}
        facts = {"step": self.step, "sentences": self.sentences, "loss": self.loss, "kept": self.kept}
        checkpoint.save(tensors, facts | {"history": [asdict(epoch) for epoch in self.history]})
        self.saved = time.monotonic()

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on where the checkpoint, if there is one, was written."""
        if (saved := checkpoint.load()) is None:
            return
        tensors, facts = saved
        parts: dict[str, dict[str, Tensor]] = {"model": {}, "best": {}, "optimizer": {}}
        for name, tensor in tensors.items():
            part, _, rest = name.partition(".")
            parts[part][rest] = tensor
        self.model.load_state_dict(parts["model"])
        self.best = parts["best"]
        state: dict[int, dict[str, Any]] = {}
        for name, tensor in parts["optimizer"].items():
            index, _, key = name.partition(".")
            state.setdefault(int(index), {})[key] = tensor
        self.optimizer.load_state_dict(self.optimizer.state_dict() | {"state": state})
        self.step, self.sentences, self.loss = facts["step"], facts["sentences"], facts["loss"]
        self.kept = facts["kept"]
        self.counted = self.sentences, time.monotonic()
        self.history = [Epoch(**epoch) for epoch in facts["history"]]

    def _refuse_bad(self, values: Tensor, batch: Batch) -> None:
        finite = values.detach().isfinite().cpu()
        if bool(finite.all()):
            return
        rows = batch.ids[~finite] if values.ndim else batch.ids
        of = "sentences" if batch.tags is not None else "unlabelled sentences"
        raise self._diverged(
            self.step + 1, f"the loss or its gradient is NaN or infinite for the {of} {rows.tolist()}"
        )

    def _refuse_bad_weights(self) -> None:
        """The last step of all has no loss after it that would show what it did to the weights."""
        for name, tensor in self.model.state_dict().items():
            if not bool(tensor.isfinite().all()):
                raise self._diverged(self.step, f"{name} holds NaN or infinite weights")

    def _diverged(self, step: int, what: str) -> UserError:
        return UserError(
            f"step {step} of {self.steps}: {what}; lower learning_rate or head_learning_rate, or set "
            "precision: float32"
        )


def gold_of(batch: Batch, num_tags: int) -> Moments:
    """The moments of the batch's gold tags.

    Raises:
        UserError: the split has none.
    """
    if batch.tags is None:
        raise UserError(
            "the training split carries no tags, but the loss has a gold term; label it, or set the method's "
            "schedule: constant and weight: 1.0"
        )
    return gold_moments(batch.tags, batch.lengths, num_tags)


def gold_loss(chain: LinearChain, batch: Batch, step: int) -> Tensor:
    """Negative log-likelihood of the gold tags, for each sentence [B]: how the teacher learns."""
    return cross_entropy(chain, gold_of(batch, chain.num_tags))


def learning_rate_scale(step: int, steps: int, warmup: float) -> float:
    """Share of the learning rate at `step` (from 0): up over the first `warmup` of `steps`, then down."""
    rise = round(steps * warmup)
    if step < rise:
        return (step + 1) / rise
    return (steps - step) / (steps - rise)


def reproducible(seed: int) -> None:
    """Make what follows depend on `seed` alone, on one machine with one number of threads."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    # A debugging aid that comes with it: every new tensor filled with NaN, a twentieth of a training step.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.manual_seed(seed)


def _parameter_groups(model: ChainTagger, settings: Training) -> list[dict[str, Any]]:
    """The encoder's matrices decay; biases, norms and the head do not; the head has its own learning rate."""
    head = {id(parameter) for parameter in model.head_parameters}
    encoder = [parameter for parameter in model.parameters() if id(parameter) not in head]
    return [
        {
            "params": [parameter for parameter in encoder if parameter.ndim > 1],
            "lr": settings.learning_rate,
            "weight_decay": settings.weight_decay,
        },
        {
            "params": [parameter for parameter in encoder if parameter.ndim <= 1],
            "lr": settings.learning_rate,
            "weight_decay": 0.0,
        },
        {"params": model.head_parameters, "lr": settings.head_learning_rate, "weight_decay": 0.0},
    ]


@contextmanager
def _signals() -> Iterator[list[int]]:
    """Collect Ctrl-C and SIGTERM instead of dying in the middle of a step."""
    pending: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda got, _: pending.append(got)) for number in numbers]
    try:
        yield pending
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
