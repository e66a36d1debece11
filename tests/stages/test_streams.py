"""Standard streams that are closed or full, or lack a character, end no stage and lose nothing in silence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.forked_stages import Stages
from tests.helpers.workspace import COMMANDS, Workspace

ROOT = Path(__file__).parents[2]
FULL = "/dev/full"  # every write fails with "No space left on device"
PROGRAM = """
import sys
from pipeline.errors import UserError
from stages.command import run
from stages.streams import ResultStream

def main() -> None:
    {body}

run(main)
"""


@pytest.mark.parametrize("stage", COMMANDS)
@pytest.mark.parametrize(
    "streams",
    [
        pytest.param({"out": FULL, "err": FULL}, id="both full"),
        pytest.param({"encoding": "ascii"}, id="ascii", marks=pytest.mark.slow),
        pytest.param({"out": FULL}, id="full", marks=pytest.mark.slow),
        pytest.param({"out": None, "err": None}, id="closed", marks=pytest.mark.slow),
    ],
)
def test_no_stage_fails_by_its_streams(
    stages: Stages, workspace: Workspace, stage: str, streams: dict[str, str | None], tmp_path: Path
) -> None:
    ended = stages.run(stage, *workspace.arguments(stage), place=tmp_path, **streams)  # type: ignore[arg-type]
    assert (ended.status, "Traceback" in ended.err) == (0, False), ended.err
    written = {name.partition("/")[0] for name in COMMANDS[stage][1].values()}
    assert written
    assert list(tmp_path.glob("out*"))


@pytest.mark.parametrize("stage", ["prepare", "evaluate", "report"])  # those that print much
def test_a_locale_that_lacks_a_character_ends_no_stage(
    stages: Stages, workspace: Workspace, stage: str, tmp_path: Path
) -> None:
    ended = stages.run(stage, *workspace.arguments(stage), place=tmp_path, encoding="ascii")
    assert (ended.status, "Traceback" in ended.err) == (0, False), ended.err


def outcome(body: str, shell: str) -> tuple[int, str]:
    """Exit status and standard error of a stage with this body, its streams as the shell's words say."""
    command = f"{sys.executable} -c '{PROGRAM.format(body=body)}' {shell}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, encoding="utf-8", check=False)
    return done.returncode, done.stderr


def test_lost_messages_are_said() -> None:
    said = "warning: messages on standard output were lost (No space left on device)\n"
    assert outcome('print("done", flush=True)', f"> {FULL}") == (0, said)
    assert outcome('print("done")', f"> {FULL}") == (0, said)
    assert outcome('print("done")', "> /dev/null") == (0, "")
    assert outcome('raise UserError("x: wrong")', f"> {FULL}") == (2, "error: x: wrong\n")


@pytest.mark.parametrize("size", [1, 100_000])
def test_results_that_cannot_be_written_are_an_error(size: int) -> None:
    body = f'out = ResultStream(); out.write("x" * {size}); out.flush()'
    status, told = outcome(body, f"> {FULL}")
    assert status == 2
    assert told.startswith("error: standard output: cannot be written (No space left on device); free space")
    assert outcome(body, "> /dev/null") == (0, "")


def test_results_are_utf8_whatever_the_locale() -> None:
    program = PROGRAM.format(body="ResultStream().write(chr(8211))")
    command = f"PYTHONIOENCODING=latin-1 {sys.executable} -c '{program}'"
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, "–".encode())


def test_closed_streams_take_no_files_place(tmp_path: Path) -> None:
    body = f'open("{tmp_path}/file", "w").write("kept"); print("message"); print("more", file=sys.stderr)'
    assert outcome(body, ">&- 2>&- <&-")[0] == 0
    assert (tmp_path / "file").read_text() == "kept"


def test_a_closed_standard_input_is_empty() -> None:
    assert outcome('assert sys.stdin.read() == ""', "<&-") == (0, "")


def test_nobody_listening_is_no_traceback() -> None:
    program = "from stages.command import run; run(lambda: print('x' * 100_000))"
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert done.returncode == 0  # what was lost is a message, and no result
    assert done.stderr == "warning: messages on standard output were lost (Broken pipe)\n"
