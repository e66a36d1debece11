"""A finished tagger as a sealed folder: weights, tokenizer and how it was trained."""

import json
from dataclasses import asdict
from pathlib import Path

from pipeline.folder import check, new_folder
from pipeline.model import ChainTagger
from pipeline.tokenization import load_tokenizer
from pipeline.training import History

HISTORY = "history.json"
WEIGHTS = "model.safetensors"


def save_model(folder: Path, model: ChainTagger, encoder: Path, history: History) -> None:
    """Write the tagger with the tokenizer of its `encoder` folder; whole, or not at all."""
    with new_folder(folder) as aside:
        model.save_pretrained(aside)
        load_tokenizer(encoder).save_pretrained(aside)
        (aside / HISTORY).write_text(json.dumps(asdict(history), indent=1) + "\n")


def load_model(folder: Path) -> ChainTagger:
    """Read a tagger that `save_model` wrote.

    Raises:
        UserError: the folder is damaged, or holds none.
    """
    check(folder)
    return ChainTagger.load(folder)
