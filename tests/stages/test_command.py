"""A mistake is one line with an exit status of its own, and no process leaves the others of its run alone."""

import errno
import os
import signal
import sys
from pathlib import Path

import pytest
import typer

from pipeline import processes
from pipeline.errors import Interrupted, ProcessLost, UserError
from stages import command
from stages.command import application, run_application
from tests.helpers.own_corpus_stages import Run


@pytest.mark.parametrize(
    ("ends_with", "leaves", "status"),
    [
        (None, True, 0),
        (UserError("a mistake"), False, 2),
        (MemoryError("full"), False, 2),
        (Interrupted(15), False, 143),
        (typer.Exit(1), False, 1),
    ],
)
def test_a_process_that_fails_waits_for_no_other(
    ends_with: BaseException | None, leaves: bool, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["teacher"])
    left: list[bool] = []
    monkeypatch.setattr(processes, "leave", lambda: left.append(True))
    app = application()

    @app.command()
    def main() -> None:
        if ends_with is not None:
            raise ends_with

    with pytest.raises(SystemExit) as ended:
        run_application(app, "teacher", [])
    assert (int(ended.value.code or 0), bool(left)) == (status, leaves)


@pytest.mark.parametrize(
    ("name", "done"), [("locked/seal.json", "read"), ("there", "written"), ("new", "written")]
)
def test_a_path_without_permission_is_one_line(
    name: str, done: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Permissions themselves would not stop root: only what lies in `locked` is out of reach here."""
    (tmp_path / "there").touch()
    access = os.access
    monkeypatch.setattr("sys.argv", ["predict"])
    monkeypatch.setattr("os.access", lambda path, mode: "locked" not in str(path) and access(path, mode))
    app = application()

    @app.command()
    def main() -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(tmp_path / name))

    with pytest.raises(SystemExit) as ended:
        run_application(app, "predict", [])
    assert ended.value.code == 2
    expected = f"error: {tmp_path / name}: cannot be {done} (Permission denied); change its permissions\n"
    assert capsys.readouterr().err == expected


def test_a_users_mistake_is_one_line_and_status_2(run: Run) -> None:
    def main() -> None:
        raise UserError("two\nlines \x1b[31mred")

    assert run(main) == (2, "", "error: two lines red\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_stage_ends_with_128_and_the_signal(run: Run, number: int) -> None:
    def main() -> None:
        raise Interrupted(number)

    assert run(main) == (128 + number, "", "stopped\n")  # a stage without checkpoints


def test_a_signal_that_a_library_turns_into_its_own_error_is_still_a_signal(run: Run) -> None:
    def main() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        except BaseException as error:
            raise ModuleNotFoundError("Could not import module 'PreTrainedModel'") from error

    assert run(main) == (143, "", "stopped\n")


def test_a_lost_process_is_told_without_a_traceback(run: Run) -> None:
    def main() -> None:
        raise ProcessLost("Connection closed by peer\nmore")

    assert run(main) == (1, "", "error: another process of the run has ended (Connection closed by peer)\n")


def test_ctrl_c_anywhere_shows_no_traceback(run: Run) -> None:
    def main() -> None:
        os.kill(os.getpid(), signal.SIGINT)

    status, _, err = run(main)
    assert status == 130
    assert "Traceback" not in err


def test_a_mistake_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def main() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(sys, "argv", ["stage"])
    with pytest.raises(ZeroDivisionError):
        command.run(main)


def test_success_is_status_0(run: Run) -> None:
    assert run(lambda: print("done")) == (0, "done\n", "")
