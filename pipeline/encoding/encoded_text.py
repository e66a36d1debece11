"""Unlabelled text as word pieces, some thousand sentences at a time."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pyarrow as pa

from pipeline.corpora.augmentation import augmented_sentences
from pipeline.corpora.tagging import Scheme
from pipeline.corpora.text_shards import read_shards
from pipeline.corpora.unlabelled_corpus import KeptSentences
from pipeline.encoding.encoded import encode_words
from pipeline.encoding.split_file import load, read_sentences, save
from pipeline.encoding.tokenization import load_tokenizer, tokenizer_identity
from pipeline.errors import UserError
from pipeline.storage.file_names import TEXT
from pipeline.storage.sealed_folder import check, new_folder

_SEED = 0  # of the choices in augmented sentences


def encode_text(text: Path, out: Path, *, encoder: Path, encoded: Path, augmented: int = 0) -> None:
    """Write the sentences of a text as a split without tags to `out`.

    Args:
        text: what the stage `text` wrote; empty where there are only augmented sentences.
        out: the folder to write.
        encoder: whose tokenizer cuts the words.
        encoded: a corpus that was encoded with it, whose layout and tag set the split gets.
        augmented: sentences per training sentence of that corpus (see corpora.augmentation); they come last.

    Raises:
        UserError: a folder is damaged, the corpus was encoded with another tokenizer, or augmentation
            changes no sentence.
    """
    given = bool(check(text))
    check(encoder)
    check(encoded)
    header = load(encoded / "train.parquet")
    tokenizer = load_tokenizer(encoder)
    if tokenizer_identity(tokenizer) != header.layout.identity:
        raise UserError(
            f"{encoded}: was encoded with a tokenizer other than that of {encoder}; run `dvc repro`"
        )
    words = chain(read_shards(text) if given else (), _augmented(encoded, augmented, header.tag_set.scheme))
    if (first := next(words, None)) is None:
        raise UserError(
            "unlabelled.augmented: the labelled sentences share no type and no neighbouring words, so "
            "nothing in them can be replaced; set it to 0"
        )
    with new_folder(out) as folder:
        tables = (encode_words(group, tokenizer, header.layout) for group in chain([first], words))
        save(tables, folder / TEXT, header.tag_set, header.layout)


def _augmented(encoded: Path, copies: int, scheme: Scheme) -> Iterator[pa.Array]:
    """The words of the augmented sentences, each once and none of the test split."""
    if not copies:
        return
    train, test = ([*read_sentences(encoded / f"{split}.parquet")] for split in ("train", "test"))
    if not train:
        raise UserError(
            "unlabelled.augmented: no training sentence is labelled, so there is none to augment; set it to 0"
        )
    for group in KeptSentences(test, None).groups(
        augmented_sentences(train, copies, scheme=scheme, seed=_SEED)
    ):
        yield pa.array(group, pa.list_(pa.string()))
