"""Sentences come from a file or standard input; options that do not fit the input are refused."""

import io
import logging
from pathlib import Path

import pytest

from pipeline.corpora.text_stream import Layout
from pipeline.corpora.word_columns import Columns
from pipeline.errors import UserError
from pipeline.inference.command_input import is_typed, read_input


class Terminal(io.BytesIO):
    """Standard input at which lines are typed."""

    def isatty(self) -> bool:
        return True


def standard_input(patch: pytest.MonkeyPatch, raw: io.BytesIO) -> None:
    patch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(raw)))


def test_a_file_or_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "text").write_text("Anna left.")
    standard_input(monkeypatch, io.BytesIO(b"Ulm ."))
    for file, words in ((tmp_path / "text", ("Anna", "left", ".")), (None, ("Ulm", "."))):
        with read_input(file, "text", cut="conll", columns=Columns()) as texts:
            assert next(texts).words == words
    assert not is_typed(None)


@pytest.mark.parametrize("typed", [True, False])
def test_only_typed_brackets_are_answered_before_json_shows(
    monkeypatch: pytest.MonkeyPatch, typed: bool
) -> None:
    content = b'[\n"Anna left.",\n'
    standard_input(monkeypatch, Terminal(content) if typed else io.BytesIO(content))
    with read_input(None, "text", cut="conll", columns=Columns()) as texts:
        if typed:
            assert next(texts).text == "["
        with pytest.raises(UserError, match=r"^standard input:1: is a JSON array"):
            next(texts)


def test_a_prompt_comes_before_each_typed_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    standard_input(monkeypatch, Terminal(b"a\nb\n"))
    assert is_typed(None)
    assert not is_typed(Path("text"))
    with read_input(None, "text", cut="conll", columns=Columns()) as texts:
        for word in "ab":
            assert next(texts).words == (word,)
            assert capsys.readouterr() == ("", "> ")
        assert next(texts, None) is None
        assert capsys.readouterr() == ("", "> \n")


@pytest.mark.parametrize(
    ("layout", "columns", "says"),
    [
        ("words", Columns(), "--words"),
        ("columns", Columns(1), "--words"),
        ("text", Columns(1), "--word, --separator, --comment"),
    ],
)
def test_options_of_another_input_are_refused(layout: Layout, columns: Columns, says: str) -> None:
    refused = pytest.raises(UserError, match=rf"^{says}: .*leave")
    with refused, read_input(None, layout, cut="characters", columns=columns):
        pass


ROWS = "-DOCSTART- -X- -X- O\n\nAnna NNP B-PER\nleft VBD O\n\nNew Ulm\tB-LOC\n. . O \n"
SAYS = "{}: looks like columns of words and tags; use --input columns"


@pytest.mark.parametrize("layout", ["text", "words"])
def test_columns_that_are_read_as_text_get_a_warning(
    layout: Layout, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "rows").write_text(ROWS * 9)
    with read_input(tmp_path / "rows", layout, cut="conll", columns=Columns()) as texts:
        assert len(list(texts)) == 7 * 9
    assert caplog.messages == [SAYS.format(tmp_path / "rows")]


@pytest.mark.parametrize(
    "content",
    ["Blood of the group O\n" * 4 + "It is rare .\n" * 9, "O\n" * 9, "", "ba B-\n" * 9, "# O\n" * 9],
)
def test_text_gets_no_warning(content: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "text").write_text(content)
    with read_input(tmp_path / "text", "text", cut="conll", columns=Columns()) as texts:
        assert len(list(texts)) == content.count("\n")
    assert not caplog.messages


def test_typed_columns_are_answered_line_by_line_all_the_same(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    standard_input(monkeypatch, Terminal(b"Anna B-PER\n" * 6))
    with caplog.at_level(logging.WARNING), read_input(None, "text", cut="conll", columns=Columns()) as texts:
        for number in range(6):
            assert next(texts).text == "Anna B-PER"
            assert caplog.messages == [SAYS.format("standard input")] * (number >= 4)
