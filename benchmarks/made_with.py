"""What a benchmark's figures were made with."""

from importlib.metadata import version

import torch

from benchmarks.git import git
from pipeline.device import device_name

_CODE = ("pipeline", "stages", "benchmarks")


def made_with(*packages: str, device: str = "cpu") -> dict[str, object]:
    """Commit (ending in -dirty where code was changed), device, and versions of torch and `packages`."""
    changed = git("status", "--porcelain", "--", *_CODE)  # results of a benchmark are no code
    return {
        "commit": git("rev-parse", "--short=12", "HEAD") + ("-dirty" if changed else ""),
        "device": device_name(torch.device(device)),
        "versions": {name: version(name) for name in ("torch", *packages)},
    }
