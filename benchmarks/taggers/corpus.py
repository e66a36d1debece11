"""The sentences of a run's corpus, as all taggers take them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pipeline.corpora.settings import SPLITS
from pipeline.corpora.tagging import Sentence, TagSet
from pipeline.encoding.split_file import load, read_sentences
from pipeline.errors import UserError
from pipeline.storage.sealed_folder import check


@dataclass(frozen=True)
class Corpus:
    """Words and tags in IOB2 of the splits; only sentences with words."""

    train: list[Sentence]
    dev: list[Sentence]
    test: list[Sentence]
    tag_set: TagSet

    @classmethod
    def read(cls, encoded: Path) -> Self:
        """The corpus in the folder `encoded`.

        Raises:
            UserError: a file is missing or damaged, or the tags are no spans, or a split has none.
        """
        check(encoded)
        tag_set = load(encoded / "test.parquet").tag_set
        if tag_set.scheme == "plain":
            raise UserError(
                f"{encoded}: the tags are plain, and spaCy's tagger finds spans; take another corpus"
            )
        splits: dict[str, list[Sentence]] = {}
        for split in SPLITS:
            sentences = [one for one in read_sentences(encoded / f"{split}.parquet") if one.words]
            if not sentences or any(one.tags is None for one in sentences):
                raise UserError(f"{encoded}: {split} has no labelled sentences, which all taggers need")
            splits[split] = sentences
        return cls(**splits, tag_set=tag_set)
