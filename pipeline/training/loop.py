"""One training loop for teacher and students. It names no method: the loss comes as a function."""

import os
import signal
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from typing import Protocol

import torch
from accelerate import Accelerator
from torch import Tensor

from pipeline import processes
from pipeline.encoding.batching import Batch
from pipeline.encoding.prefetch import prefetch
from pipeline.errors import Interrupted, UserError
from pipeline.model.chain_tagger import ChainTagger
from pipeline.model.model_folder import Epoch, History
from pipeline.progress import progress
from pipeline.storage.checkpoint import Checkpoint
from pipeline.training.live_metrics import LiveMetrics, NoMetrics
from pipeline.training.loss import LookupLoss, Loss
from pipeline.training.settings import Training
from pipeline.training.training_state import TrainingState

CHECKPOINT_SECONDS = 60.0  # at least so long between two checkpoints


class TrainingBatches(Protocol):
    """What a run goes through in every epoch: `Batches`, or several of them together (`MixedBatches`)."""

    def __len__(self) -> int:
        """Batches in an epoch."""

    def shuffled(self, seed: int) -> Sequence[Tensor]:
        """Ids of all sentences, batch by batch. The same for the same seed."""

    def stream(self, seed: int, start: int) -> Iterator[Tensor]:
        """Ids of the batches of a run, without end, from number `start` on. The same for the same seed."""

    def count_pieces(self, ids: Tensor) -> int:
        """Pieces of the sentences `ids` [B] of one batch of `shuffled` or `stream` together."""

    def collate(self, ids: Tensor) -> Batch:
        """Lay out the sentences `ids` [B] of one batch of `shuffled` or `stream`."""


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
        development: span F1 of the model as it stands; called after each epoch (see RunLength).
        accelerator: device and precision.
        checkpoint: where the state goes every minute and when a signal comes, and where it is taken up.
        label: for the progress line.
        live: where live metrics go; None: nowhere.

    Raises:
        UserError: a loss, a gradient or a weight is NaN or infinite, and the last checkpoint stays; or not
            all processes see the checkpoint.
        Interrupted: a signal came; the state is saved.
    """
    live = live or NoMetrics()
    length = settings.length(len(batches))
    device = accelerator.device
    state = TrainingState(model, settings, steps=length.steps)
    _resume(state, checkpoint, device)
    with (
        _signals() as pending,
        progress(label, state.steps, state.step) as meter,
        closing(_batches_of(state, batches, loss, seed, device)) as ahead,
    ):
        if state.step:
            meter.say(
                f"{label}: resumes after step {state.step:,} of {state.steps:,} from {checkpoint.folder}"
            )
        while not length.is_over(state.step, [epoch.development_f1 for epoch in state.history]):
            ids, batch = next(ahead)
            model.train()
            torch.manual_seed(seed * 1_000_003 + state.step + (processes.rank() << 48))
            state.update(batch.to(device), loss, accelerator, ids)
            meter.advance(1, f"epoch {len(state.history) + 1}{state.last_loss}")
            if length.ends_epoch(state.step):
                epoch = _end_epoch(state, development, live, device)
                meter.say(f"{label}: {epoch}")
            elif live.due and not state.unread:
                live.log(state.step, state.figures())
            if processes.count() == 1 or not state.unread:
                _save_if_due(state, checkpoint, pending, device)
        if state.step < state.steps:
            meter.say(
                f"{label}: stops early after step {state.step:,} of {state.steps:,}: development F1 no "
                "longer improves"
            )
    model.load_state_dict(state.best)
    model.eval()
    return History(state.history, state.kept)


def _resume(state: TrainingState, checkpoint: Checkpoint, device: torch.device) -> None:
    """Go on where the checkpoint, if there is one, was written, if all processes see it."""
    state.restore(checkpoint)
    if int(processes.greatest(torch.tensor(state.step, device=device))) != state.step:
        raise UserError(
            f"{checkpoint.folder}: not seen by all processes; use a folder that all machines share"
        )


def _end_epoch(
    state: TrainingState, development: Callable[[], float], live: LiveMetrics, device: torch.device
) -> Epoch:
    """Measure the model on development, and record the epoch that the last step has ended."""
    state.read_losses()
    f1 = processes.of_first(development(), device)
    epoch = Epoch(len(state.history) + 1, state.loss / state.sentences, f1)
    state.end_epoch(epoch)
    live.log(state.step, state.figures() | {"epoch_loss": epoch.loss, "development_f1": f1})
    return epoch


def _batches_of(
    state: TrainingState, batches: TrainingBatches, loss: Loss, seed: int, device: torch.device
) -> Generator[tuple[Tensor, Batch], None, None]:
    """The batches that remain of a run, laid out ahead: all ids [B] of each, and this process's share."""

    def lay_out(item: tuple[int, Tensor]) -> tuple[Tensor, Batch]:
        step, ids = item
        _, own = processes.share(ids)
        batch = batches.collate(own if len(own) else ids[:1])  # without a sentence of its own, another's
        if isinstance(loss, LookupLoss):
            batch = loss.look_up(batch, step)
        return ids, batch.pinned(device)

    order = enumerate(islice(batches.stream(seed, state.step), state.steps - state.step), state.step)
    return prefetch(order, lay_out, device)


def _save_if_due(
    state: TrainingState, checkpoint: Checkpoint, pending: Sequence[int], device: torch.device
) -> None:
    """Save the state every CHECKPOINT_SECONDS, and when a signal has come; raise Interrupted after that."""
    number, due = _agreed(pending, time.monotonic() - state.saved_at, device)
    if number or due:
        state.save(checkpoint)
    if number:
        raise Interrupted(number)


def _agreed(pending: Sequence[int], unsaved: float, device: torch.device) -> tuple[int, bool]:
    """The number of a signal that has come to any process, or 0; and whether a checkpoint is due."""
    number, due = pending[0] if pending else 0, unsaved >= CHECKPOINT_SECONDS
    if processes.count() > 1:
        number, due = processes.greatest(torch.tensor([number, due], device=device)).tolist()
    return number, bool(due)


def reproducible(seed: int) -> None:
    """Make what follows depend on `seed` alone, on one machine with one number of threads."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    # A debugging aid that comes with it: every new tensor filled with NaN, a twentieth of a training step.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.manual_seed(seed)


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
