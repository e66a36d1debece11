"""spaCy's CNN tagger: what `spacy init config --pipeline ner` and `spacy train` make on a CPU.

A blank English pipeline with `ner` over the CNN `tok2vec` (hashed embeddings, no vectors), all settings as
spaCy recommends them for a CPU: training ends when development has not risen for 1,600 steps, or after
20,000, and the best checkpoint is kept. Words are the corpus's; spaCy's tokenizer is not asked.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import spacy
from spacy.cli.init_config import init_config
from spacy.tokens import Doc, DocBin, Span
from spacy.training.initialize import init_nlp
from spacy.training.loop import train as train_pipeline

from pipeline.corpora.tagging import Sentence, spans

BEST = "model-best"


def train(
    sentences: Sequence[Sentence], dev: Sequence[Sentence], out: Path, steps: int | None = None
) -> dict[str, Any]:
    """Train, and write the folder `out`, where BEST is the tagger.

    Args:
        sentences: the training sentences, in IOB2.
        dev: the development sentences, which choose the checkpoint.
        out: the folder.
        steps: at most so many, instead of spaCy's 20,000.
    """
    out.mkdir(parents=True)
    files = {"train": out / "train.spacy", "dev": out / "dev.spacy"}
    write_docs(sentences, files["train"])
    write_docs(dev, files["dev"])
    config = init_config(lang="en", pipeline=["ner"], optimize="efficiency", gpu=False)
    config["paths"] |= {split: str(path) for split, path in files.items()}
    if steps is not None:
        config["training"]["max_steps"] = steps
    train_pipeline(init_nlp(config, use_gpu=-1), out, use_gpu=-1)
    return {}


def write_docs(sentences: Sequence[Sentence], path: Path) -> None:
    """Write sentences as spaCy's corpus reader takes them.

    Documents made from words alone do not say where spaces stood, so that the reader takes the words as they
    are, and asks no tokenizer.
    """
    vocab, stored = spacy.blank("en").vocab, DocBin()
    for sentence in sentences:
        doc = Doc(vocab, words=list(sentence.words))
        places = spans(sentence.tags or (), scheme="iob2")
        doc.ents = [Span(doc, first, after, kind) for kind, first, after in places]
        stored.add(doc)
    stored.to_disk(path)
