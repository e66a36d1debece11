"""One training run as a stage makes it: inputs, F1 on development, checkpoint, finished folder."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Self

import torch
from accelerate import Accelerator
from torch import Tensor

from pipeline import processes
from pipeline.device import accelerator
from pipeline.encoding.batching import Batches
from pipeline.encoding.mixed_batches import LabelledShareBatches, MixedBatches
from pipeline.encoding.split_file import load, read_column
from pipeline.evaluation.metrics import AGREEMENT, compute_metrics
from pipeline.model.attention import use_cpu_attention
from pipeline.model.chain_tagger import ChainTagger
from pipeline.model.dropout import use_cpu_dropout
from pipeline.model.model_folder import save_model
from pipeline.model.prediction import predict
from pipeline.model.used_pieces import train_used_pieces
from pipeline.settings import Precision
from pipeline.storage.checkpoint import CHECKPOINTS, Checkpoint, run_key
from pipeline.storage.sealed_folder import check
from pipeline.training.live_metrics import LIVE, live_metrics
from pipeline.training.loop import TrainingBatches, train
from pipeline.training.loss import Loss
from pipeline.training.optimiser import share_without_gradient
from pipeline.training.settings import Student, Training

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Inputs:
    """What teacher and students train on: the folder `encoded`, its splits laid out, and the device.

    gold: the tags of `dev`.
    parts: what a run goes through instead of `train` as a whole: its folds, and unlabelled text.
    agreement: whether the development sentences have the teacher's tags, as there are no labelled ones.
    labelled_share: of batches, where the last of `parts` is text; None: as there are sentences.
    """

    encoded: Path
    train: Batches
    dev: Batches
    gold: list[list[str]]
    accelerator: Accelerator
    parts: tuple[Batches, ...] = ()
    agreement: bool = False
    labelled_share: float | None = None

    @classmethod
    def load(
        cls,
        encoded: Path,
        *,
        batch_size: int,
        precision: Precision,
        rows: Callable[[int], Tensor] | None = None,
    ) -> Self:
        """Check and read the encoded corpus.

        Args:
            encoded: the folder.
            batch_size: of all splits.
            precision: of the run.
            rows: from the number of training sentences, the rows [n] of those to train on; None: all.

        Raises:
            UserError: a file of it is missing or damaged.
        """
        check(encoded)
        train, dev = (load(encoded / f"{split}.parquet") for split in ("train", "dev"))
        return cls(
            encoded,
            Batches(train, batch_size, rows and rows(len(train))),
            Batches(dev, batch_size),
            read_column(encoded / "dev.parquet", "tags"),
            accelerator(precision),
        )

    @property
    def batches(self) -> TrainingBatches:
        """What a run goes through."""
        if self.labelled_share is not None:
            return LabelledShareBatches(self.parts, self.labelled_share)
        return MixedBatches(self.parts) if len(self.parts) > 1 else (self.parts or (self.train,))[0]

    def pieces(self) -> Tensor:
        """The word pieces that a run reads, in training and on development, each once."""
        splits = {id(of.encoded): of.encoded for of in (*(self.parts or (self.train,)), self.dev)}.values()
        special = {
            piece
            for layout in (split.layout for split in splits)
            for piece in (*layout.prefix, *layout.suffix, layout.pad, layout.unknown)
        }
        found = [split.pieces.distinct().long() for split in splits]
        return torch.cat([*found, torch.tensor(sorted(special))]).unique()

    @property
    def has_development_spans(self) -> bool:
        """Whether development can tell one epoch from another: it has a tag that is not O."""
        return any(tag != "O" for tags in self.gold for tag in tags)

    def development_f1(self, model: ChainTagger) -> float:
        """Span F1 on development, in percent."""
        predicted = predict(model, self.dev, self.accelerator)
        return compute_metrics(self.gold, predicted, scheme=model.tag_set.scheme).f1


def speed_up_training(model: ChainTagger, inputs: Inputs) -> Callable[[float], None]:
    """Spare the model's training steps what changes nothing: see used_pieces, dropout and attention.

    Args:
        model: on the CPU.
        inputs: all that it will read, until the function that is returned is called.

    Returns:
        A function that puts the unused embeddings back, multiplied by the number that it is given.
    """
    use_cpu_dropout(model)
    use_cpu_attention(model.encoder)
    return train_used_pieces(model.encoder, inputs.pieces())


@dataclass(frozen=True)
class Run:
    """What a run is called, and what the folder that it makes records of it.

    Attributes:
        method: "teacher", or the student's method.
        settings: the entry `distill.<method>`, or `fold` and `folds` of a fold's teacher, as JSON.
        seed: of data order and dropout.
        name: of its checkpoint and of its folder in LIVE, as "structural-1".
        label: in progress lines, as "structural, seed 1".
        scored_by: how many `teachers` and `folds` a student's scores come from.
    """

    method: str
    settings: Mapping[str, Any]
    seed: int
    name: str
    label: str
    scored_by: Mapping[str, int] = field(default_factory=dict)


def train_and_save(
    model: ChainTagger,
    inputs: Inputs,
    loss: Loss,
    settings: Training,
    run: Run,
    *,
    depends_on: Sequence[Path | dict[str, Any]],
    tokenizer: Path,
    root: Path,
    out: Path,
    tensorboard: bool = False,
) -> None:
    """Train `model`, going on from a checkpoint if one is there, and write it to the folder `out`.

    Args:
        model: newly made.
        inputs: see Inputs.
        loss: see training.loss.Loss.
        settings: of the run; the folder records them, but not the encoder's address.
        run: see Run.
        depends_on: what else decides the result (sealed folders, files, settings): a checkpoint made with
            anything other is not taken up.
        tokenizer: the folder whose tokenizer goes with the model.
        root: the DVC project, where checkpoints lie in CHECKPOINTS and live metrics in LIVE.
        out: the folder to write.
        tensorboard: whether these figures go to TensorBoard too.

    Raises:
        UserError, Interrupted: see training.loop.train.
    """
    restore_unused_embeddings = speed_up_training(model, inputs)
    model.to(inputs.accelerator.device)
    settings = _keep_last_without_spans(settings, inputs)
    key = run_key(run.name, settings.model_dump(), run.seed, run.settings, inputs.encoded, *depends_on)
    with (
        Checkpoint.hold(root / CHECKPOINTS, key) as checkpoint,
        live_metrics(
            root / LIVE / run.name, resumed=checkpoint.folder.exists(), tensorboard=tensorboard
        ) as live,
    ):
        history = train(
            model,
            inputs.batches,
            loss,
            settings,
            seed=run.seed,
            development=partial(inputs.development_f1, model),
            accelerator=inputs.accelerator,
            checkpoint=checkpoint,
            label=run.label,
            live=live,
        )
        length = settings.length(len(inputs.batches))
        taken = min(history.kept * length.steps_per_epoch, length.steps)
        restore_unused_embeddings(share_without_gradient(settings, length.steps, taken))
        if processes.is_first():
            save_model(out, model, tokenizer, history, _made(run, settings, inputs))


def _keep_last_without_spans(settings: Training, inputs: Inputs) -> Training:
    """The settings, but that the last epoch is kept where development cannot tell one from another."""
    choosing = {"keep": "last", "patience": None} if isinstance(settings, Student) else {"keep": "last"}
    allowed = settings.model_copy(update=choosing)
    if allowed == settings or inputs.has_development_spans:
        return settings
    log.warning(
        "every tag of the development split is O, so its F1 can neither choose an epoch nor stop the run "
        "early: the last epoch is kept; give a development split with spans, or set keep: last"
    )
    return allowed


def _made(run: Run, settings: Training, inputs: Inputs) -> dict[str, Any]:
    """What the folder records of the run that made it, as JSON."""
    training = settings.model_dump(mode="json", exclude={"encoder"})
    made = {"method": run.method, "settings": run.settings, "seed": run.seed, "training": training}
    agreement = {"development": AGREEMENT} if inputs.agreement else {}
    return {**made, **run.scored_by, **agreement}
