"""The files of a corpus: fetched split by split, and read as params.yaml describes them."""

from pathlib import Path

from pipeline.corpus import Sentence, check_counts, hold_out, read_conll
from pipeline.params import Corpus
from pipeline.sources import fetch_file


def fetch_corpus(corpus: Corpus, folder: Path, *, mirror: Path | None) -> None:
    """Bring each split's file to `folder/<split>/`, under its own name.

    Raises:
        UserError: see sources.fetch_file.
    """
    for split, source in corpus.files.model_dump(exclude_none=True).items():
        (folder / split).mkdir()
        name = source.rpartition("/")[2].removesuffix(".gz")
        fetch_file(source, folder / split / name, checksum=corpus.checksums.get(split), mirror=mirror)


def read_splits(folder: Path, corpus: Corpus) -> dict[str, list[Sentence]]:
    """Read train, dev and test; without a development file, the last `hold_out` of training become one.

    Raises:
        UserError: a file is not what `corpus` says of it.
    """
    splits = {}
    for split in corpus.files.model_dump(exclude_none=True):
        (path,) = (folder / split).iterdir()
        splits[split] = read_conll(
            path,
            word=corpus.word,
            tag=corpus.tag,
            scheme=corpus.scheme,
            encoding=corpus.encoding,
            strict=corpus.strict,
        )
        sentences, words = corpus.counts.get(split, (None, None))
        check_counts(splits[split], path, expect_sentences=sentences, expect_words=words)
    if corpus.hold_out is not None:
        splits["train"], splits["dev"] = hold_out(splits["train"], corpus.hold_out)
    return {split: splits[split] for split in ("train", "dev", "test")}
