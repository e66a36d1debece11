"""A training run of a few steps on a tiny tagger."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.device import accelerator
from pipeline.encoding.batching import Batches
from pipeline.encoding.split_file import load
from pipeline.model.chain_tagger import ChainTagger
from pipeline.model.model_folder import History
from pipeline.storage.checkpoint import Checkpoint
from pipeline.training.loop import reproducible, train
from pipeline.training.loss import Loss, gold_loss
from pipeline.training.settings import Training

SETTINGS = Training(epochs=2, batch_size=6, learning_rate=1e-3, head_learning_rate=1e-2, precision="float32")


class Case:
    """What a run needs; `run` makes a new student of it and trains it."""

    def __init__(self, encoder: Path, corpus: Path, checkpoint: Path) -> None:
        self.encoder = encoder
        self.batches = Batches(load(corpus / "train.parquet"), SETTINGS.batch_size)
        self.checkpoint = Checkpoint(checkpoint)

    @property
    def steps(self) -> int:
        """In one epoch."""
        return len(self.batches)

    def student(self, seed: int = 1) -> ChainTagger:
        reproducible(seed)
        return ChainTagger.from_encoder(self.encoder, self.batches.encoded, layers=1)

    @property
    def saved_step(self) -> int:
        """How many steps the checkpoint holds; 0 without one."""
        saved = self.checkpoint.load()
        return int(saved[1]["step"]) if saved else 0

    def run(
        self,
        loss: Loss = gold_loss,
        *,
        seed: int = 1,
        model: ChainTagger | None = None,
        development: Callable[[ChainTagger], float] | None = None,
        **settings: Any,
    ) -> tuple[ChainTagger, History]:
        """The trained model and its history. `development` defaults to a number made from the weights."""
        student = model or self.student(seed)
        judge = development or _from_weights
        history = train(
            student,
            self.batches,
            loss,
            SETTINGS.model_copy(update=settings),
            seed=seed,
            development=lambda: judge(student),
            accelerator=accelerator("float32"),
            checkpoint=self.checkpoint,
            label="test",
        )
        return student, history


def _from_weights(model: ChainTagger) -> float:
    return float(model.emission.weight.detach().abs().mean() * 100)
