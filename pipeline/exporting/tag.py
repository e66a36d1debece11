"""Tag words with the network beside this file. It needs onnxruntime, tokenizers and numpy, and nothing else.

python tag.py [--constrained] [FILE]     one sentence a line, words between spaces; writes word<TAB>tag lines

What would be misread is refused with file and line, as by `predict --input words` of the project.

From Python: Tagger("FOLDER")([["Anna", "left", "Paris", "."]]) gives one list of tags per sentence.
Sentences longer than the encoder's window are read in several windows that overlap, as in training.
"""

import argparse
import json
import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import BinaryIO, TextIO

import numpy as np
from tokenizers import Tokenizer

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # or ONNX Runtime reports its use to Microsoft
import onnxruntime

BATCH = 32  # sentences that are decoded at once
PIECES = 128  # that the network reads at once, or one window: of more, the activations leave a core's cache
CHUNK, CHUNK_WORDS = 1024, 80_000  # that are read ahead, to put sentences of like length together
LONGEST_LINE, MOST_WORDS = 200_000, 40_000  # characters and words of a sentence
MOST_BYTES = 4 * LONGEST_LINE + 5  # of such a line with a byte order mark and a Windows line end
MARK = "\ufeff"  # byte order mark
ROW = re.compile(r"\S.*[ \t](?:O|[BILUES]-\S+)[ \t]*")  # a word, maybe more columns, and a tag of spans
ROWS = 5  # that look like columns before a warning
DOCUMENT = re.compile(r"-DOCSTART-(?:[,;|]|$)")  # a word that readers of columns take for a document's start

Window = tuple[int, list[int], list[int]]  # number of its sentence, pieces, places of words' first pieces


class InputError(Exception):
    """A line cannot be tagged; one line that names it."""


class FolderError(Exception):
    """A file of the folder is missing, damaged or cannot be read; one line that names it."""


@contextmanager
def reading(path: Path) -> Iterator[Path]:
    """Turn whatever is raised while `path` is read into a FolderError."""
    try:
        with path.open("rb"):  # the libraries raise no OSError
            pass
        yield path
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise FolderError(f"{path}: missing; copy the whole folder") from None
    except PermissionError as error:
        raise FolderError(f"{path}: cannot be read ({error.strerror}); change its permissions") from None
    except Exception as error:  # of several libraries
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise FolderError(f"{path}: damaged ({reason}); copy the whole folder again") from None


class Tagger:
    """Called with sentences (lists of words), it returns their tags."""

    def __init__(
        self,
        folder: "str | Path" = ".",
        *,
        threads: int | None = None,
        constrained: bool = False,
    ) -> None:
        """The tagger in `folder`.

        Args:
            folder: this file's folder.
            threads: that the network uses; None: one for each core.
            constrained: give only tag sequences that the scheme allows.

        Raises:
            FolderError: a file is missing, damaged or cannot be read.
        """
        with reading(Path(folder, "tagger.json")) as path:
            self.read_settings(path, constrained)
        with reading(Path(folder, "tokenizer.json")) as path:
            self.tokenizer = Tokenizer.from_file(str(path))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        with reading(Path(folder, "model.onnx")) as path:
            self.network = onnxruntime.InferenceSession(
                str(path),
                options,
                providers=["CPUExecutionProvider"],
                disabled_optimizers=["SkipLayerNormFusion"],  # whose kernel is slower than those it replaces
            )

    def read_settings(self, path: Path, constrained: bool) -> None:
        """Take tags, chain and the layout of pieces from `path`."""
        settings = json.loads(path.read_text(encoding="utf-8"))
        self.tags = settings["tags"]
        self.transitions, self.start, self.end = (
            np.array(settings[name], np.float32) for name in ("transitions", "start", "end")
        )
        if constrained and settings["scheme"] == "iob2":
            starts, follows = iob2_constraints(self.tags)
            self.start = np.where(starts, self.start, -np.inf)
            self.transitions = np.where(follows, self.transitions, -np.inf)
        self.prefix, self.suffix = settings["prefix"], settings["suffix"]
        self.pad, self.unknown = settings["pad"], settings["unknown"]
        self.overlap = settings["overlap"]
        self.capacity = settings["window"] - len(self.prefix) - len(self.suffix)

    def __call__(self, sentences: list[list[str]]) -> list[list[str]]:
        """The tags of each sentence, in their order.

        Raises:
            TypeError: a sentence is a string and no list of words.
        """
        if any(isinstance(sentence, str) for sentence in sentences):
            raise TypeError("a sentence is a string; give lists of words, such as sentence.split()")
        pieces = self.cut(sentences)
        tags: list[list[str]] = [[] for _ in sentences]
        order = sorted(
            (row for row in range(len(sentences)) if sentences[row]), key=lambda row: -len(pieces[row])
        )
        for low in range(0, len(order), BATCH):
            rows = order[low : low + BATCH]
            for row, path in zip(rows, self.decode([pieces[row] for row in rows]), strict=True):
                tags[row] = [self.tags[tag] for tag in path]
        return tags

    def cut(self, sentences: list[list[str]]) -> list[list[list[int]]]:
        """The pieces of every word of every sentence. A word that has none becomes the unknown piece."""
        distinct = list(dict.fromkeys(word for words in sentences for word in words))
        encoded = self.tokenizer.encode_batch(distinct, add_special_tokens=False)
        pieces = {word: one.ids or [self.unknown] for word, one in zip(distinct, encoded, strict=True)}
        return [[pieces[word] for word in words] for words in sentences]

    def decode(self, sentences: list[list[list[int]]]) -> list[list[int]]:
        """The best path of each sentence, given the pieces of its words."""
        emissions = self.emissions(sentences)
        lengths = np.array([len(scores) for scores in emissions])
        padded = np.zeros((len(emissions), lengths.max(), len(self.tags)), np.float32)
        for row, scores in enumerate(emissions):
            padded[row, : len(scores)] = scores
        paths = viterbi(padded, lengths, self.transitions, self.start, self.end)
        return [path[:length].tolist() for path, length in zip(paths, lengths, strict=True)]

    def emissions(self, sentences: list[list[list[int]]]) -> list[np.ndarray]:
        """The score of every tag for every word, [words, tags] for each sentence."""
        windows = [(row, *window) for row, words in enumerate(sentences) for window in self.windows(words)]
        scores: list[list[np.ndarray]] = [[] for _ in sentences]
        for some in in_batches(windows):
            ids = np.full((len(some), max(len(pieces) for _, pieces, _ in some)), self.pad, np.int64)
            mask = np.zeros_like(ids)
            for i, (_, pieces, _) in enumerate(some):
                ids[i, : len(pieces)] = pieces
                mask[i, : len(pieces)] = 1
            (found,) = self.network.run(["emissions"], {"input_ids": ids, "attention_mask": mask})
            for i, (row, _, places) in enumerate(some):
                scores[row].append(found[i, places])
        return [np.concatenate(parts) for parts in scores]

    def windows(self, words: list[list[int]]) -> Iterator[tuple[list[int], list[int]]]:
        """Inputs of the network, each with the places of the first pieces of the words it is read for."""
        pieces = [piece for word in words for piece in word]
        bounds = np.cumsum([0] + [len(word) for word in words]).tolist()
        plan = plan_windows(bounds, self.capacity, self.overlap)
        ends = [first for _, _, first in plan[1:]] + [len(words)]
        for (start, stop, first), end in zip(plan, ends, strict=True):
            places = [len(self.prefix) + bounds[word] - start for word in range(first, end)]
            yield self.prefix + pieces[start:stop] + self.suffix, places


def in_batches(windows: list[Window]) -> Iterator[list[Window]]:
    """Neighbouring windows together, as many as have PIECES pieces when they are padded, or one."""
    batch: list[Window] = []
    longest = 0
    for window in windows:
        longest = max(longest, len(window[1]))
        if batch and longest * (len(batch) + 1) > PIECES:
            yield batch
            batch, longest = [], len(window[1])
        batch.append(window)
    if batch:
        yield batch


def plan_windows(bounds: list[int], capacity: int, overlap: int) -> list[tuple[int, int, int]]:
    """Windows (first piece, last piece + 1, first word that is read here and not in the window before).

    `bounds` are the first pieces of a sentence's words, and its end.
    """
    windows, word, words, first = [], 0, len(bounds) - 1, 0
    while True:
        start, stop = bounds[word], word + 1
        while stop < words and bounds[stop + 1] - start <= capacity:
            stop += 1
        windows.append((start, min(bounds[stop], start + capacity), first))
        if stop == words:
            return windows
        following = stop
        while (
            following - 1 > word
            and bounds[stop] - bounds[following - 1] <= overlap
            and bounds[stop + 1] - bounds[following - 1] <= capacity
        ):
            following -= 1
        word, first = following, (following + stop + 1) // 2


def iob2_constraints(tags: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Whether a tag may come first [N], and whether it may follow another [N, N], rows the previous tag.

    I-TYPE must follow B-TYPE or I-TYPE, unless the tags have no B-TYPE; every other tag may stand anywhere.
    """
    starts = np.array([not tag.startswith("I-") or "B" + tag[1:] not in tags for tag in tags])
    continues = np.array([[before[1:] == tag[1:] for tag in tags] for before in tags])
    return starts, starts | continues


def viterbi(
    emissions: np.ndarray, lengths: np.ndarray, transitions: np.ndarray, start: np.ndarray, end: np.ndarray
) -> np.ndarray:
    """The best tags [B, L] under emissions [B, L, N]; rows of `transitions` are the previous tag.

    Sums are float64: those of a long sentence are too large for float32.
    """
    batch, size, tags = emissions.shape
    score = start + emissions[:, 0].astype(np.float64)
    previous = np.zeros((size, batch, tags), np.int64)
    for word in range(1, size):
        ways = score[:, :, None] + transitions
        previous[word] = ways.argmax(1)
        inside = (word < lengths)[:, None]
        score = np.where(inside, ways.max(1) + emissions[:, word], score)
    paths = np.zeros((batch, size), np.int64)
    tag = (score + end).argmax(1)
    for word in range(size - 1, -1, -1):
        paths[:, word] = tag
        tag = np.where(word < lengths, previous[word, np.arange(batch), tag], tag)
    return paths


def read_sentences(file: BinaryIO, name: str) -> Iterator[list[str]]:
    """The words of each line; `name` is the file's, for messages.

    Raises:
        InputError: at the first line that is no sentence of words between spaces.
    """
    rows = 0  # that look like columns; -1: another line came before the warning
    for number, line in read_lines(file, name):
        words = re.findall(r"[^ \t]+", line)
        if problem := problem_of(line, words, begins=rows == 0):
            raise InputError(f"{name}:{number}: {problem}")
        if words and rows >= 0:
            rows = rows + 1 if ROW.fullmatch(line) else -1
        if words and rows == ROWS:
            print(f"warning: {name}: looks like columns of words and tags, not sentences", file=sys.stderr)
        yield words


def read_lines(file: BinaryIO, name: str) -> Iterator[tuple[int, str]]:
    """The lines with their numbers from 1, without their ends and byte order marks; none is held whole.

    Raises:
        InputError: a line is too long, or is not UTF-8.
    """
    for number in count(1):
        data = file.readline(MOST_BYTES + 1)
        if not data:
            return
        try:
            line = data[:MOST_BYTES].decode(errors="ignore" if len(data) > MOST_BYTES else "strict")
        except UnicodeDecodeError:
            told = "is not UTF-8; convert the file, for example with iconv -f ENCODING -t utf8"
            raise InputError(f"{name}:{number}: {told}") from None
        line = line.removesuffix("\n").removesuffix("\r").lstrip(MARK)
        if len(line) > LONGEST_LINE:
            told = f"is longer than {LONGEST_LINE:,} characters; end each line with a line feed"
            raise InputError(f"{name}:{number}: {told}")
        yield number, line


def problem_of(line: str, words: list[str], *, begins: bool) -> str | None:
    """What is wrong with a line, if anything; `begins`: whether it may be the first that has words."""
    if "\0" in line:
        return "holds a NUL character; name a text file"
    if "\r" in line:
        return "holds a carriage return inside; end each line with only a line feed"
    if begins and is_json(line):
        return "is JSON, not a sentence; write a sentence on each line, with spaces between its words"
    if len(words) > MOST_WORDS:
        return f"the sentence has more than {MOST_WORDS:,} words; put one sentence on a line"
    if document := next(filter(DOCUMENT.match, words), None):
        return f"the word {document!r} would be read back as the start of a document; leave the line out"
    return None


def is_json(line: str) -> bool:
    """Whether a line is a JSON object, or an array with text in it."""
    try:
        return isinstance(json.loads(line), dict) or (line.lstrip().startswith("[") and '"' in line)
    except (ValueError, RecursionError):
        return False


def write_tags(tagger: Tagger, sentences: Iterator[list[str]], out: TextIO) -> None:
    """Write a line with word, tab and tag for each word, and an empty one behind each sentence.

    Raises:
        InputError: see `read_sentences`; the sentences before are written.
    """
    for chunk in in_chunks(sentences):
        for words, tags in zip(chunk, tagger(chunk), strict=True):
            pairs = zip(words, tags, strict=True)
            out.write("".join(f"{word}\t{tag}\n" for word, tag in pairs) + "\n")


def in_chunks(sentences: Iterator[list[str]]) -> Iterator[list[list[str]]]:
    """CHUNK sentences together, fewer if they have CHUNK_WORDS words; also those before one that is wrong."""
    chunk: list[list[str]] = []
    words = 0
    try:
        for sentence in sentences:
            chunk.append(sentence)
            words += len(sentence)
            if len(chunk) == CHUNK or words >= CHUNK_WORDS:
                yield chunk
                chunk, words = [], 0
    except InputError:
        if chunk:
            yield chunk
        raise
    if chunk:
        yield chunk


def main() -> None:
    """Tag a file or standard input."""
    parser = argparse.ArgumentParser(description="Tag words with the network beside this file.")
    parser.add_argument(
        "file", nargs="?", help="one sentence a line, words between spaces, UTF-8; standard input if left out"
    )
    parser.add_argument(
        "--constrained",
        action="store_true",
        help="give only tag sequences that IOB2 allows, if the tags are IOB2",
    )
    arguments = parser.parse_args()
    for name in ("SIGINT", "SIGPIPE"):  # end without a traceback at Ctrl-C, and when nobody reads on
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    if sys.stdout is None or (sys.stdin is None and not arguments.file):
        parser.exit(2, "error: standard input or output: is closed\n")
    try:
        tagger = Tagger(Path(__file__).parent, constrained=arguments.constrained)
    except FolderError as error:
        parser.exit(2, f"error: {error}\n")
    source = arguments.file or sys.stdin.fileno()
    try:
        with (
            open(source, "rb") as file,  # noqa: PTH123 (a file's name or number)
            open(sys.stdout.fileno(), "w", encoding="utf-8", closefd=False) as out,
        ):
            write_tags(tagger, read_sentences(file, arguments.file or "standard input"), out)
    except InputError as error:
        parser.exit(2, f"error: {error}\n")
    except OSError as error:
        parser.exit(2, f"error: {error.filename or 'standard input or output'}: {error.strerror}\n")


if __name__ == "__main__":
    main()
