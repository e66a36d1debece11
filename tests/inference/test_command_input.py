"""Sentences come from a file or standard input; options that do not fit the input are refused."""

import io
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
        ("text", Columns(1), "--word, --comment"),
    ],
)
def test_options_of_another_input_are_refused(layout: Layout, columns: Columns, says: str) -> None:
    refused = pytest.raises(UserError, match=rf"^{says}: .*leave")
    with refused, read_input(None, layout, cut="characters", columns=columns):
        pass
