"""A finished tagger as a sealed folder: weights, tokenizer and how it was trained."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.encoding.tokenization import load_tokenizer
from pipeline.model.chain_tagger import ChainTagger
from pipeline.storage.sealed_folder import check, new_folder
from pipeline.training.loop import History

HISTORY = "history.json"
WEIGHTS = "model.safetensors"


def save_model(
    folder: Path, model: ChainTagger, encoder: Path, history: History, made: dict[str, Any] | None = None
) -> None:
    """Write the tagger with the tokenizer of its `encoder` folder; whole, or not at all.

    Args:
        folder: to write.
        model: the tagger.
        encoder: whose tokenizer goes with it.
        history: of its training.
        made: how a run made it (see runs.train_and_save), as JSON; None where no run did.
    """
    record = asdict(history) | ({} if made is None else {"made": made})
    with new_folder(folder) as aside:
        model.save_pretrained(aside)
        tokenizer = load_tokenizer(encoder)
        # Others than this project cut text by what the tokenizer says, and many say nothing.
        tokenizer.model_max_length = model.config.vocabulary["window"]
        tokenizer.save_pretrained(aside)
        (aside / HISTORY).write_text(json.dumps(record, indent=1) + "\n")


def load_model(folder: Path) -> ChainTagger:
    """Read a tagger that `save_model` wrote.

    Raises:
        UserError: the folder is damaged, or holds none.
    """
    check(folder)
    return ChainTagger.load(folder)
