"""How a stage is run from the shell: typer for arguments, one line for a user's mistake."""

import logging
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import typer

from pipeline.errors import Interrupted, UserError, one_line
from stages.streams import standard_streams


def run(main: Callable[..., Any]) -> None:
    """Run a stage's command.

    Exit status: 2 for a mistake that the user can mend, told in one line; 128 + n after signal n.
    """
    with standard_streams():
        logging.basicConfig(format="%(levelname)s: %(message)s", level=logging.WARNING)
        os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")  # weights of unused layers are expected
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _interrupt)
        app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        app.command()(main)
        try:
            app()
        except UserError as error:
            print(f"error: {one_line(error, limit=2000)}", file=sys.stderr)
            raise SystemExit(2) from None
        except Interrupted as interrupted:
            print(interrupted, file=sys.stderr)
            raise SystemExit(128 + interrupted.signal) from None


def _interrupt(number: int, _: Any) -> NoReturn:
    """Unwind, so that nothing half-written stays; a training run saves its state first (see training)."""
    raise Interrupted(number)
