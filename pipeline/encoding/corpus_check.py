"""What a labelled file holds and all that is wrong with it, before anything is trained on it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.corpora.settings import Corpus
from pipeline.corpora.splits import read_file
from pipeline.encoding.tokenization import load_tokenizer
from pipeline.errors import UserError


@dataclass(frozen=True)
class Findings:
    """A file as its corpus's readers see it.

    words, tags: how often each occurs; spans are counted as IOB2, which is what they are trained as.
    problems: one line each with file and line (or row); what stands there is not counted.
    """

    sentences: int
    words: Counter[str]
    tags: Counter[str]
    problems: tuple[str, ...]


def look_at(path: Path, corpus: Corpus) -> Findings:
    """Read `path` as `corpus` describes its files, whatever is wrong with it.

    What concerns the whole file (its encoding, its line ends, a column that does not exist) ends the reading
    and is the last problem; nothing is counted then.
    """
    problems: list[str] = []
    try:
        sentences = read_file(path, corpus, problems.append)
    except UserError as error:
        problems.append(str(error))
        sentences = []
    return Findings(
        len(sentences),
        Counter(word for sentence in sentences for word in sentence.words),
        Counter(tag for sentence in sentences for tag in sentence.tags or ()),
        tuple(problems),
    )


def broken_words(words: Counter[str], tokenizer: Any) -> int:
    """How many of the words, each as often as it occurs, `tokenizer` cuts into several pieces."""
    if not words:
        return 0
    pieces = tokenizer(list(words), add_special_tokens=False)["input_ids"]
    return sum(often for often, cut in zip(words.values(), pieces, strict=True) if len(cut) > 1)


def report(findings: Findings, encoder: Path | None, *, usual: Path) -> Iterator[str]:
    """The findings as lines of text.

    Args:
        findings: what to tell.
        encoder: the folder whose tokenizer is asked which words it breaks.
        usual: the folder to take if `encoder` is None; if it is not there, that is said.

    Raises:
        UserError: the encoder has no usable tokenizer.
    """
    words = findings.words.total()
    yield f"sentences: {findings.sentences:,}"
    yield f"words: {words:,}, {len(findings.words):,} of them different"
    if encoder or usual.exists():
        broken = broken_words(findings.words, load_tokenizer(encoder or usual))
        yield f"words in several pieces: {broken:,}, {broken / max(words, 1):.1%}"
    else:
        yield (
            f"words in several pieces: not known, as there is no {usual}; "
            "run `dvc repro download@encoder`, or name an encoder's folder with --encoder"
        )
    yield f"tags: {len(findings.tags):,}"
    width = max(map(len, findings.tags), default=0)
    for tag, often in sorted(findings.tags.items(), key=lambda item: (-item[1], item[0])):
        yield f"  {tag:<{width}} {often:>9,}"
    yield f"problems: {len(findings.problems):,}"
    yield from (f"  {problem}" for problem in findings.problems)
