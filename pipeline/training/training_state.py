"""The state of a training run, which a checkpoint holds, and its optimisation steps."""

import time
from dataclasses import asdict
from typing import Any, NamedTuple

import torch
from accelerate import Accelerator
from torch import Tensor
from torch.nn.utils import get_total_norm
from torch.optim import AdamW

from pipeline import processes
from pipeline.encoding.batching import Batch
from pipeline.errors import UserError
from pipeline.model.chain_tagger import ChainTagger
from pipeline.model.model_folder import Epoch
from pipeline.storage.checkpoint import Checkpoint
from pipeline.training.loss import Loss
from pipeline.training.optimiser import learning_rate_scale, parameter_groups
from pipeline.training.settings import Training

READ_STEPS = 20  # steps whose losses and norms stay on the device, to be read together
# Several processes read after so long, if READ_STEPS take longer, and then agree to save or stop.
READ_SECONDS = 1.0


class UnreadStep(NamedTuple):
    """A step whose losses and norm are still on the device.

    step: from 1.
    ids: of all processes' sentences, as the loop names them.
    rows: [B] of this process's sentences in their split.
    labelled: whether they have gold tags.
    losses: [B] of the same sentences.
    norm: of the gradient, over all processes.
    """

    step: int
    ids: Tensor
    rows: Tensor
    labelled: bool
    losses: Tensor
    norm: Tensor


class TrainingState:
    """The state of a run, which a checkpoint holds, and its steps.

    No step waits for the device: losses and norms are read together every READ_STEPS steps, and before a
    checkpoint or an epoch's result is written.

    unread: the steps since they were last read.
    """

    def __init__(self, model: ChainTagger, settings: Training, steps: int) -> None:
        """Start at step 0 of `steps`; `model` is on its device."""
        self.model, self.settings, self.steps = model, settings, steps
        self.optimizer = AdamW(parameter_groups(model, settings), fused=True)
        self.rates = [group["lr"] for group in self.optimizer.param_groups]
        self.step = 0
        self.sentences = 0  # of the epoch so far
        self.loss = 0.0  # summed over these sentences, as far as it was read
        self.unread: list[UnreadStep] = []
        self.last_loss = ""  # of the last step that was read, for the progress line
        self.last_figures: dict[str, float] = {}  # that step's loss and gradient norm
        self.history: list[Epoch] = []
        self.kept = 0
        self.best: dict[str, Tensor] = {}
        self.saved_at = self._read_at = time.monotonic()
        self._read_after = READ_STEPS
        self.sentences_since_start = 0  # since the run began or resumed
        self._counted = 0, time.monotonic()  # sentences, and when, at the last `figures`

    def update(self, batch: Batch, loss: Loss, accelerator: Accelerator, ids: Tensor | None = None) -> None:
        """One optimiser step on the mean loss of a batch.

        Args:
            batch: the sentences of this process; where it has none, another's.
            loss: see Loss.
            accelerator: device and precision.
            ids: of all processes' sentences; None: `batch` is all.

        Raises:
            UserError: a loss or a gradient of an unread step was NaN or infinite.
        """
        self.optimise(self.forward(batch, loss, accelerator), batch, ids)

    def forward(self, batch: Batch, loss: Loss, accelerator: Accelerator) -> Tensor:
        """The loss of each sentence [B]."""
        with accelerator.autocast():
            chain = self.model.chain(batch)
        return loss(chain, batch, self.step)

    def optimise(self, losses: Tensor, batch: Batch, ids: Tensor | None = None) -> None:
        """Gradient, clipping and optimiser step of what `forward` gave; as `update`.

        Not by `Accelerator.backward`, which divides by a number of accumulated steps from the environment.
        """
        ids = batch.ids if ids is None else ids
        scale = learning_rate_scale(self.step, self.steps, self.settings.warmup)
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * scale
        if processes.count() == 1:
            losses.mean().backward()
        else:  # a process without a sentence of its own has computed another's, for the same parameters
            _, own = processes.share(ids)
            (losses.sum() / len(ids) if len(own) else losses.sum() * 0).backward()
            processes.sum_gradients(list(self.model.parameters()))
        norm = self._clipped_step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        self.sentences += len(ids)
        self.sentences_since_start += len(ids)
        labelled = batch.tags is not None
        self.unread.append(UnreadStep(self.step, ids, batch.ids, labelled, losses.detach(), norm))
        if len(self.unread) >= self._read_after:
            self.read_losses()

    def _clipped_step(self) -> Tensor:
        """One step of the optimiser, whose kernel clips the gradient as it reads it; the gradient's norm.

        `clip_grad_norm_` would read and write the whole gradient once more.
        """
        gradients = [one.grad for one in self.model.parameters() if one.grad is not None]
        norm = get_total_norm(gradients)
        scale = ((norm + 1e-6) / self.settings.max_grad_norm).clamp(min=1.0)
        self.optimizer.grad_scale = scale  # type: ignore[attr-defined]  # divides the gradient, as a GradScaler's
        self.optimizer.step()
        return norm

    def read_losses(self) -> None:
        """Read the losses and norms of the unread steps.

        Raises:
            UserError: one is NaN or infinite: names the first such step and its sentences.
        """
        steps, self.unread = self.unread, []
        if not steps:
            return
        own = [len(processes.share(step.ids)[1]) > 0 for step in steps]
        totals = torch.stack([step.losses.sum() * mine for step, mine in zip(steps, own, strict=True)])
        finite = [step.losses.isfinite().all() & step.norm.isfinite() for step in steps]
        bad = processes.greatest((~torch.stack(finite)).int()).tolist()
        if any(bad):
            raise self._bad_step(steps[bad.index(1)])
        sums = processes.summed(totals).tolist()
        for total in sums:  # one by one: the bits must not depend on how many steps are read together
            self.loss += total
        self.last_figures = {"loss": sums[-1] / len(steps[-1].ids), "gradient_norm": float(steps[-1].norm)}
        self.last_loss = f", loss {self.last_figures['loss']:.4f}"
        if processes.count() > 1:
            now = time.monotonic()
            wanted = int(len(steps) * READ_SECONDS / max(now - self._read_at, 1e-6))
            proposed = torch.tensor(-min(READ_STEPS, max(1, wanted)), device=totals.device)
            self._read_after, self._read_at = -int(processes.greatest(proposed)), now

    def figures(self) -> dict[str, float]:
        """Loss and gradient norm of the last step that was read, learning rate, sentences per second."""
        before, began = self._counted
        sentences, now = self._counted = self.sentences_since_start, time.monotonic()
        return self.last_figures | {
            "learning_rate": self.optimizer.param_groups[0]["lr"],
            "sentences_per_second": (sentences - before) / max(now - began, 1e-9),
        }

    def end_epoch(self, epoch: Epoch) -> None:
        """Record the epoch, and keep its weights if they are the ones to keep so far.

        Raises:
            UserError: a loss, a gradient or a weight is NaN or infinite.
        """
        self.read_losses()
        self._refuse_bad_weights()
        best = max((past.development_f1 for past in self.history), default=-1.0)
        if self.settings.keep == "last" or epoch.development_f1 > best:
            self.kept = epoch.epoch
            self.best = {name: tensor.detach().clone() for name, tensor in self.model.state_dict().items()}
        self.history.append(epoch)
        self.sentences, self.loss = 0, 0.0

    def save(self, checkpoint: Checkpoint) -> None:
        """Write everything that `restore` needs; of several processes, the first does.

        Raises:
            UserError: a loss, a gradient or a weight is NaN or infinite.
        """
        self.read_losses()
        self._refuse_bad_weights()
        if not processes.is_first():
            self.saved_at = time.monotonic()
            return
        tensors = {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        tensors |= {f"best.{name}": tensor for name, tensor in self.best.items()}
        for index, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{index}.{name}": tensor for name, tensor in state.items()}
        facts = {"step": self.step, "sentences": self.sentences, "loss": self.loss, "kept": self.kept}
        checkpoint.save(tensors, facts | {"history": [asdict(epoch) for epoch in self.history]})
        self.saved_at = time.monotonic()

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
        self.history = [Epoch(**epoch) for epoch in facts["history"]]

    def _bad_step(self, unread: UnreadStep) -> UserError:
        """The error that names the sentences whose losses are not finite, or else all of the step."""
        first, own = processes.share(unread.ids)
        rows, bad = torch.zeros(2, len(unread.ids), dtype=torch.int64)
        rows[first : first + len(own)] = unread.rows[: len(own)]
        bad[first : first + len(own)] = ~unread.losses[: len(own)].isfinite().cpu()
        rows, bad = processes.greatest(torch.stack([rows, bad]).to(unread.losses.device)).cpu()
        named = rows[bad > 0] if bad.any() else rows
        of = "sentences" if unread.labelled else "unlabelled sentences"
        return self._diverged(
            unread.step, f"the loss or its gradient is NaN or infinite for the {of} {named.tolist()}"
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
