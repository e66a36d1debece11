"""The exported program: decoding by brute force, windows read together, and what it says to its user."""

import errno
import io
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.chain import LinearChain
from pipeline.errors import UserError
from pipeline.exporting.onnx_folder import PROGRAM, write_export
from pipeline.exporting.tag import (
    FolderError,
    InputError,
    Tagger,
    in_batches,
    iob2_constraints,
    read_sentences,
    viterbi,
    write_tags,
)
from stages import predict
from tests.helpers.brute_force import BruteForce
from tests.helpers.exported_program import breaks, run_program

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def exported(teacher: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("exported") / "out"
    write_export(teacher, out, int8=False)
    return out


@pytest.mark.parametrize("forbidden", [0, 0.3])
@pytest.mark.parametrize("seed", range(5))
def test_viterbi_finds_the_best_of_all_paths(seed: int, forbidden: float) -> None:
    """Also where some tags, pairs, first and last tags have the score -inf."""
    chance = np.random.default_rng(seed)
    tags, lengths = 3, np.array([5, 1, 3, 4])

    def potentials(*shape: int) -> np.ndarray:
        values = chance.normal(size=shape).astype(np.float32)
        values[chance.random(shape) < forbidden] = -np.inf
        values[..., 0] = chance.normal(size=shape[:-1])  # so that one path is always open
        return values

    emissions, transitions = potentials(4, 5, tags), potentials(tags, tags)
    start, end = potentials(2, tags)
    found = viterbi(emissions, lengths, transitions, start, end)
    for row, length in enumerate(lengths.tolist()):
        chain = (torch.from_numpy(x) for x in (emissions[row, :length], transitions, start, end))
        every = BruteForce(*chain)
        assert found[row, :length].tolist() == every.sequences[every.scores.argmax()].tolist()


@pytest.mark.parametrize(
    ("sizes", "counts"),
    [
        ([], []),
        ([9], [1]),
        ([500, 400, 3], [1, 1, 1]),
        ([64, 64, 64], [2, 1]),
        ([30, 32, 30, 31, 33], [4, 1]),  # the first four fill PIECES to the last
        ([10] * 13, [12, 1]),
        ([2, 100], [1, 1]),  # together they would be padded to 200
    ],
)
def test_windows_are_read_together_up_to_a_number_of_pieces(sizes: list[int], counts: list[int]) -> None:
    windows = [(row, [7] * size, [0]) for row, size in enumerate(sizes)]
    batches = [*in_batches(windows)]
    assert [window for batch in batches for window in batch] == windows
    assert [len(batch) for batch in batches] == counts


def test_long_sentences_are_decoded_as_in_double_precision() -> None:
    generator = np.random.default_rng(0)
    emissions = (generator.normal(size=(1, 10_000, 9)) * 1.5 + 6).astype(np.float32)
    transitions, edges = generator.normal(size=(9, 9)).astype(np.float32), np.zeros(9, np.float32)
    lengths = np.array([10_000])
    e, t, b, d = (torch.from_numpy(part).double() for part in (emissions, transitions, edges, edges))
    _, exact = LinearChain(e, t, b, d, torch.tensor([10_000])).viterbi()
    assert np.array_equal(viterbi(emissions, lengths, transitions, edges, edges), exact.numpy())


def test_standard_input_and_empty_lines(exported: Path) -> None:
    program = exported / PROGRAM
    done = subprocess.run(
        [sys.executable, program],
        input="\ufeffba \tNERI\r\n\nTok",
        encoding="utf-8",
        capture_output=True,
        check=True,
    )
    assert [line.split("\t")[0] for line in done.stdout.split("\n")] == ["ba", "NERI", "", "", "Tok", "", ""]


LONGEST, MOST = b"x" * 200_000, b"a " * 40_000
INPUTS = {
    "nothing": b"",
    "no line end": b"ba NERI\nTok",
    "empty lines": b"\n\nba\n\n \t \nTok\n\n",
    "tabs and spaces": b"\tba  NERI \t Tok \n",
    "windows": b"\xef\xbb\xbfba NERI\r\n\r\nTok\r\n",
    "windows, no line end": b"ba\r",
    "joined files": b"\xef\xbb\xbfba\n\xef\xbb\xbfNERI\n\xef\xbb\xbf",
    "other spaces": "ba\u00a0NERI\u2003Tok\u2028sa \x0b \x0c \x85 \u3000\n".encode(),
    "marks": "b\u0301a \u200b \ufeffNERI \x01\n".encode(),
    "longest": LONGEST + b"\r\n" + LONGEST + b"\n" + "é".encode() * 200_000 + b"\r",
    "too long": b"ba\n" + LONGEST + b"x\nba\n",
    "far too long": b"ba\n" + "é".encode() * 999_999,
    "longest with a mark": b"\n\xef\xbb\xbf" + "😀".encode() * 200_000 + b"\r\n",
    "most words": MOST + b"\n" + MOST + b"\nba\n",
    "too many words": b"ba\n" + MOST + b"a\n",
    "not UTF-8": b"ba\nNERI\n\xff\nba\n",
    "cut": b"ba\nNERI \xc3",
    "NUL": b"ba\nb\0a\n",
    "carriage return": b"ba\nb\ra\n",
    "document": b"ba NERI\n\n-DOCSTART- -X- O\n\nTok\n",
    "document in a sentence": b"ba\nba -DOCSTART-,x\n",
    "no document": b"-docstart- -DOCSTART-x x-DOCSTART-\n",
    "columns": b"ba NN O\nNERI NNP B-PER\n\n" * 4,
    "JSON": b'{"tokens": ["ba"]}\n',
    "JSON array": b'["ba", "Tok"]\n',
    "no JSON": b'["ba", "Tok"] are\n{"ba": 1}\n',
    "numbers": b"1\n[1]\n",
    "chunks": b"ba NERI\n" * 1025 + b"\xff",
}


@pytest.fixture(scope="module")
def program(exported: Path) -> Tagger:
    return Tagger(exported, threads=1)


@pytest.mark.parametrize("content", INPUTS.values(), ids=INPUTS)
def test_it_reads_what_predict_reads(
    program: Tagger,
    teacher: Path,
    content: bytes,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same words with the same tags, up to the line that both refuse."""
    monkeypatch.setattr("signal.signal", lambda *_: None)  # the test runner's own
    path, ours, refused = tmp_path / "input", io.StringIO(), []
    path.write_bytes(content)
    try:
        predict.main(str(teacher), path, input="words", format="conll")
    except UserError as error:
        refused.append(str(error))
    sys.stdout.flush()
    theirs = capfd.readouterr().out
    try:
        write_tags(program, read_sentences(io.BytesIO(content), str(path)), ours)
    except InputError as error:
        refused.append(str(error))
    assert ours.getvalue().replace("\t", " ") == theirs
    assert len(refused) in (0, 2)
    lines = {told.split(": ")[0] for told in refused if not told.startswith("--format conll: the word")}
    assert len(lines) <= 1
    warned = any("looks like columns" in told for told in caplog.messages)
    assert ("looks like columns of words and tags" in capfd.readouterr().err) == warned


@pytest.mark.parametrize("name", ["too long", "document", "chunks", "JSON"])
def test_a_refusal_comes_after_what_precedes_it(exported: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "input").write_bytes(INPUTS[name])
    done = run_program(exported, tmp_path / "input")
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {tmp_path / 'input'}:")
    assert done.stderr.count("\n") == 1
    assert done.stdout.count("\n\n") == {"too long": 1, "document": 1, "chunks": 1025}.get(name, 0)


def test_the_program_tells_how_it_is_used(exported: Path) -> None:
    done = run_program(exported, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "--constrained" in done.stdout
    done = run_program(exported, "--unknown")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_input_that_cannot_be_read_is_one_line(exported: Path, tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes("ba é\n".encode("latin-1"))
    for name, says in (
        ("none", "No such file or directory"),
        ("", "Is a directory"),
    ):
        done = run_program(exported, tmp_path / name)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == f"error: {tmp_path / name}: {says}\n"
    done = run_program(exported, tmp_path / "latin")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {tmp_path / 'latin'}:1: is not UTF-8; convert the file")


def test_a_folder_that_was_not_copied_whole_is_one_line(exported: Path, tmp_path: Path) -> None:
    for name in ("tagger.json", "tokenizer.json", "model.onnx"):
        part = tmp_path / name
        shutil.copytree(exported, part)
        (part / name).unlink()
        done = run_program(part)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == f"error: {part / name}: missing; copy the whole folder\n"


def test_a_string_is_not_taken_for_a_list_of_words(exported: Path) -> None:
    with pytest.raises(TypeError, match="give lists of words"):
        Tagger(exported)(["Anna left Leeds"])  # type: ignore[list-item]


@pytest.mark.parametrize("name", ["tagger.json", "tokenizer.json", "model.onnx"])
def test_a_damaged_file_is_one_line(exported: Path, tmp_path: Path, name: str) -> None:
    path = shutil.copytree(exported, tmp_path / "part") / name
    content = path.read_bytes()
    for size in (0, len(content) * 2 // 5):
        path.write_bytes(content[:size])
        done = run_program(path.parent)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(f"error: {path}: damaged (")
        assert done.stderr.endswith("); copy the whole folder again\n")
        assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["tagger.json", "tokenizer.json", "model.onnx"])
def test_a_file_without_permission_is_one_line(
    exported: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Permissions themselves would not stop root, who may run the tests."""
    opened = Path.open

    def denied(path: Path, *arguments: Any, **options: Any) -> Any:
        if path.name == name:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return opened(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(FolderError) as caught:
        Tagger(exported)
    assert (
        str(caught.value) == f"{exported / name}: cannot be read (Permission denied); change its permissions"
    )


USES = {
    "tag.py": "import runpy, sys; sys.argv[1:] = []; runpy.run_path(FOLDER + '/tag.py', run_name='__main__')",
    "export": "import pipeline.exporting.onnx_network",
    "latency": "import benchmarks.latency",
    "student": "from benchmarks.taggers.student import load_onnx; load_onnx(FOLDER)([['ba']])",
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_microsoft_is_told_nothing(exported: Path, tmp_path: Path, use: str) -> None:
    """ONNX Runtime keeps what it will send in the home folder; where CI is set it keeps nothing anyhow."""
    program = f"FOLDER = {str(exported)!r}\n{use}\nimport onnxruntime, os\n" + (
        "onnxruntime.InferenceSession(FOLDER + '/model.onnx', providers=['CPUExecutionProvider'])\n"
        "assert os.environ['ORT_DISABLE_TELEMETRY'] == '1'\n"
    )
    kept = {name: os.environ[name] for name in ("PATH", "OMP_NUM_THREADS") if name in os.environ}
    subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT, env={**kept, "HOME": str(tmp_path)}, input="", encoding="utf-8", check=True,
    )  # fmt: skip
    assert not list(tmp_path.rglob("*onnxruntime*"))
    assert not list(tmp_path.rglob("Microsoft"))


@pytest.mark.parametrize("closed", ["<&-", ">&-"])
def test_closed_standard_streams_are_one_line(exported: Path, closed: str) -> None:
    program = exported / PROGRAM
    command = f"echo ba | {sys.executable} {program} {closed}"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "error: standard input or output: is closed\n"


TYPES = ["O", "B-A", "I-A", "B-I-A", "I-I-A"]


def test_the_constraints_are_those_of_iob2() -> None:
    """A first tag or a pair is allowed where the reader of corpora finds nothing broken."""
    starts, follows = iob2_constraints(TYPES)
    assert starts.tolist() == [breaks([tag]) == 0 for tag in TYPES]
    expected = [[breaks([before, tag]) == breaks([before]) for tag in TYPES] for before in TYPES]
    assert follows.tolist() == expected


def test_a_type_without_a_first_tag_is_not_constrained() -> None:
    starts, follows = iob2_constraints(["O", "I-A"])
    assert starts.all()
    assert follows.all()
