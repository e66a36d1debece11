"""What labelled files hold and all that is wrong with them, before anything is trained on them."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePath
from typing import Any

from pipeline.corpora.settings import Corpus, Split
from pipeline.corpora.split_warnings import rare_types, split_warnings, tag_warnings, word_warnings
from pipeline.corpora.splits import check_counts, fetch_split, fetched_files, hold_out, read_labelled_file
from pipeline.corpora.stored_sentences import stored
from pipeline.corpora.tagging import Sentence
from pipeline.encoding.tokenization import load_tokenizer
from pipeline.errors import UserError, shown_address
from pipeline.fetching.sources import check_source, fetch_file
from pipeline.storage.scratch import scratch_folder

log = logging.getLogger(__name__)

SHOWN = 20  # problems of a file, or warnings, that a report lists


@dataclass(frozen=True)
class FileFindings:
    """A file as its corpus's readers see it.

    words, tags: how often each occurs; spans are counted as IOB2, which is what they are trained as.
    problems: one line each with file and line (or row), the first SHOWN; what stands there is not counted.
    more_problems: how many there are beyond these.
    """

    sentences: int
    words: Counter[str]
    tags: Counter[str]
    problems: tuple[str, ...]
    more_problems: int = 0


@dataclass(frozen=True)
class Findings:
    """What is found in one file, or in all files of an entry.

    files: by their names.
    warnings: what does not stop training but makes for a bad tagger, one line each.
    problems: what is wrong with the files together.
    """

    files: Mapping[str, FileFindings]
    warnings: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def wrong(self) -> bool:
        """Whether there is any problem."""
        return bool(self.problems or any(file.problems for file in self.files.values()))


def check_file(path: Path, corpus: Corpus) -> Findings:
    """Read one file, or the folder of a data set, as `corpus` describes its files.

    Raises:
        UserError: `path` is a pipe or a device.
    """
    check_source(str(path))
    with scratch_folder() as scratch:
        fetched = path
        if corpus.format != "dataset":
            fetch_file(str(path), fetched := scratch / "file")
        sentences, found = _look_at(fetched, corpus, scratch / "sentences", name=str(path))
        warnings = [*tag_warnings(sentences, corpus.scheme), *word_warnings(sentences)]
        return Findings({str(path): found}, (*warnings, *rare_types(sentences, corpus.scheme)))


def check_entry(corpus: Corpus, *, mirror: Path | None) -> Findings:
    """Fetch and read all files of an entry, and compare the splits with each other and with its settings.

    Args:
        corpus: the entry.
        mirror: see `fetch_corpus`.
    """
    files: dict[str, FileFindings] = {}
    splits: dict[Split, Sequence[Sentence]] = {}
    problems: list[str] = []
    with scratch_folder() as folder, scratch_folder() as scratch:
        for split, sources in corpus.files.by_split().items():
            with _collected(problems.append):
                fetch_split(corpus, split, folder, mirror=mirror)
                splits[split] = []
                parts: list[Sequence[Sentence]] = []
                for source, fetched in zip(sources, fetched_files(folder, corpus, split), strict=True):
                    place, name = scratch / f"{split}-{len(parts)}", shown_address(source)
                    sentences, found = _look_at(fetched, corpus, place, name=name)
                    shown = f"{split}: {name}"
                    files[shown if shown not in files else f"{shown} ({len(parts) + 1})"] = found
                    parts.append(sentences)
                splits[split] = stored(chain(*parts), scratch / split)
                check_counts(splits[split], split, corpus.counts.get(split))
        if not splits.get("train"):
            return Findings(files, (), tuple(problems))
        if corpus.hold_out is not None:
            with _collected(problems.append):
                splits["train"], splits["dev"] = hold_out(splits["train"], corpus.hold_out)
        return Findings(files, tuple(split_warnings(splits, corpus.scheme)), tuple(problems))


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
    if not findings.files and not findings.problems:
        yield "no files: the corpus names none, and nothing was checked"
        return
    place = encoder or (usual if usual.exists() else None)
    tokenizer = load_tokenizer(place) if place else None
    for name, file in findings.files.items():
        if len(findings.files) > 1:
            yield name
        yield from _file_lines(file, tokenizer, usual)
        if len(findings.files) > 1:
            yield ""
    if findings.warnings:
        yield from _listed("warnings", findings.warnings)
    if findings.problems:
        yield from _listed("problems of the corpus", findings.problems)


def _look_at(
    path: Path, corpus: Corpus, place: Path, *, name: str
) -> tuple[Sequence[Sentence], FileFindings]:
    """Read a file, whatever is wrong with it, under its `name`; many sentences are kept in the file `place`.

    What concerns the whole file (its encoding, its line ends, a column that does not exist) ends the reading
    and is the last problem; nothing is counted then.
    """
    problems: list[str] = []
    more = 0

    def report(problem: str) -> None:
        nonlocal more
        if len(problems) < SHOWN:
            problems.append(_named(problem, path, name))
        else:
            more += 1

    sentences: Sequence[Sentence] = []
    with _collected(report):
        found = read_labelled_file(path, corpus, report, lambda told: log.warning(_named(told, path, name)))
        sentences = stored(found, place)
    words = Counter(word for sentence in sentences for word in sentence.words)
    tags = Counter(tag for sentence in sentences for tag in sentence.tags or ())
    return sentences, FileFindings(len(sentences), words, tags, tuple(problems), more)


def _named(told: str, path: Path, name: str) -> str:
    """A message about `path`, a copy of the source `name`, as one about the source."""
    copied = path / PurePath(name).name  # where the source is one file of a data set
    if path.is_dir() and copied.is_file():
        told = told.replace(str(copied), name)
    return told.replace(str(path), name)


@contextmanager
def _collected(report: Callable[[str], None]) -> Iterator[None]:
    """Report the UserError that ends the block, if any, as a problem."""
    try:
        yield
    except UserError as error:
        report(str(error))


def _file_lines(file: FileFindings, tokenizer: Any, usual: Path) -> Iterator[str]:
    words = file.words.total()
    yield f"sentences: {file.sentences:,}"
    yield f"words: {words:,}, {len(file.words):,} of them different"
    if tokenizer is not None:
        broken = broken_words(file.words, tokenizer)
        yield f"words in several pieces: {broken:,}, {broken / max(words, 1):.1%}"
    else:
        yield (
            f"words in several pieces: not known, as there is no {usual}; "
            "run `dvc repro download@encoder`, or name an encoder's folder with --encoder"
        )
    yield f"tags: {len(file.tags):,}"
    width = max(map(len, file.tags), default=0)
    for tag, often in sorted(file.tags.items(), key=lambda item: (-item[1], item[0])):
        yield f"  {tag:<{width}} {often:>9,}"
    yield from _listed("problems", file.problems, file.more_problems)


def _listed(title: str, lines: Sequence[str], more: int = 0) -> Iterator[str]:
    """A title with the number of the lines and of `more` beyond them, and the first SHOWN."""
    yield f"{title}: {len(lines) + more:,}"
    yield from (f"  {line}" for line in lines[:SHOWN])
    if left := len(lines[SHOWN:]) + more:
        yield f"  … and {left:,} more"
