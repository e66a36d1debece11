import sys
import time

import pytest

from pipeline import progress


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten seconds pass between any two looks at the clock, and a line is due every 15."""
    times = iter(range(0, 1000, 10))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(times)))


def test_a_line_says_what_is_done_and_left(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.progress("dump", 4_000) as meter:
        meter.advance(1_000)
        meter.advance(1_000)
    assert capsys.readouterr().out == "dump: 2,000/4,000, 20 s left\n"


def test_what_was_done_before_says_nothing_of_the_speed(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.progress("teacher", 4_000, done=2_000) as meter:
        meter.advance(500, "epoch 1")
        meter.advance(500, "epoch 2")
    assert capsys.readouterr().out == "teacher: 3,000/4,000 epoch 2, 20 s left\n"


def test_a_path_with_brackets_is_shown_as_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """To rich, brackets are markup: [old] vanishes, and [/old] is an error."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with progress.progress("[/label]", 4_000) as meter:
        meter.advance(1, "[/note]")
        meter.say("resumes from /home/[old]/[/old]/run")
    shown = capsys.readouterr().err
    assert "resumes from /home/[old]/[/old]/run" in shown
    assert "[/label]" in shown
    assert "[/note]" in shown
