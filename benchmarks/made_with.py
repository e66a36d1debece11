"""What a benchmark's figures were made with."""

import subprocess
from importlib.metadata import version

import torch

from pipeline.device import device_name


def made_with(*packages: str, device: str = "cpu") -> dict[str, object]:
    """Commit (ending in -dirty where files were changed), device, and versions of torch and `packages`."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    return {
        "commit": subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip(),
        "device": device_name(torch.device(device)),
        "versions": {name: version(name) for name in ("torch", *packages)},
    }
