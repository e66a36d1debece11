"""The files of a corpus: fetched split by split, and read as params.yaml describes them."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path, PurePath, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from pipeline.corpora.conll import read_conll
from pipeline.corpora.lines import refuse
from pipeline.corpora.records import read_arrow, read_jsonl
from pipeline.corpora.settings import SPLITS, Corpus, Split
from pipeline.corpora.split_warnings import split_warnings
from pipeline.corpora.stored_sentences import stored
from pipeline.corpora.tagging import Sentence
from pipeline.errors import UserError, counted
from pipeline.fetching.archives import unpacked_name
from pipeline.fetching.sources import fetch_dataset, fetch_file, local_path

log = logging.getLogger(__name__)

WATCHED = Path("data/own")
"""The folder of the user's files, a dependency of the stage `download`."""


def fetch_corpus(corpus: Corpus, folder: Path, *, mirror: Path | None) -> None:
    """Bring each split to `folder/<split>/`: a file under its own name, or the files of a data set.

    Where a split has a list of sources, each goes into a folder of its own: `folder/<split>/1/`, …. Without a
    test split an empty file keeps its folder, on which the stage `text` depends.

    Args:
        corpus: what to fetch.
        folder: an empty folder.
        mirror: where files are looked for first, by name; data sets are not.

    Raises:
        UserError: a source lies behind a linked folder in data/own, which DVC does not watch, or is a
            pattern; and see sources.fetch_file and sources.fetch_dataset.
    """
    for split in corpus.files.by_split():
        fetch_split(corpus, split, folder, mirror=mirror)
    if not (folder / "test").exists():
        (folder / "test").mkdir()
        (folder / "test" / "none").touch()


def fetch_split(corpus: Corpus, split: Split, folder: Path, *, mirror: Path | None) -> None:
    """Bring one split, as `fetch_corpus` does.

    Raises:
        UserError: as `fetch_corpus`.
    """
    by_split, checksums = corpus.files.by_split(), corpus.checksums_of(split)
    sources = by_split[split]
    others = {PurePath(one) for other, given in by_split.items() if other != split for one in given}
    for place, source, checksum in zip(_places(folder / split, sources), sources, checksums, strict=True):
        check_links(source)
        check_pattern(source)
        place.parent.mkdir(exist_ok=True)
        if corpus.format == "dataset":
            fetch_dataset(source, split, place, shared=PurePath(source) in others)
        else:
            place.mkdir()
            name = _file_name(source) or split
            fetch_file(source, place / name, checksum=checksum, mirror=mirror)


def read_splits(folder: Path, corpus: Corpus, scratch: Path) -> dict[Split, Sequence[Sentence]]:
    """Read train, dev and test; without a development file, the last `hold_out` of training become one.

    A split without files is empty. What `split_warnings` says of them is logged.

    Args:
        folder: what `fetch_corpus` brought.
        corpus: the entry.
        scratch: a folder for large splits, which are read from it by each pass (see `stored_sentences`).

    Raises:
        UserError: a file is not what `corpus` says of it, or `folder` holds another corpus.
    """
    splits: dict[Split, Sequence[Sentence]] = {}
    for split in corpus.files.by_split():
        splits[split] = read_split(folder, corpus, split, scratch)
    if corpus.hold_out is not None:
        splits["train"], splits["dev"] = hold_out(splits["train"], corpus.hold_out)
    for warning in split_warnings(splits, corpus.scheme):
        log.warning(warning)
    return {split: splits.get(split, []) for split in SPLITS}


def read_split(folder: Path, corpus: Corpus, split: Split, scratch: Path) -> Sequence[Sentence]:
    """Read the files of one split, with the arguments of `read_splits`.

    Raises:
        UserError: as `read_splits`.
    """
    paths = fetched_files(folder, corpus, split)
    sentences = stored(
        (sentence for path in paths for sentence in read_labelled_file(path, corpus)), scratch / split
    )
    check_counts(sentences, ", ".join(map(str, paths)), corpus.counts.get(split))
    return sentences


def fetched_files(folder: Path, corpus: Corpus, split: Split) -> list[Path]:
    """What `fetch_corpus` brought for a split: a file for each source, or the folder of a data set.

    Raises:
        UserError: `folder` holds another corpus.
    """
    found = []
    for place in _places(folder / split, corpus.files.by_split()[split]):
        files = list(place.iterdir()) if place.is_dir() else []
        if not files or (corpus.format != "dataset" and (len(files) > 1 or not files[0].is_file())):
            raise UserError(
                f"{place}: was fetched for another corpus than params.yaml describes; run `dvc repro`"
            )
        found.append(place if corpus.format == "dataset" else files[0])
    return found


def read_labelled_file(
    path: Path,
    corpus: Corpus,
    report: Callable[[str], None] = refuse,
    warn: Callable[[str], None] = log.warning,
) -> Iterator[Sentence]:
    """Read a labelled file, or the folder of a data set, as `corpus` describes its own.

    `report` is called with each problem of a line, which is then skipped; it raises UserError unless given.
    `warn` is called with what is odd about the file as a whole; it is logged unless given.

    Raises:
        UserError: the file is not what `corpus` says of it.
    """
    settings: dict[str, Any] = {
        "scheme": corpus.scheme,
        "strict": corpus.strict,
        "report": report,
        "warn": warn,
    }
    settings |= {key: column for key in ("word", "tag") if (column := getattr(corpus, key)) is not None}
    if corpus.format == "dataset":
        return read_arrow(path, names=corpus.names, **settings)
    settings["encoding"] = corpus.encoding
    if corpus.format == "jsonl":
        return read_jsonl(path, names=corpus.names, **settings)
    return read_conll(path, separator=corpus.separator, comment=corpus.comment, **settings)


def hold_out(sentences: Sequence[Sentence], count: int) -> tuple[Sequence[Sentence], Sequence[Sentence]]:
    """Split the last `count` sentences off, as development: (the rest, the last ones).

    Raises:
        UserError: nothing would be left on one side.
    """
    if not 0 < count < len(sentences):
        raise UserError(
            f"hold_out: {count:,} of {counted(len(sentences), 'sentence')} cannot be held out; "
            "choose fewer than there are, and at least 1"
        )
    return sentences[:-count], sentences[-count:]


def check_counts(sentences: Sequence[Sentence], name: str, expected: tuple[int, int] | None) -> None:
    """Compare a split with its published numbers of sentences and words, if there are any.

    Raises:
        UserError: it differs; the message starts with `name` and gives both numbers.
    """
    if expected is None:
        return
    found = len(sentences), sum(len(sentence.words) for sentence in sentences)
    for noun, count, wanted in zip(("sentence", "word"), found, expected, strict=True):
        if count != wanted:
            raise UserError(
                f"{name}: holds {counted(count, noun)}, but {wanted:,} are expected; "
                "fetch the right file or correct the corpus's counts"
            )


def _places(folder: Path, sources: Sequence[str]) -> list[Path]:
    """The folder of each source of a split."""
    return [folder] if len(sources) == 1 else [folder / str(n) for n in range(1, len(sources) + 1)]


def check_links(source: str) -> None:
    """Refuse a source that lies behind a linked folder in WATCHED: DVC does not look into it.

    Raises:
        UserError: naming the folder, or the source cannot be looked at.
    """
    path, watched = Path(source).absolute(), WATCHED.absolute()
    for folder in (path, *path.parents):
        try:
            linked = watched in folder.parents and folder.is_symlink() and folder.is_dir()
        except OSError as error:
            raise UserError(f"{source}: cannot be read ({error.strerror}); correct the path") from None
        if linked:
            raise UserError(
                f"{WATCHED / folder.relative_to(watched)}: is a link to a folder, whose edits DVC does not "
                "see; copy the folder here, or link its files one by one"
            )


def check_pattern(source: str) -> None:
    """Refuse a source that is no file but a pattern of several.

    Raises:
        UserError: naming it.
    """
    if "://" in source or not {"*", "?"} & set(source):
        return
    with suppress(OSError):  # which whoever reads the source tells
        if not local_path(source).exists():
            raise UserError(f"{source}: there is no such file; patterns are not expanded; list the files")


def _file_name(source: str) -> str:
    """The last part of a path or address, without the .gz or .zst that is unpacked on the way."""
    path = PurePosixPath(urlsplit(source).path) if "://" in source else PurePath(source)
    return unpacked_name(path.name)
