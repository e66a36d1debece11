"""Word-level scores or probabilities from elsewhere, as a teacher like any other.

Parquet files with a row per sentence and two columns: `words`, a list of strings, and `probabilities` or
`scores`, a list with one struct per word that has a field for each tag (docs/any-teacher.md). Rows may stand
in any order, and those of sentences that are not asked for are skipped. The chain that comes out has
transitions, start and end of 0: each word stands for itself.
"""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from zlib import crc32

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

from pipeline.corpora.sentence_hashes import hashes_of_words
from pipeline.errors import UserError, counted, one_line
from pipeline.scores.settings import Dump
from pipeline.scores.shards import ChainParameters, Origin
from pipeline.scores.write_store import FinishedShards, ScoredBatch, write_scores
from pipeline.storage.sealed_folder import write_empty

log = logging.getLogger(__name__)

LEAST = 1e-12  # a probability below it counts as this much, so that its logarithm stays finite
_SUM = 1e-2  # how far a word's probabilities may be from a sum of 1
_ROWS = 1024  # read at a time
_ADVICE = "see docs/any-teacher.md for the columns of such a file"


def import_scores(
    folder: Path,
    words: Sequence[Sequence[str]],
    settings: Dump,
    *,
    origin: Origin,
    checkpoint: Path,
    out: Path,
) -> None:
    """Write the scores of sentences from the Parquet files in `folder`; without sentences, an empty folder.

    Args:
        folder: the files.
        words: of each sentence of the split.
        settings: how the store is cut and written.
        origin: what the scores come from; its tags are the columns of the store.
        checkpoint: the folder of finished shards.
        out: the folder to write.

    Raises:
        UserError: a file is no such Parquet file, its tags are not the corpus', a word's numbers are no
            scores or no distribution, or a sentence of the split is in no file.
    """
    if not words:
        write_empty(out)
        return
    finished = FinishedShards(checkpoint, len(words))
    tags = len(origin.tags)
    write_scores(
        out,
        _rows(_files(folder), folder, words, origin.tags),
        origin=origin,
        parameters=ChainParameters(torch.zeros(tags, tags), torch.zeros(tags), torch.zeros(tags)),
        sentences=len(words),
        shard_sentences=settings.shard_sentences,
        dtype=settings.dtype,
        finished=finished,
    )


def _files(folder: Path) -> list[Path]:
    """All files of the folder but those that describe it (its seal, what `save_to_disk` adds)."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".json")


def _rows(
    files: Sequence[Path], folder: Path, words: Sequence[Sequence[str]], tags: Sequence[str]
) -> Iterator[ScoredBatch]:
    """The scores of the sentences that the files have."""
    wanted = _Wanted(words)
    for file in files:
        row = 0
        for sentences, lists, kind in _batches(file):
            for numbers, ids in zip(lists, wanted.ids(sentences.to_pylist()), strict=True):
                row += 1
                if not ids:
                    continue
                where = f"{_shown(file, folder)}: row {row}"
                emissions = _emissions(numbers.values, len(words[ids[0]]), tags, kind, where)
                if wanted.are_new(ids, emissions, where):
                    count = torch.full((len(ids),), len(emissions))
                    yield torch.tensor(ids), count, emissions.repeat(len(ids), 1)
    wanted.warn_of_other_scores()
    wanted.refuse_missing()


class _Wanted:
    """The sentences of the split, found by their words, and which of them have scores by now."""

    def __init__(self, words: Sequence[Sequence[str]]) -> None:
        self._words = words
        hashes = hashes_of_words(words)
        self._order = hashes.argsort(kind="stable")
        self._hashes = hashes[self._order]
        self._found = np.zeros(len(words), bool)
        self._sums = np.zeros(len(words), np.uint32)  # CRC of the scores, to know others of the same words
        self._others, self._first_other = 0, ""

    def ids(self, sentences: Sequence[list[str] | None]) -> Iterator[list[int]]:
        """For each of `sentences`, the ids of those in the split with the same words."""
        hashes = hashes_of_words(map(str, sentence or ()) for sentence in sentences)
        for sentence, key in zip(sentences, hashes, strict=True):
            first, last = (int(self._hashes.searchsorted(key, side)) for side in ("left", "right"))
            yield [i for i in self._order[first:last].tolist() if [*self._words[i]] == sentence]

    def are_new(self, ids: list[int], emissions: Tensor, where: str) -> bool:
        """Whether the row `where` is the first with scores of these sentences; notes it if others differ."""
        held = crc32(emissions.numpy().tobytes())
        if not self._found[ids[0]]:
            self._found[ids], self._sums[ids] = True, held
            return True
        if held != self._sums[ids[0]]:
            self._others, self._first_other = self._others + 1, self._first_other or where
        return False

    def warn_of_other_scores(self) -> None:
        """Warn where a row had other scores than an earlier one of the same words."""
        if self._others:
            log.warning(
                f"dump.scores: {self._first_other}: the first of {counted(self._others, 'row')} with other "
                "scores than an earlier row of the same words; the earlier row counts"
            )

    def refuse_missing(self) -> None:
        """Raise UserError where a sentence was in no row."""
        if not self._found.all():
            missing = int(self._found.argmin())
            raise UserError(
                f"dump.scores: {int((~self._found).sum()):,} of {len(self._words):,} sentences are in no "
                f"row, first sentence {missing} ({one_line(' '.join(self._words[missing]), 60)}); add them "
                "with exactly these words"
            )


def _batches(file: Path) -> Iterator[tuple[pa.ListArray, pa.ListArray, str]]:
    """The columns `words` and `probabilities` or `scores` of some rows, and which of the two it is."""
    try:
        with pq.ParquetFile(file) as opened:
            kind = _kind_of_scores(opened.schema_arrow, file.name)
            for batch in opened.iter_batches(_ROWS, columns=["words", kind], use_threads=False):
                batch.validate(full=True)
                yield batch.column("words"), batch.column(kind), kind
    except UserError:
        raise
    except Exception as error:  # damaged bytes raise errors of several kinds in pyarrow
        raise UserError(f"{file.name}: cannot be read as Parquet ({one_line(error)}); {_ADVICE}") from None


def _kind_of_scores(schema: pa.Schema, file: str) -> str:
    """Which of `probabilities` and `scores` the columns of a file hold.

    Raises:
        UserError: they hold not one of them, no words, or are of other types.
    """
    kinds = [name for name in ("probabilities", "scores") if name in schema.names]
    if [schema.names.count(name) for name in ("words", *kinds)] != [1, 1]:
        raise UserError(
            f"{file}: needs the column `words`, and one of `probabilities` and `scores`; it has "
            f"{one_line(', '.join(schema.names))}; {_ADVICE}"
        )
    (kind,) = kinds
    scores, words = schema.field(kind).type, schema.field("words").type
    if not _is_list(scores) or not pa.types.is_struct(scores.value_type):
        raise UserError(f"{file}: {kind} is {one_line(scores, 60)}, not a list of structs; {_ADVICE}")
    if not _is_list(words) or not _is_text(words.value_type):
        raise UserError(f"{file}: words is {one_line(words, 60)}, not a list of strings; {_ADVICE}")
    tags = [field.name for field in scores.value_type]
    if twice := [tag for tag in tags if tags.count(tag) > 1]:
        raise UserError(f"{file}: {kind} has {one_line(twice[0], 60)} twice; leave one out")
    for field in scores.value_type:
        if not _is_number(field.type):
            tag, held = one_line(field.name, 60), one_line(field.type, 60)
            raise UserError(f"{file}: {kind} of {tag} is {held}, not a number; {_ADVICE}")
    return kind


def _emissions(
    numbers: pa.StructArray | None, length: int, tags: Sequence[str], kind: str, where: str
) -> Tensor:
    """The emissions [length, N] of a sentence."""
    if numbers is None or len(numbers) != length:
        held = 0 if numbers is None else len(numbers)
        raise UserError(f"{where} has {kind} of {held} words, and {length} words; give one struct per word")
    names = [field.name for field in numbers.type]
    if unknown := [name for name in names if name not in tags]:
        raise UserError(
            f"{where} has {kind} of the tags {one_line(', '.join(names))}, and the corpus has "
            f"{one_line(', '.join(tags))}; rename or leave out {one_line(unknown[0], 60)}"
        )
    if kind == "scores" and (absent := [tag for tag in tags if tag not in names]):
        raise UserError(f"{where} has no score of {one_line(absent[0], 60)}; give one for every tag")
    values = np.zeros((length, len(tags)))
    for place, tag in enumerate(tags):
        if tag in names:
            column = numbers.field(tag)
            if kind == "scores" and column.null_count:
                raise UserError(f"{where} has no score of {tag} for a word; give one for every tag")
            values[:, place] = column.fill_null(0).to_numpy(zero_copy_only=False)
    return _checked(values, kind, where)


def _checked(values: npt.NDArray[np.float64], kind: str, where: str) -> Tensor:
    """Scores as they are, probabilities as their logarithms; float32 [words, N]."""
    if not np.isfinite(values).all():
        raise UserError(f"{where} has {kind} that are NaN or infinite; correct them")
    if kind == "scores":
        scores = torch.from_numpy(values).float()
        if not scores.isfinite().all():
            raise UserError(f"{where} has scores beyond ±3.4e38, which float32 cannot hold; scale them down")
        return scores
    total = values.sum(1)
    least = values.min(1, initial=0.0)
    if (bad := (least < 0) | (np.abs(total - 1) > _SUM)).any():
        word = int(bad.argmax())
        wrong = f"of which one is {least[word]:.4g}" if least[word] < 0 else f"that sum to {total[word]:.4g}"
        raise UserError(
            f"{where} has probabilities of word {word + 1} {wrong}; they must be 0 or more and sum to 1"
        )
    return torch.from_numpy(np.log(np.maximum(values, LEAST))).float()


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _shown(file: Path, folder: Path) -> str:
    return one_line(file.relative_to(folder), 80)
