"""Peak memory of one loss step (forward and backward) in a process of its own: `NAME DEVICE` → JSON."""

import json
import sys
from pathlib import Path

import torch

from benchmarks.chain_implementations import Problem, available

SHAPE = (32, 256, 23)


def resident(field: str) -> int:
    """Bytes of this process in memory: now (VmRSS), or at most since the last reset (VmHWM)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def main(name: str, device: str) -> None:
    implementation = available()[name]
    implementation(Problem.draw(2, 4, 23, device))["loss"]()  # load libraries first
    loss = implementation(Problem.draw(*SHAPE, device))["loss"]
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        loss()
        grown = torch.cuda.max_memory_allocated() - before
    else:
        Path("/proc/self/clear_refs").write_text("5")  # the peak, else inherited from the parent process
        before = resident("VmRSS")
        loss()
        grown = resident("VmHWM") - before
    print(json.dumps({"implementation": name, "peak_bytes": grown}))


if __name__ == "__main__":
    main(*sys.argv[1:])
