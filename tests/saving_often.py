"""A stage that saves after every step: `python -m tests.saving_often STAGE …`."""

import importlib
import sys

from pipeline import training
from stages.command import run

if __name__ == "__main__":
    training.CHECKPOINT_SECONDS = 0.0
    sys.argv[0] = sys.argv.pop(1)
    run(importlib.import_module(f"stages.{sys.argv[0]}").main)
