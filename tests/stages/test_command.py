"""A process leaves the others of its run when all are done, and never alone."""

import errno
import os
from pathlib import Path

import pytest
import typer

from pipeline import processes
from pipeline.errors import Interrupted, UserError
from stages.command import application, run_application


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
