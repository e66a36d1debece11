"""Another process that takes the checkpoints of two runs; run by `forked_stages`."""

from pathlib import Path

from pipeline.errors import UserError
from pipeline.storage.checkpoint import Checkpoint


def main(folder: Path) -> None:
    """Hold the checkpoints `run` and `other` in `folder` one after the other, and print how that ended."""
    for key in ("run", "other"):
        try:
            with Checkpoint.hold(folder, key):
                print(key, "is free")
        except UserError as error:
            print(error)
