"""One training run as a stage makes it: inputs, F1 on development, checkpoint, finished folder."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

import torch
from accelerate import Accelerator
from torch import Tensor

from pipeline import processes
from pipeline.device import accelerator
from pipeline.encoding.batching import Batches
from pipeline.encoding.encoded import load, read_tags
from pipeline.encoding.mixed_batches import MixedBatches, SharedBatches
from pipeline.evaluation.metrics import AGREEMENT, compute_metrics
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
from pipeline.training.optimisation import share_without_gradient
from pipeline.training.settings import Student, Training


@dataclass(frozen=True)
class Inputs:
    """What teacher and students train on: the folder `encoded`, its splits laid out, and the device.

    gold: the tags of `dev`.
    parts: what a run goes through instead of `train` as a whole: its folds, and text without tags.
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
            read_tags(encoded / "dev.parquet"),
            accelerator(precision),
        )

    @property
    def batches(self) -> TrainingBatches:
        """What a run goes through."""
        if self.labelled_share is not None:
            return SharedBatches(self.parts, self.labelled_share)
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


def cheaper_steps(model: ChainTagger, inputs: Inputs) -> Callable[[float], None]:
    """Spare the model's training steps what changes nothing: see used_pieces and dropout.

    Args:
        model: on the CPU.
        inputs: all that it will read, until the function that is returned is called.

    Returns:
        A function that puts the unused embeddings back, multiplied by the number that it is given.
    """
    use_cpu_dropout(model)
    return train_used_pieces(model.encoder, inputs.pieces())


def train_and_save(
    model: ChainTagger,
    inputs: Inputs,
    loss: Loss,
    settings: Training,
    *,
    seed: int,
    method: str,
    method_settings: dict[str, Any],
    scored_by: dict[str, int] | None = None,
    depends_on: Sequence[Path | dict[str, Any]],
    tokenizer: Path,
    root: Path,
    out: Path,
    name: str,
    label: str,
    tensorboard: bool = False,
) -> None:
    """Train `model`, going on from a checkpoint if one is there, and write it to the folder `out`.

    Args:
        model: newly made.
        inputs: see Inputs.
        loss: see training.loss.Loss.
        settings: of the run.
        seed: of data order and dropout.
        method: "teacher", or the student's method.
        method_settings: the entry `distill.<method>`, as JSON. The folder records both, the seed and the
            training settings, but not the encoder's address.
        scored_by: how many `teachers` and `folds` a student's scores come from, which the folder records too.
        depends_on: what else decides the result (sealed folders, files, settings): a checkpoint made with
            anything other is not taken up.
        tokenizer: the folder whose tokenizer goes with the model.
        root: the DVC project, where checkpoints lie in CHECKPOINTS and figures of unfinished runs in LIVE.
        out: the folder to write.
        name: of its checkpoint and of its folder in LIVE, as "structural-1".
        label: of the run in progress lines, as "structural, seed 1".
        tensorboard: whether these figures go to TensorBoard too.

    Raises:
        UserError, Interrupted: see training.loop.train.
    """
    put_unused_back = cheaper_steps(model, inputs)
    model.to(inputs.accelerator.device)
    choosing = {"keep": "last", "patience": None} if isinstance(settings, Student) else {"keep": "last"}
    if settings.model_copy(update=choosing) != settings and not inputs.has_development_spans:
        logging.warning(
            "every tag of the development split is O, so that it cannot choose the best epoch, nor end the "
            "run: the last of all epochs is kept; give a development split with spans, or set keep: last"
        )
        settings = settings.model_copy(update=choosing)
    facts = (settings.model_dump(), seed, method_settings, inputs.encoded, *depends_on)
    key = run_key(name, *facts)
    with (
        Checkpoint.hold(root / CHECKPOINTS, key) as checkpoint,
        live_metrics(root / LIVE / name, resumed=checkpoint.folder.exists(), tensorboard=tensorboard) as live,
    ):
        history = train(
            model,
            inputs.batches,
            loss,
            settings,
            seed=seed,
            development=partial(inputs.development_f1, model),
            accelerator=inputs.accelerator,
            checkpoint=checkpoint,
            label=label,
            live=live,
        )
        length = settings.length(len(inputs.batches))
        taken = min(history.kept * length.every, length.steps)
        put_unused_back(share_without_gradient(settings, length.steps, taken))
        training = settings.model_dump(mode="json", exclude={"encoder"})
        made = {"method": method, "settings": method_settings, "seed": seed, "training": training}
        made |= scored_by or {}
        if inputs.agreement:
            made["development"] = AGREEMENT
        if processes.is_first():
            save_model(out, model, tokenizer, history, made)
