"""A finished tagger as a sealed folder: weights, tokenizer and how it was trained."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from pipeline.encoding.pretrained import refused
from pipeline.encoding.tokenization import check_vocabulary, load_tokenizer, tokenizer_identity
from pipeline.errors import UserError
from pipeline.model.chain_tagger import ChainTagger
from pipeline.storage.file_names import CONFIG, HISTORY
from pipeline.storage.sealed_folder import SEAL, check, new_folder


@dataclass(frozen=True)
class Epoch:
    """One epoch: a pass over the training sentences, or `student.evaluate_every` steps.

    loss: mean per sentence.
    development_f1: span F1 in percent.
    """

    epoch: int
    loss: float
    development_f1: float

    def __str__(self) -> str:
        """As a progress line says it."""
        return f"epoch {self.epoch}, loss {self.loss:.4f}, development F1 {self.development_f1:.2f}"


@dataclass(frozen=True)
class History:
    """All epochs of a run, and the number (from 1) of the one whose weights were kept.

    Of a model that was not trained here: no epochs, and 0.
    """

    epochs: list[Epoch]
    kept: int


def save_model(
    folder: Path, model: ChainTagger, encoder: Path, history: History, made: dict[str, Any] | None = None
) -> None:
    """Write the tagger with the tokenizer of its `encoder` folder; whole, or not at all.

    Args:
        folder: to write.
        model: the tagger.
        encoder: whose tokenizer goes with it.
        history: of its training.
        made: how a run made it (see training.run.train_and_save), as JSON; None where no run did.
    """
    record = asdict(history) | ({} if made is None else {"made": made})
    with new_folder(folder) as aside:
        model.save_pretrained(aside)
        tokenizer = load_tokenizer(encoder)
        # Others than this project cut text by what the tokenizer says, and many say nothing.
        tokenizer.model_max_length = model.config.input_layout["window"]
        tokenizer.save_pretrained(aside)
        text = json.dumps(record, indent=1) + "\n"
        (aside / HISTORY).write_text(text, encoding="utf-8", newline="\n")


def load_model(folder: Path) -> ChainTagger:
    """Read a tagger that `save_model` wrote.

    Raises:
        UserError: the folder is damaged, or holds none.
    """
    check(folder)
    return ChainTagger.load(folder)


def load_model_and_tokenizer(folder: Path) -> tuple[ChainTagger, Any]:
    """The tagger in `folder` in evaluation mode, and the tokenizer that it was trained with: for text.

    A folder with a seal is checked against it; one from a hub has none.

    Raises:
        UserError: the folder is damaged, its encoder cannot be run, or its tokenizer is another.
    """
    if (folder / SEAL).exists():
        check(folder)
    model = ChainTagger.load(folder).eval()
    if model.config.input_layout is None:
        raise UserError(f"{folder / CONFIG}: has no input_layout; train the model again")
    tokenizer = load_tokenizer(folder)
    model.check_pieces(tokenizer_identity(tokenizer))
    check_vocabulary(tokenizer, model.encoder.config, folder)
    layout = model.config.input_layout
    with refused(f"{folder}: its encoder cannot be run"), torch.inference_mode():
        ids = torch.tensor([[*layout["prefix"], layout["unknown"], *layout["suffix"]]])
        first = torch.tensor([[len(layout["prefix"])]])
        model(ids, torch.ones_like(ids), first, torch.ones(1, dtype=torch.int64))
    return model, tokenizer
