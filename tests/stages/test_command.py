"""A process leaves the others of its run when all are done, and never alone."""

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
