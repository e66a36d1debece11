"""Texts and sentences as 8 bytes each, by which they are found again."""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from unicodedata import normalize

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]


def hashes_of(texts: Sequence[str]) -> Hashes:
    """The hash [S] of each text: the first 8 bytes of its BLAKE2b."""
    digests = b"".join(blake2b(text.encode(), digest_size=8).digest() for text in texts)
    return np.frombuffer(digests, np.dtype("<u8")).astype(np.uint64)


def hashes_of_words(sentences: Iterable[Iterable[str]]) -> Hashes:
    """The hash [S] of the words of each sentence: the same words in the same order have the same one."""
    return hashes_of(["\0".join(words) for words in sentences])


def hashes_of_equivalent(sentences: Iterable[Iterable[str]]) -> Hashes:
    """`hashes_of_words` in Unicode's form NFC, so that é and e with a combining accent are one."""
    return hashes_of([normalize("NFC", "\0".join(words)) for words in sentences])
