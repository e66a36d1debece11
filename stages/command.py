"""How a stage is run from the shell: typer for arguments, one line for a user's mistake."""

import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import typer

from pipeline import processes
from pipeline.errors import Interrupted, UserError, one_line, permission_denied
from stages.computing import runs_as_several
from stages.free_gpu import free_gpu
from stages.launch import noted, relaunch
from stages.out_of_memory import out_of_memory
from stages.streams import standard_streams

# What the extra `pipeline` brings: tagging text does without.
_PIPELINE = ("dvc_render", "dvclive", "jinja2", "pandas", "ruamel", "vl_convert")


def run(main: Callable[..., Any]) -> None:
    """Run a stage's command; see `run_application`."""
    app = application()
    app.command()(main)
    spec = sys.modules[main.__module__].__spec__  # which names a module that runs as a command
    run_application(app, (spec.name if spec else main.__module__).rpartition(".")[2], sys.argv[1:])


def application() -> typer.Typer:
    """An application without commands, whose errors `run_application` prints."""
    return typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def run_application(app: typer.Typer, stage: str, arguments: list[str]) -> None:
    """Run the command that the command line names: `stage` with `arguments`, maybe as several processes.

    Exit status: 2 for a mistake that the user can mend, told in one line; 128 + n after signal n.
    """
    came: list[int] = []

    def interrupt(number: int, _: Any) -> NoReturn:
        """Unwind, so that nothing half-written stays; a training run saves its state first."""
        came.append(number)
        raise Interrupted(number)

    with standard_streams(), noted() as tell:
        logging.basicConfig(format="%(levelname)s: %(message)s", level=logging.WARNING)
        os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")  # weights of unused layers are expected
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, interrupt)
        try:
            relaunch(stage, arguments)
            with free_gpu(stage):
                app()
        except SystemExit as ended:  # typer ends with it in every case
            if not ended.code:
                processes.leave()
            raise
        except Interrupted as interrupted:
            tell(str(interrupted) if runs_as_several(stage) else "stopped")
            raise SystemExit(128 + interrupted.signal) from None
        except Exception as error:
            if came:  # a library that was being imported has made its own error of Interrupted
                tell("stopped")
                raise SystemExit(128 + came[0]) from None
            if (line := _mistake(error, stage)) is None:
                raise
            tell(f"error: {line}")
            raise SystemExit(2) from None


def _mistake(error: Exception, stage: str) -> str | None:
    """The line for an error that the user can mend; None for any other."""
    if isinstance(error, UserError):
        return one_line(error, limit=2000)
    if isinstance(error, PermissionError) and isinstance(error.filename, str):
        return one_line(permission_denied(error.filename, error, _denied(error.filename)), limit=2000)
    if isinstance(error, MemoryError | RuntimeError):
        return out_of_memory(error, stage)
    if isinstance(error, ModuleNotFoundError):
        library = str(error.name).partition(".")[0]
        install = "pip install 'substructured-distillation[pipeline]'"
        return f"{library} is not installed; run `{install}`" if library in _PIPELINE else None
    return None


def _denied(path: str) -> str:
    """What could not be done with a path: it was to be written where it could be read, or can be missing."""
    missing = not os.path.lexists(path) and os.access(Path(path).parent, os.X_OK)
    return "written" if missing or os.access(path, os.R_OK) else "read"
