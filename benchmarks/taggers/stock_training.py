"""The Trainer of `transformers` on a student's layers, with a token classifier's head.

As `defaults`, TrainingArguments is left as it is: 3 epochs of batches of 8 in random order, float32, learning
rate 5e-5. As `tuned`, it has the student's epochs, batch size, learning rate, warm-up and weight decay,
bfloat16 where the processor is fast at it, and sentences grouped by length. Both use fused AdamW, the
Trainer's default. After each epoch development is evaluated, and the best epoch is kept.
"""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
import torch
from transformers import (
    AutoModelForTokenClassification,
    AutoTokenizer,
    DataCollatorForTokenClassification,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from benchmarks.taggers.stock import IGNORED, examples
from pipeline.corpora.tagging import Sentence, TagSet
from pipeline.device import accelerator
from pipeline.encoding.pretrained import read_config
from pipeline.evaluation.metrics import compute_metrics
from pipeline.model.first_layers import first_layers
from pipeline.progress import progress
from pipeline.training.settings import Student

Form = Literal["defaults", "tuned"]
FORMS: tuple[Form, ...] = ("defaults", "tuned")


def train(
    form: Form,
    student: Student,
    encoder: Path,
    tag_set: TagSet,
    sentences: Sequence[Sentence],
    dev: Sequence[Sentence],
    out: Path,
    epochs: int | None = None,
) -> dict[str, Any]:
    """Train, and write the classifier with its tokenizer to the folder `out`.

    Args:
        form: see above.
        student: whose number of layers both forms have, and whose settings `tuned` has.
        encoder: the pretrained encoder.
        tag_set: of the corpus.
        sentences: the training sentences.
        dev: the development sentences, which choose the epoch.
        out: the folder.
        epochs: instead of the form's.
    """
    chosen = {
        "eval_strategy": "epoch",
        "save_strategy": "epoch",
        "save_only_model": True,
        "save_total_limit": 1,
        "load_best_model_at_end": True,
        "metric_for_best_model": "f1",
    }
    settings = (
        form_settings(form, student) | chosen | ({} if epochs is None else {"num_train_epochs": epochs})
    )
    with TemporaryDirectory() as folder:
        trainer = _trainer(
            f"Trainer, {form}", settings, student.layers, encoder, tag_set, sentences, dev, folder
        )
        trainer.train()
        trainer.save_model(str(out))
    return {}


def epoch_seconds(
    form: Form,
    student: Student,
    encoder: Path,
    tag_set: TagSet,
    sentences: Sequence[Sentence],
    batch_size: int | None = None,
) -> dict[str, float]:
    """Seconds (`training_seconds`) of one epoch, without development.

    Args:
        form, student, encoder, tag_set, sentences: as of `train`.
        batch_size: instead of the form's.
    """
    settings = form_settings(form, student) | {"num_train_epochs": 1, "save_strategy": "no"}
    if batch_size is not None:
        settings["per_device_train_batch_size"] = batch_size
    with TemporaryDirectory() as folder:
        trainer = _trainer(
            f"Trainer, {form}", settings, student.layers, encoder, tag_set, sentences, (), folder
        )
        began = time.perf_counter()
        trainer.train()
        return {"training_seconds": time.perf_counter() - began}


def form_settings(form: Form, student: Student) -> dict[str, Any]:
    """What TrainingArguments is given in a form."""
    if form == "defaults":
        return {}
    return {
        "num_train_epochs": student.epochs,
        "per_device_train_batch_size": student.batch_size,
        "per_device_eval_batch_size": student.batch_size,
        "learning_rate": student.learning_rate,
        "warmup_steps": student.warmup,
        "weight_decay": student.weight_decay,
        "max_grad_norm": student.max_grad_norm,
        "bf16": accelerator(student.precision).mixed_precision == "bf16",
        "optim": "adamw_torch_fused",
        "train_sampling_strategy": "group_by_length",
    }


class _Shown(TrainerCallback):
    """Shows the steps."""

    def __init__(self, label: str) -> None:
        self._label, self._open = label, ExitStack()

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Show the progress from here on."""
        self._meter = self._open.enter_context(progress(self._label, state.max_steps))

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """A step is done."""
        self._meter.advance(1)

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """All are done."""
        self._open.close()


def _trainer(
    label: str,
    settings: dict[str, Any],
    layers: int,
    encoder: Path,
    tag_set: TagSet,
    sentences: Sequence[Sentence],
    dev: Sequence[Sentence],
    folder: str,
) -> Any:
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    config = first_layers(read_config(encoder), layers, encoder)
    config.id2label = dict(enumerate(tag_set.tags))
    config.label2id = tag_set.index
    model = AutoModelForTokenClassification.from_pretrained(encoder, config=config, dtype=torch.float32)

    def data(split: Sequence[Sentence]) -> list[dict[str, list[int]]]:
        # A tag that the tag set lacks teaches nothing.
        labels = [[tag_set.index.get(tag, IGNORED) for tag in sentence.tags or ()] for sentence in split]
        return examples(tokenizer, [sentence.words for sentence in split], labels)

    def score(predicted: Any) -> dict[str, float]:
        asked = predicted.label_ids != IGNORED
        gold, found = (
            [tag_set.names(row[mask]) for row, mask in zip(rows, asked, strict=True)]
            for rows in (predicted.label_ids, np.argmax(predicted.predictions, -1))
        )
        return {"f1": compute_metrics(gold, found, scheme=tag_set.scheme).f1}

    trainer = Trainer(
        model=model,
        args=TrainingArguments(
            output_dir=folder, use_cpu=True, disable_tqdm=True, report_to="none", **settings
        ),
        train_dataset=data(sentences),
        eval_dataset=data(dev) if dev else None,
        data_collator=DataCollatorForTokenClassification(tokenizer),
        processing_class=tokenizer,
        compute_metrics=score,
        callbacks=[_Shown(label)],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer
