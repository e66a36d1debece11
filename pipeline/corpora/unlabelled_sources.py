"""Unlabelled text from its sources: each is fetched, read sentence by sentence, and removed again."""

import logging
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.corpora.settings import Corpus, Unlabelled
from pipeline.corpora.splits import check_links, check_pattern
from pipeline.corpora.tagging import Words
from pipeline.corpora.unlabelled_text import read_unlabelled
from pipeline.errors import UserError, one_line, shown_address
from pipeline.fetching.hub import split_files
from pipeline.fetching.sources import fetch_dataset, fetch_file, local_path

log = logging.getLogger(__name__)

SHOWN = 40  # words of a source's first sentence


def unlabelled_sentences(
    settings: Unlabelled, corpus: Corpus, place: Path, *, mirror: Path | None, say: Callable[[str], None]
) -> Generator[Words]:
    """The sentences of all sources in their order; a source is fetched when its first sentence is asked for.

    Args:
        settings: the sources, and how they are read.
        corpus: see `read_unlabelled`.
        place: a folder for the source that is read; what is fetched is removed behind its last sentence.
        mirror: where files are looked for first, by name; data sets are not.
        say: called for each source with one line: how it is read, and its first sentence.

    Raises:
        UserError: a source holds no sentence; and see sources.fetch_file, sources.fetch_dataset and
            `read_unlabelled`.
    """
    for source, checksum in _without_folders(settings):
        check_links(source)
        check_pattern(source)
        name = shown_address(source)
        with _fetched(source, checksum, settings, place, mirror) as path:
            text = read_unlabelled(path, name, settings, corpus)
            first = next(text.sentences, None)
            if first is None:
                raise UserError(f"{name}: holds no sentence; give text with one sentence a line")
            say(f"{name}: read as {text.read_as}; the first: {one_line(' | '.join(first[:SHOWN]))}")
            yield from chain([first], text.sentences)


@contextmanager
def _fetched(
    source: str, checksum: str | None, settings: Unlabelled, place: Path, mirror: Path | None
) -> Iterator[Path]:
    """The source as a file, unpacked, or as the folder of a data set."""
    with TemporaryDirectory(dir=place, prefix="fetched-") as folder:
        path = Path(folder, "text")
        if settings.format == "dataset":
            fetch_dataset(source, "train", path)
        else:
            fetch_file(source, path, checksum=checksum, mirror=mirror)
        yield path


def _without_folders(settings: Unlabelled) -> Iterator[tuple[str, str | None]]:
    """The sources, with the files of a folder in place of it; what hides behind a dot is no text."""
    suffixes = (".parquet", ".arrow") if settings.format == "dataset" else ("",)
    listed = [local_path(source) for source, _ in settings.sources() if "://" not in source]
    for source, checksum in settings.sources():
        contents = _contents(source, suffixes)
        if contents is None or (settings.format == "dataset" and _is_dataset(source, contents[0])):
            yield source, checksum
            continue
        check_links(source)
        files, folders = contents
        _tell_folders(source, files, folders, listed)
        if checksum is not None:
            raise UserError(f"unlabelled.checksums: {source} is a folder; name its files, or empty it")
        yield from ((str(path), None) for path in files)


def _tell_folders(
    source: str, files: Sequence[Path], folders: Sequence[Path], listed: Sequence[Path]
) -> None:
    """Warn of folders in a folder that are not `listed` as sources; refuse a folder without files."""
    if not files and not folders:
        raise UserError(f"{source}: is a folder without files; name another one, or a file")
    if not files:
        raise UserError(f"{source}: holds folders, but no files ({_names(folders)}); list these under files")
    if left_out := [path for path in folders if path not in listed]:
        log.warning(f"{source}: its folders are not read ({_names(left_out)}); list them under files, too")


def _names(paths: Sequence[Path]) -> str:
    return one_line(", ".join(path.name for path in paths))


def _contents(source: str, suffixes: tuple[str, ...]) -> tuple[list[Path], list[Path]] | None:
    """The files of a folder that end so, and the folders in it, in the order of names; None of no folder.

    What begins with a dot is left out.
    """
    if "://" in source:
        return None
    folder = local_path(source)
    try:
        if not folder.is_dir():
            return None
        visible = sorted(path for path in folder.iterdir() if path.name[0] != ".")
        files = [path for path in visible if path.is_file() and path.name.endswith(suffixes)]
        return files, [path for path in visible if path.is_dir()]
    except OSError as error:
        raise UserError(
            f"{source}: cannot be read ({error.strerror}); correct the path or its permissions"
        ) from None


def _is_dataset(source: str, files: Sequence[Path]) -> bool:
    """Whether a folder is read as a data set, by its training split, and not file by file."""
    names = [path.name for path in files]
    saved = (local_path(source) / "state.json").is_file()
    return saved or not files or 0 < len(split_files(source, names, "train")) < len(files)
