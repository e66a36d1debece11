"""The command tags files and pipes, says one line about bad input, and goes quietly when nobody reads on."""

import gzip
import io
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.corpora.conll import read_conll
from pipeline.corpora.schemes import to_iob2
from pipeline.errors import UserError
from pipeline.inference.tagger import load
from stages import predict
from tests.helpers.forked_stages import Stages
from tests.helpers.tiny_corpus import sentences

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


@pytest.mark.parametrize("bad", [b"ba \xff\n", b"x" * 200_001])
def test_what_comes_before_a_bad_line_is_tagged(
    run: Callable[..., str], tmp_path: Path, capfd: pytest.CaptureFixture[str], bad: bytes
) -> None:
    """Whoever goes on behind the line that the message names has then all sentences."""
    (tmp_path / "bad").write_bytes(b"ba\nNERI\n" + bad)
    with pytest.raises(UserError, match=r"bad:3: "):
        run(tmp_path / "bad", format="jsonl")
    assert [json.loads(line)["text"] for line in capfd.readouterr().out.splitlines()] == ["ba", "NERI"]


def test_standard_input_is_named_too(run: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(LINES.encode()))))
    assert len(run(format="text").splitlines()) == 3
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(b"ba\n\n\xff"))))
    with pytest.raises(UserError, match=r"^standard input:3: byte 5 of the file"):
        run()


CONLLU = "# sent_id = 1\n# text = ba NERI.\n1\tba\tx\n2-3\tNERI.\t_\n2\tNERI\tx\n3\t.\tx\n\n1\tTok\tx\n"


def test_columns_are_read_where_the_words_are(run: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "ud.conllu").write_text(CONLLU)
    lines = run(tmp_path / "ud.conllu", input="columns", word=1, comment="#").splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["ba", "NERI", ".", "", "Tok", ""]


@pytest.mark.parametrize("separator", ["\t", r"\t"])
def test_words_may_hold_spaces_between_tabs(run: Callable[..., str], tmp_path: Path, separator: str) -> None:
    (tmp_path / "tabs").write_text("ba\tNERI Tok\tO\nsa\tlum\tO\n")
    options = {"input": "columns", "word": 1, "separator": separator, "format": "jsonl"}
    assert json.loads(run(tmp_path / "tabs", **options))["words"] == ["NERI Tok", "lum"]


def test_columns_of_words_with_spaces_are_read_back(run: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "tabs").write_text("ba\tNERI Tok\nsa\tlum\n")
    (tmp_path / "out").write_text(run(tmp_path / "tabs", input="columns", word=1, separator=r"\t"))
    assert [one.words for one in read_conll(tmp_path / "out", separator="\t")] == [("NERI Tok", "lum")]


@pytest.mark.parametrize(
    ("content", "options", "says"),
    [
        (CONLLU, {"input": "columns"}, r"text:2: has 5 columns, but line 1 has 4; .*--comment '#'"),
        (CONLLU, {"input": "columns", "comment": "#"}, r"text:3: column 0 holds word numbers; .*--word 1"),
        (
            CONLLU,
            {"input": "columns", "comment": "#", "word": 3},
            r"text:3: has 3 columns, so column 3 does not exist",
        ),
        ('{"tokens":["ba","NERI"]}\n', {}, r"text:1: is a JSON object, not a sentence"),
        ("ba " * 40_001, {}, r"text:1: the sentence has more than 40,000 words; put one sentence on a line"),
        ("x" * 200_001, {}, r"text:1: is longer than 200,000 characters"),
        ("ba\n", {"word": 1}, r"^--word, --separator, --comment: apply to --input columns, not to text"),
        ("ba\n", {"input": "columns", "separator": ""}, r"^--separator: is empty; leave it out"),
        (
            "ba\n",
            {"input": "words", "words": "characters"},
            r"^--words: applies only to --input text, as the words of words",
        ),
    ],
)
def test_what_would_be_misread_is_refused(
    run: Callable[..., str], tmp_path: Path, content: str, options: dict[str, Any], says: str
) -> None:
    (tmp_path / "text").write_text(content)
    with pytest.raises(UserError, match=says):
        run(tmp_path / "text", **options)


def test_every_character_is_a_word_if_asked_for(run: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "text").write_text("\u200e他 e\u0301。\n")
    (line,) = run(tmp_path / "text", words="characters", format="jsonl").splitlines()
    assert json.loads(line)["words"] == ["\u200e他", "e\u0301", "。"]


def test_constrained_output_keeps_to_the_scheme(
    run: Callable[..., str], tmp_path: Path, teacher: Path
) -> None:
    (tmp_path / "text").write_text("".join(" ".join(s.words) + "\n" for s in sentences(40, seed=9)))
    tags = {
        constrained: [
            json.loads(line)["tags"]
            for line in run(
                tmp_path / "text", input="words", format="jsonl", constrained=constrained
            ).splitlines()
        ]
        for constrained in (False, True)
    }
    assert any(to_iob2(found, "iob2")[1] for found in tags[False])
    assert not any(to_iob2(found, "iob2")[1] for found in tags[True])


def test_a_missing_file_is_named_before_anything_heavy_is_imported(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom pathlib import Path\nfrom stages import predict\n"
        "try:\n    predict.main(sys.argv[1], Path(sys.argv[2]))\n"
        "finally:\n    print('torch' in sys.modules)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "model"), str(tmp_path / "news.txt")]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert f"{tmp_path}/news.txt: cannot be read (No such file or directory)" in ended.stderr
    assert ended.stdout == "False\n"


@pytest.mark.thorough
def test_typed_lines_are_answered_one_by_one(teacher: Path) -> None:
    """On a pseudo-terminal; the prompt stands on standard error, each answer comes before the next line."""
    command = [sys.executable, "-m", "stages.predict", "--model", str(teacher), "--format", "conll"]
    main, side = pty.openpty()
    with subprocess.Popen(
        command, cwd=ROOT, stdin=side, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        os.close(side)
        assert process.stdout
        assert process.stderr
        for line in ("ba NERI", "Tok"):
            assert process.stderr.read(2) == "> "
            os.write(main, f"{line}\n".encode())
            answer = [process.stdout.readline() for _ in line.split(" ")]
            assert [row.split(" ")[0] for row in answer] == line.split(" ")
            assert process.stdout.readline() == "\n"
        assert process.stderr.read(2) == "> "
        os.write(main, b"\x04")
        assert process.stdout.read() == ""
        assert process.stderr.read() == "\n"
        assert process.wait(60) == 0
    os.close(main)


def test_it_goes_quietly_when_nobody_reads_on(teacher: Path, stages: Stages, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["head", "-n", "2", pipe], stdout=subprocess.PIPE, encoding="utf-8") as head:
        ended = stages.run(
            "predict", "--model", teacher, "--format", "jsonl",
            place=tmp_path, typed="ba NERI é\n" * 20_000, out=str(pipe), encoding="ascii",
        )  # fmt: skip
        lines = head.communicate()[0].splitlines()
    assert [json.loads(line)["words"] for line in lines] == 2 * [["ba", "NERI", "é"]]
    assert (ended.status, ended.err) == (-signal.SIGPIPE, "")
