"""The command tags files and pipes, says one line about bad input, and goes quietly when nobody reads on."""

import gzip
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.inference.tagger import load
from stages import predict

ROOT = Path(__file__).parents[2]
LINES = "ba NERI, Tok sa.\n\nlum (VEL).\n"


@pytest.fixture
def run(
    teacher: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., str]:
    def run(*arguments: object, **options: object) -> str:
        monkeypatch.setattr("signal.signal", lambda *_: None)  # the test runner's own
        predict.main(teacher, *arguments, **options)  # type: ignore[arg-type]
        sys.stdout.flush()
        return capfd.readouterr().out

    return run


@pytest.fixture
def text(tmp_path: Path) -> Path:
    (tmp_path / "text.gz").write_bytes(gzip.compress(LINES.encode()))
    return tmp_path / "text.gz"


def test_a_file_becomes_columns(run: Callable[..., str], text: Path, teacher: Path) -> None:
    first, empty, last = load(teacher)(LINES.splitlines())
    assert not empty.words
    columns = [
        "".join(f"{word} {tag}\n" for word, tag in zip(tagged.words, tagged.tags, strict=True))
        for tagged in (first, last)
    ]
    assert run(text) == f"{columns[0]}\n\n{columns[1]}\n"


def test_its_own_columns_are_read_again(run: Callable[..., str], text: Path, tmp_path: Path) -> None:
    (tmp_path / "columns").write_text(run(text))
    again = run(tmp_path / "columns", input="columns")
    assert again == (tmp_path / "columns").read_text().replace("\n\n\n", "\n\n")


def test_words_between_spaces_stay_whole(run: Callable[..., str], text: Path) -> None:
    lines = [json.loads(line) for line in run(text, input="words", format="jsonl").splitlines()]
    assert [line["words"] for line in lines] == [["ba", "NERI,", "Tok", "sa."], [], ["lum", "(VEL)."]]
    assert [line["text"] for line in lines] == LINES.splitlines()


def test_text_for_reading_has_no_colour_in_a_file(run: Callable[..., str], text: Path) -> None:
    lines = run(text, format="text").splitlines()
    assert len(lines) == 3
    assert "\x1b" not in "".join(lines)


def test_a_bad_line_is_named(run: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(b"ba\n\xff\n")
    with pytest.raises(UserError, match=r"bad:2: "):
        run(tmp_path / "bad")


def test_standard_input_is_named_too(run: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(LINES.encode()))))
    assert len(run(format="text").splitlines()) == 3
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(b"ba\n\n\xff"))))
    with pytest.raises(UserError, match=r"^standard input:3: byte 1 of the line"):
        run()


def test_it_goes_quietly_when_nobody_reads_on(teacher: Path) -> None:
    command = f"{sys.executable} -m stages.predict --model {teacher} --format jsonl"
    script = f"yes 'ba NERI é' | {command} | head -n 2; echo ${{PIPESTATUS[1]}}"
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        ["bash", "-c", script], cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", check=True
    )
    *lines, status = done.stdout.splitlines()
    assert [json.loads(line)["words"] for line in lines] == 2 * [["ba", "NERI", "é"]]
    assert (status, done.stderr) == ("141", "")
