"""How launched processes ended, when one was killed and another could not answer."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from stages.launch import NOTES, _why

# Waits in C, as for a GPU whose kernel waits for another process: Python runs no handler.
STUCK = """
import hashlib, signal
from stages.launch import noted
with noted():
    signal.signal(signal.SIGTERM, lambda *_: None)
    print("started", flush=True)
    hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)
"""


def start(place: Path, rank: int) -> "subprocess.Popen[str]":
    env = os.environ | {NOTES: str(place), "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2"}
    return subprocess.Popen([sys.executable, "-c", STUCK], env=env, stdout=subprocess.PIPE, text=True)


def test_a_process_that_was_told_to_end_and_cannot_is_not_named_as_killed(tmp_path: Path) -> None:
    first, second = (start(tmp_path, rank) for rank in range(2))
    try:
        assert first.stdout is not None
        assert first.stdout.readline() == "started\n"
        while not (tmp_path / "1.started").exists():
            time.sleep(0.01)
        second.kill()
        first.send_signal(signal.SIGTERM)  # as torchrun does then, and kills after 30 seconds
        since = time.monotonic()
        while not (tmp_path / "0.told").exists():
            assert time.monotonic() - since < 20
            time.sleep(0.01)
    finally:
        for process in (first, second):
            process.kill()
            process.communicate()
    assert str(_why(tmp_path, "")).startswith("process 1 of 2 (from 0) was killed")
