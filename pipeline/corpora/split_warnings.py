"""What makes a corpus a bad basis for a tagger or a metric, though each of its lines is valid."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from pipeline.corpora.schemes import FileScheme
from pipeline.corpora.sentence_hashes import Hashes, hashes_of_equivalent
from pipeline.corpora.settings import Split
from pipeline.corpora.stored_sentences import groups
from pipeline.corpora.tagging import Sentence, TagSet, types_of
from pipeline.corpora.words import is_unspaced
from pipeline.errors import counted, one_line

ENOUGH_OF_A_TYPE = 50  # sentences with a type, below which a tagger learns it badly
ENOUGH_TO_TRAIN = 300  # sentences; with 300 and batches of 16, 6 epochs are 114 steps
NAMED = 10  # types in one message
SHARED = 0.1  # share of a split's sentences; in CoNLL-2003, whose headlines repeat, it is 0.06 at most


def split_warnings(splits: Mapping[Split, Sequence[Sentence]], scheme: FileScheme) -> Iterator[str]:
    """One line for each thing that is odd about labelled splits, and what to do.

    Args:
        splits: those that are there.
        scheme: of the file; decides whether tags are spans.
    """
    for split, sentences in splits.items():
        lines = (*tag_warnings(sentences, scheme), *word_warnings(sentences))
        yield from (f"{split}: {line}" for line in lines)
    if "train" not in splits:
        return
    train = splits["train"]
    if len(train) < ENOUGH_TO_TRAIN:
        verb = "makes" if len(train) == 1 else "make"
        yield (
            f"train: {counted(len(train), 'sentence')} {verb} for few training steps; raise epochs or lower "
            "batch_size, of the teacher and of the student, or label more"
        )
    yield from (f"train: {line}" for line in rare_types(train, scheme))
    yield from shared_sentences(splits)
    known = TagSet.from_sentences(train, scheme=scheme)
    for split in splits:
        missing = known.missing(splits[split])
        if missing:
            yield (
                f"{split}: {counted(missing.total(), 'word')} with tags that training does not have, and no "
                f"tagger trained here can give ({listed(missing)}); move such sentences to training, or "
                "correct the tags"
            )


def shared_sentences(splits: Mapping[Split, Sequence[Sentence]]) -> Iterator[str]:
    """A line for two splits that share more sentences than in good corpora, as where a file is named twice.

    A sentence takes 8 bytes of memory.
    """
    hashes = {split: _hashes(sentences) for split, sentences in splits.items()}
    pairs: tuple[tuple[Split, Split], ...] = (("dev", "train"), ("test", "train"), ("test", "dev"))
    for split, earlier in pairs:
        if split not in hashes or earlier not in hashes:
            continue
        total, shared = len(hashes[split]), int(np.isin(hashes[split], hashes[earlier]).sum())
        if shared > SHARED * total:
            verb = "is" if shared == 1 else "are"
            yield (
                f"{split}: {shared:,} of {counted(total, 'sentence')} {verb} in {earlier} too, word for "
                f"word, so F1 on {split} is too optimistic; take them out of {earlier}, or correct the "
                "corpus's files"
            )


def _hashes(sentences: Iterable[Sentence]) -> Hashes:
    """The hash of each sentence's words."""
    found = [hashes_of_equivalent(sentence.words for sentence in some) for some in groups(sentences)]
    return np.concatenate(found)


def tag_warnings(sentences: Iterable[Sentence], scheme: FileScheme) -> Iterator[str]:
    """A line if all words have one tag: there is nothing to learn and nothing to score."""
    tags = {tag for sentence in sentences for tag in sentence.tags or ()}
    if tags == {"O"} or (scheme == "plain" and len(tags) == 1):
        what = "" if scheme == "plain" else ", so that there is no span"
        yield f"every tag is {tags.pop()}{what}; correct the settings tag or scheme, or label the words"


def word_warnings(sentences: Iterable[Sentence]) -> Iterator[str]:
    """A line if words are clauses of a script without spaces, each of which gets one tag."""
    found = [sentence for sentence in sentences if is_unspaced(sentence.words)]
    if found:
        clause = one_line(max(found[0].words, key=len), 40)
        yield (
            f"{counted(len(found), 'sentence')} with clauses of a script without spaces in place of words "
            f"(the first: {clause}); give each word, or each character, a row and a tag of its own"
        )


def rare_types(sentences: Sequence[Sentence], scheme: FileScheme) -> Iterator[str]:
    """A line if some types (plain tags) are in fewer sentences than ENOUGH_OF_A_TYPE."""
    found: Counter[str] = Counter()
    for sentence in sentences:
        found.update(types_of(sentence.tags or (), scheme))
    rare = Counter({kind: count for kind, count in found.items() if count < ENOUGH_OF_A_TYPE})
    if rare:
        yield (
            f"fewer than {ENOUGH_OF_A_TYPE} sentences have {listed(rare)}, too few to learn them "
            "reliably; label more sentences with them"
        )


def listed(counts: Counter[str]) -> str:
    """Names with their numbers in alphabetical order, the first NAMED of them."""
    names = [f"{name} ({count:,})" for name, count in sorted(counts.items())]
    more = [f"{len(names) - NAMED:,} more"] if len(names) > NAMED else []
    return ", ".join(names[:NAMED] + more)
