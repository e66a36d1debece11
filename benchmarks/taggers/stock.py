"""A token classifier of `transformers`, as its examples use one: the first piece of a word has its tag."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer, DataCollatorForTokenClassification

from benchmarks.taggers.tagger import Sentences, Tag

IGNORED = -100
"""The label of pieces that have none: special ones, and those of a word behind its first."""


def load(folder: Path) -> Tag:
    """The classifier in `folder`, in float32; a batch is padded to its longest sentence."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForTokenClassification.from_pretrained(folder, dtype=torch.float32).eval()
    names = [model.config.id2label[column] for column in range(model.config.num_labels)]
    padded = DataCollatorForTokenClassification(tokenizer)

    @torch.inference_mode()
    def tag(sentences: Sentences) -> list[list[str]]:
        rows = examples(tokenizer, sentences, [[0] * len(words) for words in sentences])
        batch = padded(rows)
        asked = batch.pop("labels") != IGNORED
        columns = model(**batch).logits.argmax(-1)
        found = [
            [names[column] for column in row[mask].tolist()] for row, mask in zip(columns, asked, strict=True)
        ]
        # Words behind the encoder's window are cut off, and have no tag.
        return [tags + ["O"] * (len(words) - len(tags)) for tags, words in zip(found, sentences, strict=True)]

    return tag


def examples(
    tokenizer: Any, sentences: Sentences, labels: Sequence[Sequence[int]]
) -> list[dict[str, list[int]]]:
    """Sentences as pieces, cut off at the encoder's window, with each word's label at its first piece."""
    cut = tokenizer([list(words) for words in sentences], is_split_into_words=True, truncation=True)
    rows = []
    for row, of_words in enumerate(labels):
        words = cut.word_ids(row)
        firsts = [
            word is not None and word != before for word, before in zip(words, [None, *words], strict=False)
        ]
        placed = [of_words[word] if first else IGNORED for word, first in zip(words, firsts, strict=True)]
        rows.append({name: values[row] for name, values in cut.items()} | {"labels": placed})
    return rows
