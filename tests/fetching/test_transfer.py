"""A transfer is one line where nobody watches, and a bar on a terminal; standard output stays free."""

import sys

import pytest

from pipeline.fetching.transfer import transfer


@pytest.mark.parametrize("total", [None, 0, 12])
def test_elsewhere_than_on_a_terminal_it_is_one_line_before_the_first_byte(total, capsys):
    with transfer("corpus [v1]", total) as advance:
        assert capsys.readouterr() == ("", "fetching corpus [v1]\n")
        advance(5)
        advance(7)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("total", [None, 12])
def test_on_a_terminal_it_is_a_bar_with_the_name_as_it_is(total, capsys, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with transfer("[bold]corpus", total) as advance:
        advance(5)
        advance(7)
    out, err = capsys.readouterr()
    assert out == ""
    assert "[bold]corpus" in err
    assert "12/" in err if total else "12 bytes" in err or "12/?" in err


def test_an_error_within_comes_out(capsys):
    with pytest.raises(ZeroDivisionError), transfer("corpus", 3):
        raise ZeroDivisionError
    assert capsys.readouterr().err == "fetching corpus\n"
