"""Unlabelled text as the pipeline keeps it: no sentence twice, and none of the test split."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from unicodedata import category

import numpy as np

from pipeline.corpora.seen_sentences import SeenSentences
from pipeline.corpora.sentence_hashes import Hashes, hashes_of_equivalent
from pipeline.corpora.settings import Corpus, Unlabelled
from pipeline.corpora.tagging import Sentence, Words
from pipeline.corpora.text_shards import ROWS, write_shards
from pipeline.corpora.unlabelled_sources import unlabelled_sentences
from pipeline.errors import UserError, counted
from pipeline.progress import progress
from pipeline.storage.sealed_folder import new_folder

log = logging.getLogger(__name__)


class KeptSentences:
    """The sentences to keep: up to `limit`, each once, none of the test split.

    Attributes:
        sentences, words: kept so far.
        repeated, in_test: left out so far: sentences that came before, and sentences of the test split.
    """

    def __init__(self, test: Iterable[Sentence], limit: int | None) -> None:
        """Take the test split; None keeps all others."""
        self._test = np.unique(_hashes_without_spaces([sentence.words for sentence in test]))
        self._seen = SeenSentences()
        self._limit = limit
        self.sentences = self.words = self.repeated = self.in_test = 0

    def groups(self, sentences: Iterator[Words]) -> Iterator[list[Words]]:
        """The sentences to keep, some thousand at a time; reads at most ROWS beyond the last one kept."""
        while group := list(islice(sentences, ROWS)):
            in_test = np.isin(_hashes_without_spaces(group), self._test)
            first = self._seen.first(hashes_of_equivalent(group)) & ~in_test
            places = first.nonzero()[0]
            looked_at = len(group)  # what comes behind the last sentence that is kept is not counted
            if self._limit is not None and len(places) >= (missing := self._limit - self.sentences):
                places = places[:missing]
                looked_at = int(places[-1]) + 1
            kept = [group[place] for place in places]
            self.sentences += len(kept)
            self.words += sum(map(len, kept))
            self.in_test += int(in_test[:looked_at].sum())
            self.repeated += int((~first & ~in_test)[:looked_at].sum())
            if kept:
                yield kept
            if self.sentences == self._limit:
                return


def _hashes_without_spaces(sentences: Sequence[Words]) -> Hashes:
    """The hash of each sentence without what does not show, so that it is known however it is cut into words.

    Spaces inside words go too: text may be cut where the test split has a word of two parts. So do control
    and format characters: raw text is cut without those that stand alone.
    """
    return hashes_of_equivalent([_visible("".join("".join(words).split()))] for words in sentences)


def _visible(text: str) -> str:
    """Without characters of the categories Cc and Cf."""
    if text.isprintable():  # most are
        return text
    return "".join(letter for letter in text if category(letter) not in ("Cc", "Cf"))


def write_unlabelled_text(
    settings: Unlabelled,
    corpus: Corpus,
    test: Iterable[Sentence],
    out: Path,
    *,
    mirror: Path | None,
    say: Callable[[str], None],
) -> None:
    """Write the words of the sentences to keep to the sealed folder `out`; memory holds some thousand.

    Beside these, a sentence takes 8 bytes, and 16 at times (see SeenSentences).

    Args:
        settings: what text, and how much of it.
        corpus: the task's, for how text is cut.
        test: the sentences of its test split, which are left out.
        out: the folder.
        mirror: where files are looked for first.
        say: called with each line of what is read, and with their number at the end.

    Raises:
        UserError: no sentence is left; and see `unlabelled_sentences`.
    """
    kept = KeptSentences(test, settings.sentences)
    with new_folder(out) as folder:
        with TemporaryDirectory(dir=folder, prefix="sources-") as place:
            found = unlabelled_sentences(settings, corpus, Path(place), mirror=mirror, say=say)
            with closing(found):
                write_shards(_watched(kept, found, settings.sentences), folder)
        if not kept.sentences:
            raise UserError(
                "unlabelled.files: hold no sentence that is not in the test split; name other files"
            )
    if kept.repeated or kept.in_test:
        log.warning(
            f"unlabelled text: left out {counted(kept.repeated, 'sentence')} that came before, and "
            f"{kept.in_test:,} of the test split"
        )
    if settings.sentences is not None and kept.sentences < settings.sentences:
        log.warning(
            f"unlabelled.sentences: {settings.sentences:,} are asked for, but there are {kept.sentences:,}"
        )
    say(f"{counted(kept.sentences, 'sentence')}, {counted(kept.words, 'word')}")


def _watched(kept: KeptSentences, sentences: Iterator[Words], limit: int | None) -> Iterator[list[Words]]:
    """The groups that `kept` keeps, with their progress."""
    with progress("text", limit) as meter:
        for group in kept.groups(sentences):
            yield group
            meter.advance(len(group))
