"""A split of any number of sentences, cut into word pieces and written some thousand sentences at a time."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pipeline.corpora.stored_sentences import groups
from pipeline.corpora.tagging import Sentence, TagSet
from pipeline.encoding.encoded import encode
from pipeline.encoding.input_layout import InputLayout
from pipeline.encoding.split_file import save


def encode_split(
    sentences: Iterable[Sentence], tokenizer: Any, path: Path, tag_set: TagSet, layout: InputLayout
) -> None:
    """Write what `encoded.save` writes of the whole split: see there.

    Args:
        sentences: of the split, all with tags.
        tokenizer: cuts their words.
        path: the file to write.
        tag_set: of the split.
        layout: of the encoder's input.
    """
    save((encode(some, tokenizer, layout) for some in groups(sentences)), path, tag_set, layout)
