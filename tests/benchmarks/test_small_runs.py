"""Benchmarks run as their pages say, small: what they import and call is still there.

`peers` is not here: it needs packages and a trained student.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.pages import ROOT

COMMANDS = {
    "chain": "--quick --seconds 0.01 --output OUT",
    "confidence": "OUT --encoded DATA/encoded --teacher DATA/teacher --sentences 20",
    "host_waits": "--small --output OUT",
    "latency": "--teacher DATA/teacher --student DATA/student --encoded DATA/encoded --output OUT --rounds 1 "
    "--sentences 3",
    "live_metrics": "--epochs 1 --turns 1 --output OUT",
    "processes": "--small --sentences 200 --shards 2 --rounds 1 --output OUT",
    "stage_memory": "OUT --sentences 200 --sentences 400 --steps 4",
    "store": "OUT --sentences 300 --tags 5",
    "targets": "OUT --data DATA --batches 4 --passes 1",
    "training_step": "--data DATA --output OUT --steps 2 --turns 1 --threads 1",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_a_benchmark_writes_its_figures(name: str, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "figures.json"
    words = COMMANDS[name].replace("DATA", str(data)).replace("OUT", str(out)).split()
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(out.read_text())["commit"]
