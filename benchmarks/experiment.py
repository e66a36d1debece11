"""The command that runs a part of the pipeline with other parameters."""

import sys
from collections.abc import Sequence


def exp_run(settings: Sequence[str], targets: Sequence[str]) -> list[str]:
    """One `dvc exp run` of the targets, and of what they need, with settings `KEY=VALUE`."""
    set_to = [word for setting in settings for word in ("-S", setting)]
    return [sys.executable, "-m", "dvc", "exp", "run", *set_to, *targets]
