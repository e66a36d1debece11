"""Token classifiers of `transformers`, as someone else has trained and saved them."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoConfig, AutoModelForTokenClassification

from pipeline.encoding.tokenization import load_tokenizer


def write_classifier(folder: Path, encoder: Path, labels: Sequence[str], **config: Any) -> Path:
    """A token classifier over the encoder, its last layer drawn at random; `config` goes into config.json."""
    settings = AutoConfig.from_pretrained(
        encoder, id2label=dict(enumerate(labels)), label2id={name: row for row, name in enumerate(labels)}
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        model = AutoModelForTokenClassification.from_pretrained(encoder, config=settings)
        torch.nn.init.normal_(model.classifier.weight, std=0.5)
        torch.nn.init.normal_(model.classifier.bias, std=0.5)
    shutil.copytree(encoder, folder)
    (folder / "model.safetensors").unlink()
    model.save_pretrained(folder)
    values = json.loads((folder / "config.json").read_text()) | config
    (folder / "config.json").write_text(json.dumps(values))
    return folder


@torch.inference_mode()
def logits_by_word(folder: Path, words: Sequence[str]) -> Tensor:
    """What the model in `folder` gives at the first piece of each word [L, M], as `transformers` runs it."""
    tokenizer = load_tokenizer(folder)  # its words stand behind a space
    model = AutoModelForTokenClassification.from_pretrained(folder).eval()
    pieces = tokenizer(list(words), is_split_into_words=True, return_tensors="pt")
    owners = pieces.word_ids()
    first = [owners.index(word) for word in range(len(words))]
    scores: Tensor = model(**pieces).logits[0, first]
    return scores
