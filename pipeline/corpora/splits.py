"""The files of a corpus: fetched split by split, and read as params.yaml describes them."""

from collections.abc import Callable
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from pipeline.corpora.conll import Sentence, check_counts, hold_out, read_corpus
from pipeline.corpora.settings import Corpus, Split
from pipeline.corpora.textfile import refuse
from pipeline.errors import UserError
from pipeline.fetching.sources import fetch_dataset, fetch_file


def fetch_corpus(corpus: Corpus, folder: Path, *, mirror: Path | None) -> None:
    """Bring each split to `folder/<split>/`: one file under its own name, or the files of a data set.

    Args:
        corpus: what to fetch.
        folder: an empty folder.
        mirror: where files are looked for first, by name; data sets are not.

    Raises:
        UserError: see sources.fetch_file and sources.fetch_dataset.
    """
    for split, source in _splits(corpus).items():
        target = folder / split
        if corpus.format == "dataset":
            fetch_dataset(source, split, target)
        else:
            target.mkdir()
            name = _file_name(source) or split
            fetch_file(source, target / name, checksum=corpus.checksums.get(split), mirror=mirror)


def read_splits(folder: Path, corpus: Corpus) -> dict[str, list[Sentence]]:
    """Read train, dev and test; without a development file, the last `hold_out` of training become one.

    Raises:
        UserError: a file is not what `corpus` says of it, or `folder` holds another corpus.
    """
    splits = {}
    for split in _splits(corpus):
        path = _data(folder / split, corpus)
        splits[split] = read_file(path, corpus)
        sentences, words = corpus.counts.get(split, (None, None))
        check_counts(splits[split], path, expect_sentences=sentences, expect_words=words)
    if corpus.hold_out is not None:
        splits["train"], splits["dev"] = hold_out(splits["train"], corpus.hold_out)
    return {split: splits[split] for split in ("train", "dev", "test")}


def read_file(path: Path, corpus: Corpus, report: Callable[[str], None] = refuse) -> list[Sentence]:
    """Read a labelled file, or the folder of a data set, as `corpus` describes its own.

    `report` is called with each problem of a line, which is then skipped; it raises UserError unless given.

    Raises:
        UserError: the file is not what `corpus` says of it.
    """
    return read_corpus(
        path,
        format="arrow" if corpus.format == "dataset" else corpus.format,
        word=corpus.word,
        tag=corpus.tag,
        scheme=corpus.scheme,
        encoding=corpus.encoding,
        separator=corpus.separator,
        names=corpus.names,
        strict=corpus.strict,
        report=report,
    )


def _splits(corpus: Corpus) -> dict[Split, str]:
    """The source of each split that has one."""
    files = corpus.files
    sources: dict[Split, str | None] = {"train": files.train, "dev": files.dev, "test": files.test}
    return {split: source for split, source in sources.items() if source is not None}


def _file_name(source: str) -> str:
    """The last part of a path or address, without the .gz that is unpacked on the way."""
    path = urlsplit(source).path if "://" in source else source
    return PurePosixPath(path).name.removesuffix(".gz")


def _data(folder: Path, corpus: Corpus) -> Path:
    """What to read of a split's folder: its only file, or for a data set the folder itself."""
    files = list(folder.iterdir()) if folder.is_dir() else []
    if not files or (corpus.format != "dataset" and len(files) > 1):
        raise UserError(
            f"{folder}: was fetched for another corpus than params.yaml describes; run `dvc repro`"
        )
    return folder if corpus.format == "dataset" else files[0]
